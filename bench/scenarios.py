"""What is measured. Add a line here; write a program under `programs` only when `main.py` cannot show it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.generated import environment
from bench.harness import Scenario, cold_jsii_cache, python

_WHOLE_INDEX: Final = {"MESH_LAZY_NODE": "0"}

SIZES: Final = (10, 100, 1000)
"""Numbers of generated services."""

ENTRIES: Final = 5000


@contextmanager
def entries_file() -> Iterator[Mapping[str, str]]:
    """A file with config entries as Consul's API takes them, one per line."""
    from mesh.consul.policy import entries

    with TemporaryDirectory() as folder:
        path = Path(folder) / "entries.json"
        lines = (json.dumps(entry.written()) for entry in islice(entries(environment(ENTRIES // 3)), ENTRIES))
        path.write_text("\n".join(lines), encoding="utf-8")
        yield {"BENCH_ENTRIES": str(path)}


FLOOR: Final = Scenario("floor: one stack, no provider", python("-m", "bench.programs.floor"))

SCENARIOS: Final = (
    FLOOR,
    Scenario("demo: warm", python("main.py"), {"MESH_ENVIRONMENT": "demo"}),
    Scenario("demo: cold jsii cache", python("main.py"), {"MESH_ENVIRONMENT": "demo"}, fresh=cold_jsii_cache),
    Scenario("production: warm", python("main.py"), {"MESH_ENVIRONMENT": "production"}),
    Scenario("demo: mesh check", python("-m", "mesh.cli", "check", "demo")),
    Scenario(f"mesh entries check: {ENTRIES}", python("-m", "bench.programs.check_entries"), fresh=entries_file),
    Scenario("demo: policy stack alone", python("-m", "bench.programs.policy_stack")),
    *(Scenario(f"services: {size}", python("-m", "bench.programs.generated", str(size)), size=size) for size in SIZES),
    *(Scenario(f"core alone: {size}", python("-m", "bench.programs.core", str(size)), size=size) for size in SIZES),
    Scenario("azurerm: eager", python("-m", "bench.programs.azurerm_eager"), _WHOLE_INDEX),
    Scenario("azurerm: mounted", python("-m", "bench.programs.azurerm"), _WHOLE_INDEX),
    Scenario("azurerm: mounted, lazy index", python("-m", "bench.programs.azurerm")),
    Scenario("azurerm: mounted, lazy index, cold cache", python("-m", "bench.programs.azurerm"), fresh=cold_jsii_cache),
)
