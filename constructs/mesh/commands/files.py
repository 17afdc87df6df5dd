"""Values in JSON files that a command is given."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mesh.errors import UnreadableError
from mesh.json_lines import JsonError, read_objects

STANDARD_INPUT: Final = "-"


def read_values(files: Sequence[str]) -> list[Any]:
    """Every value in the files, in their order.

    Raises:
        UnreadableError: with every file that cannot be read.
    """
    values: list[Any] = []
    errors: list[str] = []
    for file in files:
        name = "standard input" if file == STANDARD_INPUT else file
        try:
            data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
            values += read_objects(data.decode("utf-8-sig"))
        except OSError as error:
            errors.append(f"{name}: {error.strerror or error}")
        except UnicodeDecodeError as error:
            errors.append(f"{name}: it is no UTF-8 text (byte {error.start})")
        except (JsonError, ValueError) as error:  # ValueError: a path with a null character
            errors.append(f"{name}: {error}")
    if errors:
        raise UnreadableError("\nerror: ".join(errors))
    return values
