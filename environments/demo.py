"""The guide's mesh, as it is meant: ``api`` in two versions on VMs, ``web`` on Kubernetes, joined by mesh gateways.

Needs Consul Enterprise, because AKS is an admin partition of the VMs' cluster. ``community`` is the same without a
licence.
"""

from mesh.model import (
    Azure,
    CircuitBreaker,
    Enterprise,
    Environment,
    IngressGateway,
    Kubernetes,
    Listener,
    Nomad,
    Partition,
    Platform,
    Route,
    Service,
    Upstream,
    Version,
)

FAKE_SERVICE = "nicholasjackson/fake-service:v0.26.2"

api = Service(
    "api",
    protocol="http",
    port=9091,
    image=FAKE_SERVICE,
    runs_on=Nomad(),
    versions={
        "v1": Version(env={"MESSAGE": "Response from API v1"}),
        "v2": Version(env={"MESSAGE": "Response from API v2"}),
    },
    split={"v1": 0, "v2": 100},
    routes=[
        Route(path_prefix="/v1", to="v1"),
        Route(path_prefix="/v2", to="v2"),
        Route(query={"version": "v1"}, to="v1"),
        Route(query={"version": "v2"}, to="v2"),
    ],
)

web = Service(
    "web",
    protocol="http",
    port=9090,
    image=FAKE_SERVICE,
    runs_on=Kubernetes(),
    env={"MESSAGE": "Hello World"},
    upstreams=[
        Upstream("api", local_port=9091, circuit_breaker=CircuitBreaker(interval="30s", max_failures=5)),
    ],
    export_to=["default"],  # nobody on the VMs calls it; the guide shows exports both ways
)

ENVIRONMENT = Environment(
    "demo",
    platform=Platform(
        edition=Enterprise(),
        topology=Partition("k8s"),
        azure=Azure(region="koreacentral"),
        servers=1,
        clients=1,
    ),
    services=[api, web],
    gateways=[IngressGateway("ingress-gateway", listeners=[Listener(5000, "http", to="web")])],
)
