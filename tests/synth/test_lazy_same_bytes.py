"""Loading bindings lazily in Node is a matter of time only: what is synthesized stays the same, byte for byte."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from imports._node_index import SWITCH

ROOT = Path(__file__).resolve().parents[2]

APP = """
import imports
from cdktf import App, Fn, TerraformOutput, TerraformStack

from imports import azurerm as az
from imports.consul import ConfigEntry, ConsulProvider
from imports.helm import HelmProvider, HelmProviderKubernetes, Release, ReleaseSetWo
from imports.nomad import Job, NomadProvider

app = App()
infra = TerraformStack(app, "infra")
az.AzurermProvider(infra, "azurerm", features=[az.AzurermProviderFeatures()])
group = az.ResourceGroup(infra, "group", name="rg", location="koreacentral")
az.LinuxVirtualMachine(
    infra,
    "server",
    name="server",
    location=group.location,
    resource_group_name=group.name,
    network_interface_ids=["nic"],
    size="Standard_D2s_v5",
    os_disk=az.LinuxVirtualMachineOsDisk(caching="ReadWrite", storage_account_type="Premium_LRS"),
    identity=az.LinuxVirtualMachineIdentity(type="SystemAssigned"),
)
az.KubernetesCluster(
    infra,
    "cluster",
    name="aks",
    location=group.location,
    resource_group_name=group.name,
    identity=az.KubernetesClusterIdentity(type="SystemAssigned"),
    default_node_pool=az.KubernetesClusterDefaultNodePool(
        name="system",
        vm_size="Standard_D4s_v5",
        upgrade_settings=az.KubernetesClusterDefaultNodePoolUpgradeSettings(max_surge="10%"),
    ),
)
found = az.DataAzurermKubernetesCluster(infra, "found", name="aks", resource_group_name=group.name)
credentials = found.kube_config.get(0)  # an object that Node makes, of a class that Python has to know
HelmProvider(infra, "helm", kubernetes=HelmProviderKubernetes(host=credentials.host))
Release(infra, "consul", name="consul", chart="consul", set_wo=[ReleaseSetWo(name="a", value="b")], set_wo_revision=1)

policy = TerraformStack(app, "policy")
ConsulProvider(policy, "consul")
ConfigEntry(policy, "entry", kind="service-defaults", name="api", config_json=Fn.jsonencode({"Protocol": "http"}))
NomadProvider(policy, "nomad", address="http://localhost:4646")
TerraformOutput(policy, "allocations", value=Job(policy, "job", jobspec="{}", json=True).allocation_ids)
app.synth()
"""

SPY = r"""
process.on("exit", () => {
  const files = Object.keys(require.cache).filter((file) => /provider-/.test(file));
  if (files.length) require("node:fs").writeFileSync(process.env.SPY, files.join("\n"));
});
"""

CHANGE = r"""
// Add a line to one index, on its way from the disk.
const fs = require("node:fs");
const read = fs.readFileSync;
fs.readFileSync = (file, ...rest) => {
  const text = read(file, ...rest);
  return /provider-consul.lib.index\.js$/.test(file) ? String(text).replace("// gen", "0;\n// gen") : text;
};
"""


@dataclass(frozen=True)
class Run:
    """What came out, and which files of the bindings Node had loaded by its end."""

    files: dict[str, bytes]
    loaded: list[str]

    def of(self, provider: str) -> int:
        """Number of loaded files of a binding."""
        return sum(f"provider-{provider}" in file for file in self.loaded)


Synthesize = Callable[..., Run]


@pytest.fixture(scope="module")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Run the app in a process of its own, with a spy in Node."""

    def run(switch: str, preload: str = "") -> Run:
        folder = tmp_path_factory.mktemp("a folder")
        spy, out, loaded = folder / "spy.cjs", folder / "out", folder / "loaded"
        spy.write_text(preload + SPY)
        changes = {SWITCH: switch, "NODE_OPTIONS": f'--require="{spy}"', "CDKTF_OUTDIR": str(out), "SPY": str(loaded)}
        done = subprocess.run(
            [sys.executable, "-c", APP],
            cwd=ROOT,
            env={**os.environ, **changes},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()}
        return Run(files, loaded.read_text().splitlines())

    return run


@pytest.fixture(scope="module")
def ordinary(synthesize: Synthesize) -> Run:
    return synthesize("0")


def test_lazy_and_ordinary_give_the_same_bytes(synthesize: Synthesize, ordinary: Run) -> None:
    lazy = synthesize("1")
    assert set(lazy.files) == {"manifest.json", "stacks/infra/cdk.tf.json", "stacks/policy/cdk.tf.json"}
    assert lazy.files == ordinary.files
    assert ordinary.of("azurerm") > 1500
    assert 0 < lazy.of("azurerm") < 60
    assert 0 < lazy.of("consul") < 10


def test_an_index_of_another_form_is_loaded_whole(synthesize: Synthesize, ordinary: Run) -> None:
    changed = synthesize("1", CHANGE)
    assert changed.files == ordinary.files
    assert changed.of("consul") == ordinary.of("consul") > 58
    assert 0 < changed.of("azurerm") < 60
