"""Take the package index out of Pipfile.lock: hashes say what a package is, pip knows where it comes from."""

import json
from pathlib import Path

LOCK = Path(__file__).parent.parent / "Pipfile.lock"


def main() -> None:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    lock["_meta"]["sources"] = []  # empty, not gone: `pipenv sync` reads the key
    for name, section in lock.items():
        if name != "_meta":
            for package in section.values():
                package.pop("index", None)
    LOCK.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
