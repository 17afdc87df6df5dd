"""What every instance of a service is.

On either runtime: one workload for each version, and what its application is told.
"""

from collections.abc import Mapping
from typing import Final

from mesh.model.service import Service, Version
from mesh.topology import upstream_url

_NAMELESS: Final = Version()


def versions_of(service: Service) -> tuple[tuple[str | None, Version], ...]:
    """The versions of ``service`` in declaration order; one nameless version (``None``) when it declares none."""
    return tuple(service.versions.items()) or ((None, _NAMELESS),)


def workload_name(service: Service, version_name: str | None) -> str:
    """Name of a version's job or Deployment.

    And what its application calls itself: ``api-v1``, or ``api`` for the nameless one.
    """
    return service.name if version_name is None else f"{service.name}-{version_name}"


def application_env(
    service: Service,
    version_name: str | None,
    version: Version,
    *,
    listen: str,
    services: Mapping[str, Service],
) -> dict[str, str]:
    """Environment variables of the application: what the mesh knows, then the service's ``env``, then the version's.

    Args:
        service: The service.
        version_name: Name of the version; ``None`` for the nameless one.
        version: The version.
        listen: Address on which the application listens: the loopback where only the sidecar may reach it.
        services: Every service of the environment by name. Upstreams that are not there are left out; the judge
            reports them.
    """
    upstreams = [
        upstream_url(called, upstream.local_port)
        for upstream in service.upstreams
        if (called := services.get(upstream.service))
    ]
    return {
        "LISTEN_ADDR": f"{listen}:{service.port}",
        "NAME": workload_name(service, version_name),
        **({"UPSTREAM_URIS": ",".join(upstreams)} if upstreams else {}),
        **service.env,
        **version.env,
    }
