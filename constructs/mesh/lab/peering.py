"""Makes two clusters peers of each other, as a person does once with ``consul peering``."""

from typing import Final

from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.waiting import within

_SECONDS: Final = 30.0


def peer(one: Api, one_name: str, other: Api, other_name: str) -> None:
    """Makes two clusters peers, if they are not yet, and waits until they are.

    Raises:
        LabError: they do not become peers.
    """

    def are_peers() -> bool:
        return _is_active(one, other_name) and _is_active(other, one_name)

    if not are_peers():
        token = one.request("POST", "/v1/peering/token", {"PeerName": other_name})["PeeringToken"]
        other.request("POST", "/v1/peering/establish", {"PeerName": one_name, "PeeringToken": token})
    if not within(_SECONDS, are_peers):
        raise LabError(f"{one_name} and {other_name} do not become peers; see mesh lab logs")


def _is_active(consul: Api, name: str) -> bool:
    found = consul.find(f"/v1/peering/{name}")
    return bool(found and found["State"] == "ACTIVE")
