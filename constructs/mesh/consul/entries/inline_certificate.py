"""inline-certificate: a certificate and its private key, for listeners of API gateways.

Source: ``consul@1.22.7 agent/structs/config_entry_inline_certificate.go`` and Go's ``tls.X509KeyPair``.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry
from mesh.consul.domain_names import is_domain_name
from mesh.consul.entries import example_certificates as examples
from mesh.consul.parts import Check, Edition
from mesh.consul.pem import Block, pem_blocks
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.showing import shorten, show

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.x509 import Certificate

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_inline_certificate.go, InlineCertificateConfigEntry.Validate"


def _entry(certificate: str, key: str) -> Example:
    return [{"Kind": "inline-certificate", "Name": "shop", "Certificate": certificate, "PrivateKey": key}]


_RIGHT: Final = _entry(examples.CERTIFICATE, examples.KEY)

CERTIFICATE_PEM: Final = refused(
    "certificate-pem",
    what="A certificate or private key is not written in PEM.",
    why="Consul refuses it: failed to parse certificate PEM.",
    source=_SOURCE,
    fix="write the text itself, from -----BEGIN to -----END; for a file on the gateway's machine, use "
    "file-system-certificate",
    example=_entry("/etc/tls/shop.pem", examples.KEY),
    instead=_RIGHT,
)

CERTIFICATE_CONTENT: Final = refused(
    "certificate-content",
    what="The PEM of a certificate holds no certificate that can be used.",
    why="Consul refuses it: failed to parse certificate: x509: malformed tbs certificate.",
    source=f"{_SOURCE}; Go's crypto/x509, ParseCertificate",
    fix="write the certificate with its label CERTIFICATE, the server's first and its issuers' after it",
    example=_entry(examples.KEY, examples.KEY),
    instead=_RIGHT,
)

KEY_CONTENT: Final = refused(
    "private-key-content",
    what="The PEM of a private key holds no private key that can be used.",
    why="Consul refuses it: tls: found a certificate rather than a key in the PEM for the private key.",
    source=f"{_SOURCE}; Go's crypto/tls, X509KeyPair",
    fix="write the key without a password, with the label that belongs to its form (PKCS #1, PKCS #8 or SEC 1)",
    example=_entry(examples.CERTIFICATE, examples.CERTIFICATE),
    instead=_RIGHT,
)

KEY_MISMATCH: Final = refused(
    "private-key-mismatch",
    what="The private key is not that of the certificate.",
    why="Consul refuses it: tls: private key does not match public key.",
    source=f"{_SOURCE}; Go's crypto/tls, X509KeyPair",
    fix="write the key with which the certificate was asked for; the server's certificate is the first",
    example=_entry(examples.CERTIFICATE_OTHER, examples.KEY),
    instead=_RIGHT,
)

KEY_SHORT: Final = refused(
    "rsa-key-short",
    what="An RSA key has fewer than 2048 bits.",
    why="Consul refuses it: key length must be at least 2048 bits.",
    source="consul@1.22.7 agent/structs/config_entry_inline_certificate.go, validateKeyLength",
    fix="use a key of 2048 bits or more, or an ECDSA key",
    example=_entry(examples.CERTIFICATE_RSA_1024, examples.KEY_RSA_1024),
    instead=_RIGHT,
)

KEY_FOR_ENVOY: Final = stricter(
    "private-key-for-envoy",
    what="The private key is none that Envoy can use: RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521.",
    why="Consul accepts it, and no client gets a connection. Of RSA keys, Consul only measures those in PKCS #1.",
    source=f"{_SOURCE} (not checked there); Envoy's source/common/tls/context_impl.cc",
    fix="use a key of 2048 bits or more, or an ECDSA key on P-256",
    example=_entry(examples.CERTIFICATE_ED25519, examples.KEY_ED25519),
    instead=_RIGHT,
)

CERTIFICATE_NAME: Final = refused(
    "certificate-name",
    what="The common name of a certificate is missing, or one of its names is none that DNS can carry.",
    why='Consul refuses it: host "" must be a valid DNS hostname.',
    source=_SOURCE,
    fix="have it issued with the host as common name, or use file-system-certificate, which Consul does not read",
    example=_entry(examples.CERTIFICATE_WITHOUT_NAME, examples.KEY),
    instead=_RIGHT,
)

_RSA_BITS: Final = 2048
_GO_RSA_BITS: Final = 1024
"""Go takes no shorter key at all."""

_ENVOY_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_GO_CURVES: Final = _ENVOY_CURVES | {"secp224r1"}

_PKCS1_LABEL: Final = "RSA PRIVATE KEY"
_PKCS1: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)\x02\x01[\x00\x01]\x02", re.DOTALL)
"""How an RSA key in PKCS #1 begins: with a version and a number, where PKCS #8 has an object."""


