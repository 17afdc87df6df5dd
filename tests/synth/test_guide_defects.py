"""The guide's 45 defects: each is impossible in the output, refused before it, or kept on purpose.

``docs/guide-defects.md`` tells people the same; a test holds the two against each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, Literal

import pytest
import yaml

from mesh import ports
from mesh.boot.cloud_init import static_files, user_data
from mesh.check import check
from mesh.consul import agent, chart
from mesh.consul.entries import ExportedServices, ServiceDefaults, ServiceRouter
from mesh.consul.judge import judge
from mesh.consul.ordering import dependencies
from mesh.consul.parts import Edition as ConsulEdition
from mesh.consul.policy import entries
from mesh.consul.reading import Form
from mesh.model import Community, Environment, Flat, IngressGateway, Kubernetes, Listener, Partition, Route
from mesh.project import load
from tests.declared import ROOT
from tests.output import Synthesized, unescaped

Answer = Literal["impossible", "refused", "kept"]


def rules_of_json(entry: dict[str, Any]) -> set[str]:
    """What the judge finds in an entry that somebody hands over."""
    (judged,) = judge([entry], Form.AUTHORED, ConsulEdition.COMMUNITY, alone=True)
    return {finding.rule for finding in judged.findings}


class Output:
    """The demo's output, decoded, and the output of a variation."""

    def __init__(self, demo: Synthesized) -> None:
        self.demo = demo
        self.environment = demo.environment

    @cached_property
    def entries(self) -> dict[tuple[str, str, str | None], dict[str, Any]]:
        """Bodies of the config entries by kind, name and partition."""
        return {
            (item["kind"], item["name"], item.get("partition")): json.loads(unescaped(item["config_json"]))
            for item in self.demo.resources("policy", "consul_config_entry").values()
        }

    @cached_property
    def jobs(self) -> dict[str, Any]:
        """Nomad jobs by id."""
        found = [
            json.loads(unescaped(item["jobspec"])) for item in self.demo.resources("workloads", "nomad_job").values()
        ]
        return {job["ID"]: job for job in found}

    @cached_property
    def values(self) -> dict[str, Any]:
        """Chart values by release."""
        releases = [
            *self.demo.resources("consul-cluster", "helm_release").values(),
            *self.demo.resources("workloads", "helm_release").values(),
        ]
        return {item["name"]: json.loads(unescaped(item["values"][0])) for item in releases}

    @cached_property
    def consul_chart(self) -> dict[str, Any]:
        """Values of the Consul chart."""
        return dict(self.values["consul"])

    def staged(self, role: Literal["server", "client"], path: str) -> Any:
        """A JSON file that cloud-init stages on a VM."""
        document = json.loads(user_data(self.environment, role, 0).text.split("\n", 1)[1])
        (content,) = [file["content"] for file in document["write_files"] if file["path"] == path]
        return json.loads(content)

    def text(self) -> str:
        """Everything that was written."""
        clouds = [user_data(self.environment, role, 0).text for role in ("server", "client")]
        return "\n".join([*self.demo.texts.values(), *clouds])


Check = Callable[[Output], None]
ANSWERS: Final[dict[tuple[str, Answer], Check]] = {}


def answer(defect: str, *kinds: Answer) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        for kind in kinds:
            ANSWERS[defect, kind] = check
        return check

    return register


def rules(environment: Environment) -> set[str]:
    """Rules that an environment breaks."""
    return {finding.rule for finding in check(environment)}


def community(environment: Environment, **changes: Any) -> Environment:
    """The environment on the Community Edition, otherwise as it is."""
    platform = replace(environment.platform, edition=Community(), topology=Flat())
    return replace(environment, platform=platform, **changes)


@answer("D01", "impossible")
def _(output: Output) -> None:
    client = output.staged("client", "/etc/hashistack/consul.json")
    assert not [key for key in client if key.startswith("bootstrap")]
    assert output.staged("server", "/etc/hashistack/consul.json")["bootstrap_expect"] == 1


