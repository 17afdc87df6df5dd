"""What an application is told, on either runtime."""

from mesh.model import Service, Upstream, Version
from mesh.workload import application_env, versions_of, workload_name
from tests.unit.examples import service, versioned

API = service()
DB = service("db", port=5432, protocol="tcp")


def env(of: Service, version: Version | None = None, *, listen: str = "127.0.0.1") -> dict[str, str]:
    services = {known.name: known for known in (API, DB)}
    return application_env(of, "v1", version or Version(), listen=listen, services=services)


def test_versions_in_declaration_order() -> None:
    assert [name for name, _ in versions_of(versioned())] == ["v1", "v2"]


def test_a_service_without_versions_has_a_nameless_one() -> None:
    ((name, version),) = versions_of(API)
    assert name is None
    assert version == Version()


def test_names() -> None:
    assert workload_name(API, "v1") == "api-v1"
    assert workload_name(API, None) == "api"


def test_the_runtime_says_where_to_listen() -> None:
    assert env(API)["LISTEN_ADDR"] == "127.0.0.1:9091"
    assert env(API, listen="0.0.0.0")["LISTEN_ADDR"] == "0.0.0.0:9091"


def test_upstreams_are_told_in_declaration_order() -> None:
    web = service("web", upstreams=[Upstream("db", local_port=5000), Upstream("api", local_port=9191)])
    assert env(web)["UPSTREAM_URIS"] == "tcp://localhost:5000,http://localhost:9191"


def test_without_upstreams_nothing_is_said_of_them() -> None:
    assert env(API) == {"LISTEN_ADDR": "127.0.0.1:9091", "NAME": "api-v1"}


def test_unknown_upstreams_are_left_to_the_judge() -> None:
    assert "UPSTREAM_URIS" not in env(service("web", upstreams=[Upstream("nobody", local_port=1)]))


def test_the_version_wins_over_the_service_over_the_mesh() -> None:
    told = env(service(env={"NAME": "mine", "LEVEL": "info"}), Version(env={"LEVEL": "debug"}))
    assert told == {"LISTEN_ADDR": "127.0.0.1:9091", "NAME": "mine", "LEVEL": "debug"}
