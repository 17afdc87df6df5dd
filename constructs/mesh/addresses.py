"""Address ranges that mean something."""

from ipaddress import IPv4Network
from typing import Final

PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918. Not ``IPv4Network.is_private``, which counts ranges for documentation and others as private, too."""


def is_private(network: IPv4Network) -> bool:
    """Whether a range is for private networks."""
    return any(network.subnet_of(private) for private in PRIVATE)
