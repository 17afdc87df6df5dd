"""The declaration that the tests of a running mesh start from, and change."""

from typing import Any, Final

from mesh.consul.entries import ServiceIntentions
from mesh.consul.entries.service_intentions import HttpPermission, Permission, Source
from mesh.lab.requests import Request
from mesh.model import (
    ApiGateway,
    Community,
    Environment,
    Flat,
    HclJob,
    Listener,
    Nomad,
    Platform,
    Retry,
    Route,
    Service,
    Upstream,
    Version,
)

IMAGE: Final = "nicholasjackson/fake-service:v0.26.2"

HOST: Final = "shop.example"
"""A host name."""

DOOR: Final = 5000
"""The gateway's port for every host name."""

NAMED_DOOR: Final = 5001
"""The gateway's port for `HOST` alone."""

FAULT_FILE: Final = "fault"
"""File in the folder of an allocation that makes its instance fail; it holds the status."""

INSTANCE: Final = {"NAME": "api-v1-${NOMAD_ALLOC_INDEX}", "FAULT_FILE": f"${{NOMAD_ALLOC_DIR}}/{FAULT_FILE}"}
"""What tells the instances of a version apart."""

ROUTES: Final = (
    Route(path_prefix="/v1", to="v1"),
    Route(path_prefix="/v2", to="v2"),
    Route(path_exact="/exactly", to="v1"),
    Route(path_regex="/items/[0-9]+", to="v1"),
    Route(query={"version": "v1"}, to="v1"),
    Route(query={"version": "v2"}, to="v2"),
    Route(headers={"x-version": "v1"}, to="v1"),
    Route(path_prefix="/posted", methods=["POST"], to="v1"),
    Route(path_prefix="/slow", to="slow", timeout="500ms"),
    Route(path_prefix="/patient", to="slow", timeout="5s"),
    Route(path_prefix="/retried", to="v1", retry=Retry(3, on_status_codes=[503])),
)

ARRIVED: Final = Request("/arrived")
"""A request that tells whether `WITH_ARRIVED` is declared: of v1 with it, of v2 without."""

WITH_ARRIVED: Final = (Route(path_exact=ARRIVED.path, to="v1"), *ROUTES)

VERSIONS: Final = {
    "v1": Version(count=2, env=INSTANCE, failover="v2"),
    "v2": Version(),
    "slow": Version(env={"TIMING_50_PERCENTILE": "1500ms"}),
}

CALLER: Final = """
job "caller" {
  datacenters = ["dc1"]
  group "caller" {
    network {
      mode = "bridge"
    }
    service {
      name = "caller"
      port = "9095"
      connect {
        sidecar_service {
          disable_default_tcp_check = true
          proxy {
            upstreams {
              destination_name = "api"
              local_bind_port  = 9001
            }
            upstreams {
              destination_name = "stock"
              local_bind_port  = 9002
            }
          }
        }
      }
    }
    task "caller" {
      driver = "docker"
      config {
        image = "nicholasjackson/fake-service:v0.26.2"
      }
      env {
        LISTEN_ADDR   = "0.0.0.0:9095"
        NAME          = "caller"
        UPSTREAM_URIS = "http://127.0.0.1:9001,http://127.0.0.1:9002"
      }
      resources {
        cpu    = 50
        memory = 64
      }
    }
  }
}
"""
"""A job that nobody declared as a caller of anything. It listens on its group's address, too, to be asked directly."""

CALLER_PORT: Final = 9095
CALLER_UPSTREAMS: Final = {"api": "http://127.0.0.1:9001", "stock": "http://127.0.0.1:9002"}


def api(**changes: Any) -> Service:
    """The service whose traffic is tested."""
    declared: dict[str, Any] = {
        "protocol": "http",
        "port": 9091,
        "image": IMAGE,
        "runs_on": Nomad(),
        "versions": VERSIONS,
        "split": {"v1": 0, "v2": 100},
        "routes": ROUTES,
    }
    return Service("api", **{**declared, **changes})


def web(**changes: Any) -> Service:
    """The service in front of it."""
    declared: dict[str, Any] = {
        "protocol": "http",
        "port": 9090,
        "image": IMAGE,
        "runs_on": Nomad(),
        "upstreams": [Upstream("api", local_port=9091)],
    }
    return Service("web", **{**declared, **changes})


STOCK: Final = Service("stock", protocol="http", port=9092, image=IMAGE, runs_on=Nomad())
"""A service that nobody calls who is declared; see `READERS`."""

READERS: Final = ServiceIntentions(
    name="stock",
    sources=[
        Source(
            name="caller",
            permissions=[
                Permission(action="allow", http=HttpPermission(path_prefix="/public", methods=["GET"])),
                Permission(action="deny", http=HttpPermission(path_prefix="/")),
            ],
        )
    ],
)
"""Lets a caller read, and only in public."""

GATEWAY: Final = ApiGateway(
    "api-gateway", listeners=[Listener(DOOR, "http", to="web"), Listener(NAMED_DOOR, "http", to="web", hosts=[HOST])]
)


def mesh(name: str, *services: Service, access_logs: bool = False, **changes: Any) -> Environment:
    """A declaration on local agents, with the gateway in front of ``web``."""
    platform = Platform(edition=Community(), topology=Flat(), azure=None, access_logs=access_logs)
    return Environment(name, **{"platform": platform, "services": services, "gateways": [GATEWAY], **changes})


def shop(name: str, *, api: Service = api(), web: Service = web(), **changes: Any) -> Environment:  # noqa: B008  values
    """The whole: `api` behind `web` behind a gateway, and a stranger who calls `api` and `stock`."""
    more: dict[str, Any] = {"extra_entries": [READERS], "extra_jobs": [HclJob("caller", CALLER)], "access_logs": True}
    return mesh(name, api, web, STOCK, **{**more, **changes})
