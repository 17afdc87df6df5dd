"""A mesh of any size, for measuring how cost grows."""

from mesh.model import (
    Azure,
    CircuitBreaker,
    Community,
    Environment,
    Flat,
    Kubernetes,
    Nomad,
    Platform,
    Route,
    Service,
    Upstream,
    Version,
)


def environment(count: int) -> Environment:
    """``count`` services, each calling the one before it: five resources each on average.

    Every second one has two versions, a split and a route; of the others every fifth runs on Kubernetes.
    """
    return Environment(
        "generated",
        platform=Platform(edition=Community(), topology=Flat(), azure=Azure(region="koreacentral")),
        services=[_service(index) for index in range(count)],
    )


def _service(index: int) -> Service:
    breaker = CircuitBreaker(interval="30s", max_failures=5)
    versioned = index % 2 == 0
    return Service(
        f"service-{index}",
        port=9090,
        image="nicholasjackson/fake-service:v0.26.2",
        runs_on=Kubernetes() if index % 10 == 1 else Nomad(),
        versions={"v1": Version(), "v2": Version()} if versioned else {},
        split={"v1": 10, "v2": 90} if versioned else {},
        routes=[Route(path_prefix="/v1", to="v1")] if versioned else [],
        upstreams=[Upstream(f"service-{index - 1}", local_port=9191, circuit_breaker=breaker)] if index else [],
    )
