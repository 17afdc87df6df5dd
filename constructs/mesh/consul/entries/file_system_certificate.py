"""file-system-certificate: files with a certificate and its private key, for listeners of API gateways.

Source: ``consul@1.22.7 agent/structs/config_entry_file_system_certificate.go``, which checks nothing.
"""

from typing import Annotated, ClassVar

from mesh.config_entry import ConfigEntry
from mesh.consul.parts import Mark


class FileSystemCertificate(ConfigEntry):
    """A ``file-system-certificate`` entry. Envoy reads the files on the gateway's machine, and again when they change.

    Attributes:
        certificate: Path of the certificate, in PEM.
        private_key: Path of its private key, in PEM.
    """

    KIND: ClassVar[str] = "file-system-certificate"

    certificate: Annotated[str, Mark.LAX]
    private_key: Annotated[str, Mark.LAX]
