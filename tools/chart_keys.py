"""Write down the keys of a Helm chart with the types of their defaults: chart_keys.py values.yaml > keys.json.

The Consul chart has no schema and ignores what it does not know, so a test holds our values against these keys. A type
is JSON's name; ``null`` says that the chart takes anything there. A map is written as its keys, unless it is empty
(``object``): then the chart takes any. A list is written as ``array``. The chart's "-" stands for a boolean that
another key gives.
"""

import json
import sys
from pathlib import Path

import yaml

Type = str | dict[str, "Type"]

NAMES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", type(None): "null"}


def keys(value: object) -> Type:
    """The keys of ``value``, nested, with the JSON type of what is no map."""
    if isinstance(value, dict):
        return {str(key): keys(item) for key, item in value.items()} or "object"
    return "boolean" if value == "-" else NAMES[type(value)]


def main() -> int:
    match sys.argv[1:]:
        case ["-h" | "--help"]:
            print(__doc__)
            return 0
        case [file]:
            values = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        case _:
            print("usage: chart_keys.py values.yaml", file=sys.stderr)
            return 2
    print(json.dumps(keys(values), indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
