"""terminating-gateway: services outside of the mesh that a terminating gateway calls.

Source: ``consul@1.22.7 agent/structs/config_entry_gateways.go``, ``TerminatingGatewayConfigEntry``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import ServiceName, ServiceNames
from mesh.consul.entries.ingress_gateway import SERVICE_TWICE, judge_namespaces
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.showing import show

_STRUCTS: Final = "consul@1.22.7 agent/structs/config_entry_gateways.go, TerminatingGatewayConfigEntry"
_XDS: Final = "consul@1.22.7 agent/xds/clusters.go, injectGatewayServiceAddons"


def _linked(**fields: object) -> Example:
    return [{"Kind": "terminating-gateway", "Name": "egress", "Services": [{"Name": "db", **fields}]}]


CLIENT_CERTIFICATE_PARTIAL: Final = refused(
    "client-certificate-partial",
    what="A service has a client certificate or its key, but not both of them and the CA.",
    why='Consul refuses it: Service "db" must have a CertFile, CAFile, and KeyFile specified for TLS origination.',
    source=f"{_STRUCTS}.Validate",
    fix="set CAFile, CertFile and KeyFile, or CAFile alone",
    example=_linked(CertFile="/c.pem", KeyFile="/k.pem", SNI="db.example.com"),
    instead=_linked(CAFile="/ca.pem", CertFile="/c.pem", KeyFile="/k.pem", SNI="db.example.com"),
)

TLS_UNVERIFIED: Final = stricter(
    "terminating-tls-unverified",
    what="A service is called with TLS, and nothing says which name its certificate has.",
    why="The gateway takes every certificate of the CA, whoever shows it; Consul only warns.",
    source=f"{_STRUCTS}.Warnings; {_XDS}",
    fix="set SNI to the name in the certificate",
    example=_linked(CAFile="/ca.pem"),
    instead=_linked(CAFile="/ca.pem", SNI="db.example.com"),
)

SNI_WITHOUT_TLS: Final = stricter(
    "terminating-sni-without-tls",
    what="A service has a name for TLS and no CA, hence no TLS.",
    why="Consul stores it, and the gateway calls the service in plain text.",
    source=f"{_XDS} (not checked)",
    fix="set CAFile, or remove SNI",
    example=_linked(SNI="db.example.com"),
    instead=_linked(CAFile="/ca.pem", SNI="db.example.com"),
)


class LinkedService(Part):
    """A service that the gateway calls. Files are paths on the gateway's machine.

    Attributes:
        name: The service as it is registered, or ``*`` for every service that has no sidecar.
        namespace: Enterprise only.
        ca_file: The CA of its certificate; with it, the gateway calls the service with TLS.
        cert_file: A client certificate, with its key.
        key_file: The key of the client certificate.
        sni: The name that is asked for, and that its certificate must have.
        disable_auto_host_rewrite: Whether requests keep their Host header instead of getting the service's host name.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {"Partition": "a terminating gateway calls services of its own partition"}

    name: ServiceNames
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    sni: str | None = None
    disable_auto_host_rewrite: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """What belongs together for TLS."""
        if self.cert_file or self.key_file:
            files = {"CAFile": self.ca_file, "CertFile": self.cert_file, "KeyFile": self.key_file}
            missing = [name for name, file in files.items() if not file]
            if missing:
                yield CLIENT_CERTIFICATE_PARTIAL(at, f"{' and '.join(missing)} of {show(self.name)} is missing")
        elif self.sni and not self.ca_file:
            yield SNI_WITHOUT_TLS(at / "sni", f"{show(self.name)} is called without TLS, as there is no CAFile")
        if self.ca_file and not self.sni:
            yield TLS_UNVERIFIED(at / "ca_file", f"the certificate of {show(self.name)} may have any name")


class TerminatingGateway(ConfigEntry):
    """The ``terminating-gateway`` entry of a gateway; without services, it calls none."""

    KIND: ClassVar[str] = "terminating-gateway"

    name: ServiceName
    services: Annotated[Sequence[LinkedService], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Services that are there twice, or in every namespace."""
        if edition is Edition.ENTERPRISE:
            yield from judge_namespaces(self.services, at / "services")
        seen: set[tuple[str, str | None]] = set()
        for index, service in enumerate(self.services):
            key = (service.name, service.namespace or self.namespace)
            if key in seen:
                yield SERVICE_TWICE((at / "services")[index] / "name", f"{show(service.name)} is there before")
            seen.add(key)
