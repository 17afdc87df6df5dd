"""Makes two clusters peers of each other, as a person does once with ``consul peering``."""

from dataclasses import dataclass
from typing import Final

from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.waiting import within

_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A cluster among peers.

    Attributes:
        consul: Its Consul.
        name: What the other calls it.
    """

    consul: Api
    name: str


def become_peers(one: Peer, other: Peer) -> None:
    """Makes two clusters peers, if they are not yet, and waits until they are.

    Raises:
        LabError: they do not become peers.
    """
    if not are_peers(one, other):
        token = one.consul.request("POST", "/v1/peering/token", {"PeerName": other.name})["PeeringToken"]
        other.consul.request("POST", "/v1/peering/establish", {"PeerName": one.name, "PeeringToken": token})
    if not within(_SECONDS, lambda: are_peers(one, other)):
        raise LabError(f"{one.name} and {other.name} do not become peers; their logs say why")


def are_peers(one: Peer, other: Peer) -> bool:
    """Whether each of two clusters hears the other."""
    return _hears(one, other) and _hears(other, one)


def _hears(one: Peer, other: Peer) -> bool:
    found = one.consul.find(f"/v1/peering/{other.name}")
    return bool(found and found["State"] == "ACTIVE")