@answer("D02", "impossible")
def _(output: Output) -> None:
    script = static_files()["hashistack-bootstrap"]
    assert "systemctl enable consul nomad" in script
    assert script.index("systemctl restart consul") < script.index("systemctl restart nomad")
    assert "/usr/local/sbin/hashistack-bootstrap" in user_data(output.environment, "client", 0).text


@answer("D03", "impossible")
def _(output: Output) -> None:
    assert output.values["web"]["name"] == "web"
    charts = [path.read_text() for path in output.demo.outdir.rglob("templates/*.yaml")]
    names = re.findall(
        r"(?:serviceAccountName|connect-service): \{\{ (\$?values|\$?\.Values)\.name", "\n".join(charts), re.IGNORECASE
    )
    assert len(names) == 2


@answer("D04", "impossible")
def _(output: Output) -> None:
    assert "imageEnvoy" not in json.dumps(output.consul_chart)
    assert "-latest" not in output.text()


@answer("D05", "impossible", "refused")
def _(output: Output) -> None:
    assert output.entries["proxy-defaults", "global", "k8s"]["Config"] == {"protocol": "http"}
    assert output.entries["service-defaults", "web", "k8s"]["Protocol"] == "http"
    gateway = IngressGateway("ingress-gateway", listeners=[Listener(5000, "tcp", to="web")])
    assert "listener-protocol" in rules(replace(output.environment, gateways=[gateway]))


@answer("D06", "impossible")
def _(output: Output) -> None:
    (listener,) = output.entries["ingress-gateway", "ingress-gateway", "k8s"]["Listeners"]
    (gateway,) = output.consul_chart["ingressGateways"]["gateways"]
    assert [{"port": listener["Port"]}] == gateway["service"]["ports"] == [{"port": 5000}]
    opened = [
        rule
        for rule in output.demo.resources("infra", "azurerm_network_security_rule").values()
        if "5000" in (rule.get("destination_port_range"), *rule.get("destination_port_ranges", ()))
    ]
    assert [rule["network_security_group_name"] for rule in opened] == [
        "${azurerm_network_security_group.cluster-nodes_firewall_06B98785.name}"
    ]


@answer("D07", "impossible")
def _(output: Output) -> None:
    services = {service.name for service in output.environment.services}
    for kind, name, _ in output.entries:
        if kind.startswith("service-"):
            assert name in services


@answer("D08", "impossible", "refused")
def _(output: Output) -> None:
    (override,) = output.entries["service-defaults", "web", "k8s"]["UpstreamConfig"]["Overrides"]
    assert override["PassiveHealthCheck"] == {"Interval": "30s", "MaxFailures": 5, "EnforcingConsecutive5xx": 100}
    defaults = {"Defaults": {"passive_health_check": {"interval": "30s", "max_failures": 5}}}
    entry = {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "UpstreamConfig": defaults}
    assert "key-unknown" in rules_of_json(entry)


@answer("D09", "impossible", "refused")
def _(output: Output) -> None:
    for body in output.entries.values():
        assert not {"Kind", "Name", "Namespace", "Partition"} & body.keys()
    entry = ServiceDefaults(name="web-consul", namespace="default", protocol="http")
    assert "Namespace" not in entry.body()
    assert "entry-partition" in rules(replace(output.environment, extra_entries=[entry]))


@answer("D10", "impossible")
def _(output: Output) -> None:
    called = output.entries["service-defaults", "api", "default"]
    assert called["MeshGateway"] == {"Mode": "local"}
    assert "UpstreamConfig" not in called


@answer("D11", "impossible")
def _(output: Output) -> None:
    for (kind, _, _), body in output.entries.items():
        if kind == "proxy-defaults":
            assert list(body["Config"]) == ["protocol"]


@answer("D12", "impossible")
def _(output: Output) -> None:
    partitions = {partition for kind, _, partition in output.entries if kind == "proxy-defaults"}
    assert partitions == {"default", "k8s"}
    for partition in partitions:
        assert output.entries["proxy-defaults", "global", partition]["MeshGateway"] == {"Mode": "local"}


