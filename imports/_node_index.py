"""Have Node load a binding's modules one by one, as `_lazy` does for Python.

jsii runs the bindings in a Node process of its own, which starts when `cdktf` (or `constructs`) is
first imported and which `require`s the index of each binding it is told of: another 1 500 files for
azurerm. `lazy_index.cjs` makes that index lazy. Node takes it from NODE_OPTIONS, read once, at its
start; so this has to happen before. Too late is never wrong, only slow.
"""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

SWITCH: Final = "MESH_LAZY_NODE"
"""Environment variable: `0` loads every index the ordinary way."""

PRELOAD: Final = Path(__file__).with_name("lazy_index.cjs")


def preload(environ: MutableMapping[str, str] = os.environ, script: Path = PRELOAD) -> bool:
    """Add the script to NODE_OPTIONS, once; say whether this process's Node will run it.

    Child processes inherit the variable. That is harmless: outside the bindings the script changes
    nothing, and it looks at the switch itself.
    """
    if environ.get(SWITCH) == "0" or not script.is_file():
        return False
    # Node splits NODE_OPTIONS at spaces outside double quotes, and takes `\` inside them as an escape.
    quoted = str(script).replace("\\", "\\\\").replace('"', '\\"')
    option = f'--require="{quoted}"'
    options = environ.get("NODE_OPTIONS", "")
    if option in options:  # inherited: this process's Node had it from its start
        return True
    environ["NODE_OPTIONS"] = f"{options} {option}".lstrip()
    return "constructs._jsii" not in sys.modules  # the first package that every jsii program loads