def _is_pem(text: str) -> bool:
    return any(pem_blocks(text))


class InlineCertificate(ConfigEntry):
    """An ``inline-certificate`` entry. The private key lands in Terraform's state and in Consul.

    Attributes:
        certificate: PEM, the server's certificate first, then its issuers'.
        private_key: PEM, without a password.
    """

    KIND: ClassVar[str] = "inline-certificate"

    certificate: Annotated[str, Check(CERTIFICATE_PEM, _is_pem, "PEM")]
    private_key: Annotated[str, Check(CERTIFICATE_PEM, _is_pem, "PEM")]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """What the certificate and the key are, and whether they belong together."""
        certificates, keys = list(pem_blocks(self.certificate)), list(pem_blocks(self.private_key))
        certificate = key = None
        if certificates:
            certificate = _read_certificate(certificates)
            if certificate is None:
                labels = " and ".join(dict.fromkeys(block.label for block in certificates))
                yield CERTIFICATE_CONTENT(at / "certificate", f"{shorten(labels)} is no certificate that can be used")
        if keys:
            key = _read_key(keys)
            if key is None:
                labels = " and ".join(dict.fromkeys(block.label for block in keys))
                yield KEY_CONTENT(at / "private_key", f"{shorten(labels)} is no private key that can be used")
            else:
                yield from _judge_key(key, keys[0], at / "private_key")
        if certificate is not None:
            yield from _judge_names(certificate, at / "certificate")
            if key is not None and key.public_key() != certificate.public_key():
                yield KEY_MISMATCH(at / "private_key", "the key is not that of the certificate")


def _read_certificate(blocks: list[Block]) -> "Certificate | None":
    """The server's certificate; none if Go or Consul cannot use it."""
    from cryptography import x509  # takes a while, and few entries are certificates
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        x509.load_der_x509_certificate(blocks[0].content)
        certificate = x509.load_der_x509_certificate(
            next(block.content for block in blocks if block.label == "CERTIFICATE")
        )
        list(certificate.extensions)
        return certificate if _is_known(certificate.public_key()) else None
    except (StopIteration, ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _read_key(blocks: list[Block]) -> "PrivateKeyTypes | None":
    """The private key; none if Go or Consul cannot use it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    if blocks[0].label == _PKCS1_LABEL and not _PKCS1.match(blocks[0].content):
        return None
    try:
        key = load_der_private_key(
            next(block.content for block in blocks if f" {block.label}".endswith(" PRIVATE KEY")), None
        )
        return key if _is_known(key.public_key()) else None
    except (StopIteration, ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _is_known(key: "PublicKeyTypes") -> bool:
    """Whether Go knows this kind of key."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    match key:
        case RSAPublicKey():
            return key.key_size >= _GO_RSA_BITS
        case EllipticCurvePublicKey():
            return key.curve.name in _GO_CURVES
        case _:
            return isinstance(key, Ed25519PublicKey)


def _judge_key(key: "PrivateKeyTypes", first: Block, at: At) -> Iterator[Problem]:
    """Whether the key is long enough, and one of Envoy's."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    match key:
        case RSAPrivateKey():
            if key.key_size < _RSA_BITS:
                rule = KEY_SHORT if first.label == _PKCS1_LABEL else KEY_FOR_ENVOY
                yield rule(at, f"the key has {key.key_size} bits")
        case EllipticCurvePrivateKey():
            if key.curve.name not in _ENVOY_CURVES:
                yield KEY_FOR_ENVOY(at, f"the key is on the curve {key.curve.name}")
        case _:
            yield KEY_FOR_ENVOY(at, "the key is an Ed25519 key")


def _judge_names(certificate: "Certificate", at: At) -> Iterator[Problem]:
    """The common name, which is the last if there are several, and the names of hosts."""
    from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName
    from cryptography.x509.oid import NameOID

    common = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not common:
        yield CERTIFICATE_NAME(at, "the certificate has no common name")
    try:
        alternative = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        hosts = []
    else:
        hosts = alternative.get_values_for_type(DNSName)
    for name in (*common[-1:], *hosts):
        if not is_domain_name(name):
            yield CERTIFICATE_NAME(at, f"{show(name)} is no name that DNS can carry")
