"""Put a binding package in place without running its `__init__`.

The `__init__` of a generated package imports every module of it: 1 500 for azurerm, six seconds
and 400 MB, whichever of them is wanted. A mounted package has run nothing. The import system finds
its sub-modules through `__path__`, and each of them registers the JavaScript side on first use.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def mount(package: str) -> bool:
    """Make `from <package>.<module> import X` load that one module; say whether this call did it.

    A package that is already loaded stays as it is: two copies of its classes would be worse than
    a slow one. A package that is not installed is left to fail where it is used, with Python's own message.
    """
    spec = None if package in sys.modules else find_spec(package)
    if spec is None:
        return False
    module = module_from_spec(spec)  # sets `__path__` and `__spec__`; runs nothing

    def load(name: str) -> ModuleType:
        """PEP 562: `<package>.<module>` goes on working, one module at a time."""
        full = f"{package}.{name}"
        try:
            return import_module(full)
        except ModuleNotFoundError as error:
            if error.name != full:  # the module is there, and something that it needs is not
                raise
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    module.__dict__["__getattr__"] = load
    sys.modules[package] = module
    return True
