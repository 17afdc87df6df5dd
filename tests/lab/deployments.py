"""What becomes of a version that never gets healthy, and the declarations of deployments."""

from dataclasses import dataclass
from typing import Final

import pytest

from mesh.lab.errors import LabError
from mesh.lab.lab import Lab
from mesh.lab.requests import Answer, Load, Request
from mesh.model import Environment, Nomad, Version
from tests.lab import shop
from tests.lab.running import deployments, door, eventually, running, silent

SLOW_RATE: Final = 10.0
"""Requests each second while a broken version is waited for."""


def declared(message: str, name: str, count: int = 1, **env: str) -> Environment:
    """``web`` and one version of ``api`` that say a message."""
    version = Version(env={"MESSAGE": message, **env})
    api = shop.api(versions={"v1": version}, split={}, routes=(), runs_on=Nomad(count=count))
    web = shop.web(env={"MESSAGE": message}, runs_on=Nomad(count=count))
    return shop.mesh(name, api, web)


def said(answer: Answer) -> set[str]:
    """The messages of both services."""
    value = answer.json()
    return {value["body"], *(call["body"] for call in value["upstream_calls"].values())}


@dataclass(frozen=True)
class Reverted:
    """What became of a version that never gets healthy.

    Attributes:
        error: What who applied it was told.
        load: The requests meanwhile.
        deployments: Status of each deployment and whether it was promoted, the latest first.
        message: What the services say afterwards.
    """

    error: str
    load: Load
    deployments: list[tuple[str, bool]]
    message: set[str]


def deploy_a_broken_version() -> Reverted:
    """Deploys a version of ``api`` whose check fails, and waits until the one before is back."""
    name = "test-revert"
    with running(declared("works", name)) as lab, Load(door(lab), [Request()], SLOW_RATE) as load:
        broken = Lab(declared("broken", name, HEALTH_CHECK_RESPONSE_CODE="500"), lab.root)
        with pytest.raises(LabError) as raised:
            broken.apply(silent)
        eventually(
            "the version before is deployed again",
            lambda: deployments(lab, "api-v1")[0],
            well=lambda latest: latest["Status"] == "successful" and latest["JobVersion"] == 2,
            seconds=60,
        )
        return Reverted(
            str(raised.value),
            load,
            [
                (each["Status"], any(group["Promoted"] for group in each["TaskGroups"].values()))
                for each in deployments(lab, "api-v1")
            ],
            said(door(lab).send(Request())),
        )
