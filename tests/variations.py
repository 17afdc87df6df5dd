"""Meshes that no environment of the project is, for what must hold everywhere."""

from dataclasses import replace
from ipaddress import IPv4Network

from mesh.consul.entries import ServiceDefaults, ServiceIntentions
from mesh.consul.entries.service_intentions import Source
from mesh.model import (
    ApiGateway,
    Azure,
    AzureStorage,
    Cluster,
    Community,
    Enterprise,
    Environment,
    Flat,
    HclJob,
    IngressGateway,
    Kubernetes,
    Listener,
    Nomad,
    Partition,
    Platform,
    Retry,
    Route,
    Security,
    Service,
    Upstream,
    Version,
)

IMAGE = "example/app:1.0"

ON_BOTH = [
    Service(
        "catalog",
        port=8080,
        image=IMAGE,
        runs_on=Kubernetes(count=2, namespace="shop"),
        versions={"v1": Version(), "v2": Version(env={"FLAG": "${literally} %{this}"})},
        split={"v1": 33.33, "v2": 66.67},
        routes=[Route(to="v2", headers={"x-canary": "yes"}, timeout="5s", retry=Retry(2, on_status_codes=[503]))],
        upstreams=[Upstream("db", local_port=5432)],
    ),
    Service("db", protocol="tcp", port=5432, image=IMAGE, runs_on=Nomad(count=2)),
    Service(
        "search",
        protocol="grpc",
        port=9000,
        image=IMAGE,
        runs_on=Nomad(),
        upstreams=[Upstream("catalog", local_port=8081)],
    ),
    Service("shop", port=3000, image=IMAGE, runs_on=Nomad(), upstreams=[Upstream("catalog", local_port=8081)]),
    Service("3d-viewer", port=3001, image=IMAGE, runs_on=Nomad()),
    Service("360", port=3002, image=IMAGE, runs_on=Kubernetes()),
]

EDGE = ApiGateway(
    "edge",
    listeners=[Listener(443, "http", to="shop", hosts=["shop.example.com"]), Listener(5432, "tcp", to="db")],
    open_to=[IPv4Network("10.99.0.0/16")],
)

LEGACY = IngressGateway(
    "legacy", listeners=[Listener(8080, "http", to="shop")], open_to=[IPv4Network("198.51.100.0/24")]
)

_AZURE = Azure(
    region="westeurope", zones=["1"], tags={"owner": "${team}"}, operator_networks=[IPv4Network("198.51.100.7/32")]
)

PARTITION = Environment(
    "three",
    platform=Platform(edition=Enterprise(), topology=Partition("k8s"), azure=_AZURE, servers=3, clients=3),
    services=ON_BOTH,
    gateways=[EDGE, LEGACY],
    backend=AzureStorage(resource_group="rg-state", storage_account="tfstate42"),
)

ENTERPRISE_FLAT = Environment(
    "entflat",
    platform=Platform(
        edition=Enterprise(), topology=Flat(), azure=_AZURE, security=Security.ZERO_TRUST, cluster=Cluster(nodes=1)
    ),
    services=ON_BOTH,
    gateways=[EDGE, LEGACY],
)

HCL = """
variable "image" { default = "example/batch:1.0" }

job "old-batch" {
  type = "batch" # written as ${attr.kernel.name}, not as $${attr.kernel.name} or %{this}

  group "all" {
    task "run" {
      driver = "docker"
      config { image = var.image }
      template {
        destination = "${NOMAD_TASK_DIR}/greeting"
        data        = <<-EOT
          {{ env "NOMAD_ALLOC_ID" }} "says" %{ if true }\tgrüß Gott\\n%{ endif } $${literally}
        EOT
      }
    }
  }
}
"""

BY_HAND = Environment(
    "byhand",
    platform=Platform(edition=Community(), topology=Flat(), azure=replace(_AZURE, zones=[]), clients=2),
    services=ON_BOTH,
    gateways=[replace(EDGE, runs_on=Nomad(count=2, cpu=200, memory=128)), LEGACY],
    extra_entries=[
        ServiceDefaults(name="legacy-service", protocol="tcp"),
        ServiceIntentions(name="*", sources=[Source(name="*", action="deny", description="${nobody}")]),
    ],
    extra_jobs=[HclJob("old-batch", HCL)],
)

VARIATIONS = {environment.name: environment for environment in (PARTITION, ENTERPRISE_FLAT, BY_HAND)}