@answer("D13", "impossible")
def _(output: Output) -> None:
    for (kind, _, _), body in output.entries.items():
        if kind == "proxy-defaults":
            assert body["AccessLogs"] == body["TransparentProxy"] == {}
        if kind == "service-defaults":
            assert body["TransparentProxy"] == {}


@answer("D14", "impossible")
def _(output: Output) -> None:
    for route in output.entries["service-router", "api", "default"]["Routes"]:
        assert route["Destination"]["Namespace"] == route["Destination"]["Partition"] == "default"
    without = community(output.environment, services=[output.environment.service("api")], gateways=[])
    (router,) = [entry for entry in entries(without) if isinstance(entry, ServiceRouter)]
    assert not {"Namespace", "Partition"} & router.body()["Routes"][0]["Destination"].keys()


@answer("D15", "impossible")
def _(output: Output) -> None:
    (listener,) = output.entries["ingress-gateway", "ingress-gateway", "k8s"]["Listeners"]
    assert listener["Services"] == [{"Name": "web", "Namespace": "default", "Partition": "k8s", "Hosts": ["*"]}]


@answer("D16", "impossible", "refused")
def _(output: Output) -> None:
    plain = community(output.environment)
    assert "partition-unknown" in rules(plain)
    sound = replace(plain, services=[replace(service, export_to=[]) for service in plain.services])
    assert rules(sound) == set()
    assert not [entry for entry in entries(sound) if isinstance(entry, ExportedServices)]


@answer("D17", "impossible", "refused")
def _(output: Output) -> None:
    platform = replace(output.environment.platform, edition=Community(), topology=Partition("k8s"))
    assert "partition-needs-enterprise" in rules(replace(output.environment, platform=platform))
    assert all(partition is not None for kind, _, partition in output.entries if kind == "exported-services")


@answer("D18", "impossible", "refused")
def _(output: Output) -> None:
    matches = [route["Match"]["HTTP"] for route in output.entries["service-router", "api", "default"]["Routes"]]
    assert matches == [
        {"PathPrefix": "/v1"},
        {"PathPrefix": "/v2"},
        {"QueryParam": [{"Name": "version", "Exact": "v1"}]},
        {"QueryParam": [{"Name": "version", "Exact": "v2"}]},
    ]
    api = replace(output.environment.service("api"), routes=[Route(to="v1")])
    assert "route-matches-all" in rules(replace(output.environment, services=[api, output.environment.service("web")]))
    route = {"Match": {"HTTP": {"query_param": [{"Name": "version"}]}}, "Destination": {"Service": "api"}}
    assert "key-unknown" in rules_of_json({"Kind": "service-router", "Name": "api", "Routes": [route]})


@answer("D19", "impossible")
def _(output: Output) -> None:
    resources = output.demo.resources("policy", "consul_config_entry")
    router = resources["service-router_default_default_api"]["depends_on"]
    assert {address.split(".")[1].split("_")[0] for address in router} == {
        "proxy-defaults",
        "service-defaults",
        "service-resolver",
        "service-splitter",
    }
    waits = dependencies(entries(output.environment))
    assert sum(map(len, waits.values())) == sum(len(item.get("depends_on", ())) for item in resources.values())


@answer("D20", "impossible")
def _(output: Output) -> None:
    destinations = [route["Destination"] for route in output.entries["service-router", "api", "default"]["Routes"]]
    assert {destination["Service"] for destination in destinations} == {"api"}
    assert "goes to the service itself" in str(ServiceRouter.__doc__)


@answer("D21", "impossible")
def _(output: Output) -> None:
    subsets = output.entries["service-resolver", "api", "default"]["Subsets"]
    assert {name: subset["Filter"] for name, subset in subsets.items()} == {
        "v1": 'Service.Meta.version == "v1"',
        "v2": 'Service.Meta.version == "v2"',
    }


@answer("D22", "impossible")
def _(output: Output) -> None:
    for version in ("v1", "v2"):
        job = output.jobs[f"api-{version}"]
        (group,) = job["TaskGroups"]
        (service,) = group["Services"]
        (task,) = group["Tasks"]
        assert group["Name"] == task["Env"]["NAME"] == f"api-{version}"
        assert service["Tags"] == [version]
        assert service["Meta"] == {"version": version}
        assert task["Env"]["MESSAGE"] == f"Response from API {version}"


