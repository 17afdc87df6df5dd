"""Certificates and keys in PEM, made when first asked for: a private key is nothing to keep among sources.

Needs the command ``openssl``.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pems:
    """Certificates with their keys.

    Attributes:
        certificate: For an RSA key of 2048 bits.
        key: Its key, in PKCS #8.
        key_pkcs1: The same key, in PKCS #1.
        nameless: A certificate for that key, without a common name.
        elliptic: A certificate for an EC key, and the key.
        weak: A certificate for an RSA key of 1024 bits; the key in PKCS #8; the key in PKCS #1.
    """

    certificate: str
    key: str
    key_pkcs1: str
    nameless: str
    elliptic: tuple[str, str]
    weak: tuple[str, str, str]


@cache
def pems() -> Pems:
    """The certificates of this session.

    Raises:
        OSError: ``openssl`` is not there.
        subprocess.CalledProcessError: It failed.
    """
    with tempfile.TemporaryDirectory() as folder:

        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

        def certificate(key: str, subject: str = "/CN=a.example.com") -> str:
            openssl("req", "-x509", "-new", "-key", f"{key}.key", "-subj", subject, "-out", f"{key}.crt")
            return text(f"{key}.crt")

        def pair(name: str, *algorithm: str) -> tuple[str, str]:
            openssl("genpkey", *algorithm, "-out", f"{name}.key")
            return certificate(name), text(f"{name}.key")

        def pkcs1(name: str) -> str:
            openssl("rsa", "-traditional", "-in", f"{name}.key", "-out", f"{name}.pkcs1")
            return text(f"{name}.pkcs1")

        def text(name: str) -> str:
            return (Path(folder) / name).read_text()

        strong = pair("strong", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        weak = pair("weak", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
        elliptic = pair("elliptic", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        return Pems(*strong, pkcs1("strong"), certificate("strong", "/O=nameless"), elliptic, (*weak, pkcs1("weak")))
