"""Certificates in entries: what Consul and Go say of them, beyond the examples of the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from mesh.consul.entries.example_certificates import CERTIFICATE, CERTIFICATE_OTHER, KEY
from mesh.consul.parts import Edition
from mesh.consul.pem import decode_base64, pem_blocks
from mesh.consul.reading import Form, read
from mesh.rules import Style

PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8
START = datetime(2026, 1, 1, tzinfo=UTC)
CURVE_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
SHORT_RSA_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is judged


def found(kind: str = "inline-certificate", **fields: Any) -> list[str]:
    problems = read({"Kind": kind, "Name": "shop", **fields}, Form.AUTHORED, Edition.COMMUNITY).problems
    return sorted(f"{problem.rule.id} {problem.at.written(Style.GO)}" for problem in problems)


def judged(certificate: str, key: str) -> list[str]:
    return found(Certificate=certificate, PrivateKey=key)


def certificate_of(
    key: CertificateIssuerPrivateKeyTypes, common: tuple[str, ...] = ("a.example.com",), *hosts: str
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each) for each in common])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, START, START + timedelta(days=1))
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(CURVE_KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def pem_of(key: CertificateIssuerPrivateKeyTypes, form: PrivateFormat = PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


RIGHT = certificate_of(CURVE_KEY), pem_of(CURVE_KEY)


@pytest.mark.parametrize(
    ("key", "form", "rules"),
    [
        (CURVE_KEY, PKCS1, []),
        (CURVE_KEY, PKCS8, []),
        (ec.generate_private_key(ec.SECP384R1()), PKCS8, []),
        (ec.generate_private_key(ec.SECP521R1()), PKCS8, []),
        (ec.generate_private_key(ec.SECP224R1()), PKCS8, ["private-key-for-envoy PrivateKey"]),
        (
            ec.generate_private_key(ec.SECP256K1()),
            PKCS8,
            ["certificate-content Certificate", "private-key-content PrivateKey"],
        ),
        (
            ed448.Ed448PrivateKey.generate(),
            PKCS8,
            ["certificate-content Certificate", "private-key-content PrivateKey"],
        ),
        (RSA_KEY, PKCS1, []),
        (RSA_KEY, PKCS8, []),
        (SHORT_RSA_KEY, PKCS1, ["rsa-key-short PrivateKey"]),
        (SHORT_RSA_KEY, PKCS8, ["private-key-for-envoy PrivateKey"]),  # Consul does not measure it
    ],
)
def test_kinds_of_keys(key: CertificateIssuerPrivateKeyTypes, form: PrivateFormat, rules: list[str]) -> None:
    assert judged(certificate_of(key), pem_of(key, form)) == rules


@pytest.mark.parametrize(
    ("common", "hosts", "rules"),
    [
        (("a.example.com",), ("b.example.com",), []),
        (("*.example.com",), (), []),
        (("My CA",), (), []),  # hardly more than the dots is looked at
        ((), ("a.example.com",), ["certificate-name Certificate"]),
        (("a..b",), (), ["certificate-name Certificate"]),
        (("a", "b..c"), (), ["certificate-name Certificate"]),
        (("b..c", "a"), (), []),  # the last one counts
        (("a",), ("b", "c..d"), ["certificate-name Certificate"]),
    ],
)
def test_names_in_certificates(common: tuple[str, ...], hosts: tuple[str, ...], rules: list[str]) -> None:
    assert judged(certificate_of(CURVE_KEY, common, *hosts), RIGHT[1]) == rules


LABEL = "PRIVATE KEY"


@pytest.mark.parametrize(
    ("certificate", "key", "rules"),
    [
        (f"before\n{RIGHT[0]}after", RIGHT[1], []),
        (RIGHT[0].replace("\n", "\r\n"), RIGHT[1].rstrip(), []),
        (RIGHT[0] + CERTIFICATE_OTHER, RIGHT[1], []),
        (CERTIFICATE_OTHER + RIGHT[0], RIGHT[1], ["private-key-mismatch PrivateKey"]),
        (RIGHT[0], RIGHT[0] + RIGHT[1], []),
        (RIGHT[0] + RIGHT[1], RIGHT[1], []),
        (RIGHT[1] + RIGHT[0], RIGHT[1], ["certificate-content Certificate"]),
        (RIGHT[0].replace("CERTIFICATE", "X509 CERTIFICATE"), RIGHT[1], ["certificate-content Certificate"]),
        (RIGHT[0].replace("-----\n", "-----\nComment: x\n\n", 1), RIGHT[1], []),
        (RIGHT[0], RIGHT[1].replace(LABEL, "EC PRIVATE KEY"), []),
        (RIGHT[0], RIGHT[1].replace(LABEL, "RSA PRIVATE KEY"), ["private-key-content PrivateKey"]),
        (RIGHT[0], RIGHT[1].replace(LABEL, "PUBLIC KEY"), ["private-key-content PrivateKey"]),
        (RIGHT[0].replace("\n", " "), RIGHT[1], ["certificate-pem Certificate"]),
        (RIGHT[0].replace("\n", "\\n"), RIGHT[1], ["certificate-pem Certificate"]),
        (RIGHT[0][:200], RIGHT[1][:100], ["certificate-pem Certificate", "certificate-pem PrivateKey"]),
    ],
)
def test_pem(certificate: str, key: str, rules: list[str]) -> None:
    assert judged(certificate, key) == rules


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
def test_a_key_with_a_password_is_none(form: PrivateFormat) -> None:
    key = CURVE_KEY.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret")).decode()
    assert judged(RIGHT[0], key) == ["private-key-content PrivateKey"]


def test_a_certificate_that_is_missing_is_one_problem() -> None:
    assert found(PrivateKey=KEY) == ["field-missing Certificate"]
    assert found(Certificate=CERTIFICATE) == ["field-missing PrivateKey"]
    assert found("file-system-certificate", Certificate="/tls/a.pem") == ["field-expected PrivateKey"]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (b"", b""),
        (b"QQ==", b"A"),
        (b"Q\r\nQ==\n", b"A"),
        (b"QR==", b"A"),  # bits that are left over do not count
        (b"QQ=", None),
        (b"QQ", None),
        (b"QUJD=", None),
        (b"QQ==QQ==", None),
        (b"Q Q==", None),
        (b"_-8=", None),
    ],
)
def test_base64(text: bytes, content: bytes | None) -> None:
    assert decode_base64(text) == content


def test_a_block_that_is_not_closed_hides_no_other() -> None:
    text = f"-----BEGIN A-----\nQQ==\n{CERTIFICATE}-----BEGIN B-----\nQQ==\n-----END A-----\n"
    assert [block.label for block in pem_blocks(text)] == ["CERTIFICATE"]