@answer("D23", "impossible")
def _(output: Output) -> None:
    (group,) = output.jobs["mesh-gateway"]["TaskGroups"]
    (network,) = group["Networks"]
    (port,) = network["ReservedPorts"]
    assert network["Mode"] == "bridge"
    assert group["Services"][0]["PortLabel"] == port["Label"]
    assert port["Value"] == port["To"] == 8443


@answer("D24", "impossible")
def _(output: Output) -> None:
    assert "sidecar_image" not in output.text()
    assert "envoyproxy" not in json.dumps([output.jobs["api-v1"], output.jobs["mesh-gateway"]])


@answer("D25", "impossible")
def _(output: Output) -> None:
    assert output.consul_chart["connectInject"]["default"] is False
    charts = [path.read_text() for path in output.demo.outdir.rglob("templates/workloads.yaml")]
    assert all('consul.hashicorp.com/connect-inject: "true"' in text for text in charts)
    assert charts


@answer("D26", "impossible")
def _(output: Output) -> None:
    assert "controller" not in output.consul_chart


@answer("D27", "impossible")
def _(output: Output) -> None:
    assert output.consul_chart["client"] == {"enabled": False}


@answer("D28", "impossible")
def _(output: Output) -> None:
    assert output.consul_chart["global"]["adminPartitions"] == {"enabled": True, "name": "k8s"}


@answer("D29", "impossible")
def _(output: Output) -> None:
    namespaces = output.consul_chart["connectInject"]["consulNamespaces"]
    assert namespaces == {"mirroringK8S": False, "consulDestinationNamespace": "default"}


@answer("D30", "impossible")
def _(output: Output) -> None:
    servers = output.consul_chart["externalServers"]
    config = output.staged("server", "/etc/hashistack/consul.json")
    assert (servers["httpsPort"], servers["grpcPort"]) == (config["ports"]["http"], config["ports"]["grpc"])
    production = load("production", ROOT)
    api = ports.server_api(production.platform)
    tls = chart.values(production)["externalServers"]
    listening = agent.server_config(production, 0)["ports"]
    assert (tls["httpsPort"], tls["grpcPort"]) == (api.http, api.grpc) == (listening["https"], listening["grpc_tls"])


@answer("D31", "impossible")
def _(output: Output) -> None:
    assert "k8sAuthMethodHost" not in output.text()


@answer("D32", "impossible")
def _(output: Output) -> None:
    (ingress,) = output.consul_chart["ingressGateways"]["gateways"]
    for service in (ingress["service"], output.consul_chart["meshGateway"]["service"]):
        annotations = yaml.safe_load(service["annotations"])
        assert annotations["service.beta.kubernetes.io/azure-load-balancer-internal"] == "true"


