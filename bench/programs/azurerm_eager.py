"""As `azurerm`, when the whole binding package was loaded first: what it would be without `imports`."""

from importlib import import_module
from runpy import run_module

import_module("cdktf_cdktf_provider_azurerm")
run_module("bench.programs.azurerm")
