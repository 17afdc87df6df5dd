"""Process 1 of a node: makes the namespaces it was started in a machine of its own, then only takes in orphans.

Run by :mod:`mesh.lab.node` as a file, in new mount, network, process and host name namespaces; when it is killed, the
kernel ends everything else in them. Takes the node's folder and name; says ``ready`` on its standard output.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

RUN = Path("/run")
"""Empty on a node: sockets, locks and Nomad's network namespaces are its own."""

HERE = RUN / "node"
"""The node's folder as its processes see it: short, because the path of a Unix socket has at most 108 characters."""

ADDRESSES_IN_USE = Path("/var/lib/cni")
"""Where CNI's plugins remember the addresses that they gave."""


def main(folder: str, name: str) -> None:
    """Mounts what is the node's own, and waits for the end."""
    # As process 1 it inherits every orphan; who ignores this signal leaves no zombies.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    kept = os.open(folder, os.O_PATH)  # the folder may lie below /run
    # Network interfaces are shown by a sysfs of their namespace's own. Without cgroups there Nomad uses none, so none
    # is left; that takes away what was mounted there, too, because Nomad reads the list of mounts (nomad@1.11.3
    # client/lib/cgroupslib/mount.go).
    _call("umount", "--recursive", "--lazy", "/sys")
    _call("mount", "-t", "sysfs", "sysfs", "/sys")
    _call("mount", "-t", "tmpfs", "tmpfs", str(RUN))
    HERE.mkdir()
    _call("mount", "--bind", f"/proc/{os.getpid()}/fd/{kept}", str(HERE))
    if ADDRESSES_IN_USE.is_dir():
        _call("mount", "-t", "tmpfs", "tmpfs", str(ADDRESSES_IN_USE))
    os.close(kept)
    Path("/proc/sys/kernel/hostname").write_text(name, encoding="ascii")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(sys.stdout.fileno(), b"ready\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    while True:
        signal.pause()


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