@answer("D33", "impossible")
def _(output: Output) -> None:
    assert not re.search(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=", output.text())
    assert "encrypt" not in output.staged("server", "/etc/hashistack/consul.json")


@answer("D34", "kept")
def _(output: Output) -> None:
    config = output.staged("server", "/etc/hashistack/consul.json")
    assert "tls" not in config
    assert not [key for key in config if key.startswith("verify_")]
    production = agent.server_config(load("production", ROOT), 0)
    assert production["tls"]["defaults"]["verify_incoming"] is True
    assert production["acl"]["default_policy"] == "deny"


@answer("D35", "impossible")
def _(output: Output) -> None:
    release = output.demo.resources("consul-cluster", "helm_release")["consul"]
    assert release["version"] == "1.9.11"
    assert "image" not in output.consul_chart["global"]


@answer("D36", "impossible")
def _(output: Output) -> None:
    assert "Partition" not in json.dumps(
        [group.get("Consul") for job in output.jobs.values() for group in job["TaskGroups"]]
    )
    assert "partition" not in output.staged("client", "/etc/hashistack/consul.json")


@answer("D37", "impossible")
def _(output: Output) -> None:
    document = json.loads(user_data(output.environment, "client", 0).text.split("\n", 1)[1])
    paths = {file["path"] for file in document["write_files"]}
    assert {"/etc/modules-load.d/hashistack.conf", "/etc/sysctl.d/60-hashistack-bridge.conf"} <= paths
    assert "/proc/sys" not in output.text()


@answer("D38", "impossible")
def _(output: Output) -> None:
    assert output.values["web"]["upstreams"] == "api.svc.default.ns.default.ap:9091"
    from mesh.kubernetes.services import release_values

    plain = community(output.environment)
    assert release_values(plain, plain.service("web"))["upstreams"] == "api:9091"


@answer("D39", "impossible", "refused")
def _(output: Output) -> None:
    assert output.demo.resources("workloads", "helm_release")["web"]["namespace"] == "demo"
    web = replace(output.environment.service("web"), runs_on=Kubernetes(namespace="consul"))
    assert "namespace-reserved" in rules(replace(output.environment, services=[output.environment.service("api"), web]))


@answer("D40", "impossible")
def _(output: Output) -> None:
    (provider,) = output.demo.stacks["policy"]["provider"]["consul"]
    assert provider == {"address": "10.0.0.4:8500", "scheme": "http", "datacenter": "dc1"}
    versions = output.demo.stacks["policy"]["terraform"]["required_providers"]["consul"]
    assert versions["version"] == "2.22.1"


@answer("D41", "impossible")
def _(output: Output) -> None:
    from mesh.consul.entries.common import MeshGateway

    explained = str(MeshGateway.__doc__)
    assert "own side's gateway" in explained
    assert "destination's" in explained
    assert output.entries["proxy-defaults", "global", "k8s"]["MeshGateway"] == {"Mode": "local"}


@answer("D42", "kept")
def _(output: Output) -> None:
    assert output.environment.service("web").export_to == ["default"]
    (exported,) = output.entries["exported-services", "k8s", "k8s"]["Services"]
    assert exported == {"Name": "web", "Namespace": "default", "Consumers": [{"Partition": "default"}]}


@answer("D43", "impossible")
def _(output: Output) -> None:
    allowed = {
        name: [source["Name"] for source in body["Sources"]]
        for (kind, name, _), body in output.entries.items()
        if kind == "service-intentions"
    }
    assert allowed == {"api": ["web"], "web": ["ingress-gateway"]}
    assert output.staged("server", "/etc/hashistack/consul.json")["default_intention_policy"] == "deny"


@answer("D44", "kept")
def _(output: Output) -> None:
    assert "deprecated" in str(IngressGateway.__doc__)
    assert isinstance(output.environment.gateways[0], IngressGateway)
    for name in ("community", "production"):
        assert not [item for item in load(name, ROOT).gateways if isinstance(item, IngressGateway)]


@answer("D45", "impossible")
def _(output: Output) -> None:
    assert "packages+=(docker.io)" in static_files()["hashistack-bootstrap"]
    assert "/etc/docker/daemon.json" in user_data(output.environment, "client", 0).text


@pytest.fixture(scope="module")
def output(demo: Synthesized) -> Output:
    return Output(demo)


@pytest.mark.parametrize(("defect", "kind"), ANSWERS, ids=lambda value: value)
def test_the_defect_has_its_answer(output: Output, defect: str, kind: Answer) -> None:
    ANSWERS[defect, kind](output)


def test_every_defect_has_an_answer_and_people_are_told_the_same() -> None:
    answers: dict[str, list[str]] = {}
    for defect, kind in ANSWERS:
        answers.setdefault(defect, []).append(kind)
    assert sorted(answers) == [f"D{number:02}" for number in range(1, 46)]
    text = (ROOT / "docs" / "guide-defects.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (D\d\d) \|.*?\| ((?:impossible|refused|kept)(?:, \w+)?) \|", text, re.MULTILINE))
    assert told == {defect: ", ".join(kinds) for defect, kinds in answers.items()}
