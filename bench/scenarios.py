"""What is measured. Add a line here; write a program under `programs` only when `main.py` cannot show it."""

from typing import Final

from bench.harness import Scenario, cold_jsii_cache, python

_WHOLE_INDEX: Final = {"MESH_LAZY_NODE": "0"}

SIZES: Final = (10, 100, 1000)
"""Numbers of generated services."""

FLOOR: Final = Scenario("floor: one stack, no provider", python("-m", "bench.programs.floor"))

SCENARIOS: Final = (
    FLOOR,
    Scenario("demo: warm", python("main.py"), {"MESH_ENVIRONMENT": "demo"}),
    Scenario("demo: cold jsii cache", python("main.py"), {"MESH_ENVIRONMENT": "demo"}, fresh=cold_jsii_cache),
    Scenario("production: warm", python("main.py"), {"MESH_ENVIRONMENT": "production"}),
    Scenario("demo: mesh check", python("-m", "mesh.cli", "check", "demo")),
    Scenario("demo: policy stack alone", python("-m", "bench.programs.policy_stack")),
    *(Scenario(f"services: {size}", python("-m", "bench.programs.generated", str(size)), size=size) for size in SIZES),
    *(Scenario(f"core alone: {size}", python("-m", "bench.programs.core", str(size)), size=size) for size in SIZES),
    Scenario("azurerm: eager", python("-m", "bench.programs.azurerm_eager"), _WHOLE_INDEX),
    Scenario("azurerm: mounted", python("-m", "bench.programs.azurerm"), _WHOLE_INDEX),
    Scenario("azurerm: mounted, lazy index", python("-m", "bench.programs.azurerm")),
    Scenario("azurerm: mounted, lazy index, cold cache", python("-m", "bench.programs.azurerm"), fresh=cold_jsii_cache),
)
