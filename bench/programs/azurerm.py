"""One resource group, with `imports.azurerm` as the project uses it."""

# First, or Node starts without the preload.
from imports.azurerm import AzurermProvider, AzurermProviderFeatures, ResourceGroup

# isort: split
from cdktf import App, TerraformStack

app = App()
stack = TerraformStack(app, "infra")
AzurermProvider(stack, "azurerm", features=[AzurermProviderFeatures()])
ResourceGroup(stack, "group", name="rg-mesh", location="koreacentral")
app.synth()
