"""Small declarations that tests vary."""

from dataclasses import replace
from typing import Any

from mesh.model import (
    Azure,
    Community,
    Enterprise,
    Environment,
    Flat,
    Kubernetes,
    Nomad,
    Partition,
    Platform,
    Service,
    Upstream,
    Version,
)

IMAGE = "example/app:1.0"

COMMUNITY = Platform(edition=Community(), topology=Flat(), azure=Azure(region="koreacentral"))
ENTERPRISE = Platform(edition=Enterprise(), topology=Partition("k8s"), azure=Azure(region="koreacentral"))


def service(name: str = "api", **changes: Any) -> Service:
    """A service on Nomad without versions."""
    return replace(Service(name, port=9091, image=IMAGE, runs_on=Nomad()), **changes)


def versioned(name: str = "api", **changes: Any) -> Service:
    """A service on Nomad in two versions, everything on the second."""
    versions = {"v1": Version(), "v2": Version()}
    return service(name, **{"versions": versions, "split": {"v1": 0, "v2": 100}, **changes})


def caller(name: str = "web", *upstreams: Upstream, **changes: Any) -> Service:
    """A service on Kubernetes that calls the given upstreams, or ``api``."""
    calls = upstreams or (Upstream("api", local_port=9191),)
    return service(name, **{"port": 9090, "runs_on": Kubernetes(), "upstreams": calls, **changes})


def environment(*services: Service, platform: Platform = COMMUNITY, **changes: Any) -> Environment:
    """An environment with the given services."""
    return Environment("test", platform=platform, services=services, **changes)
