"""The least that a synthesis can be: one stack, no provider. What others cost is told as a multiple of this."""

from cdktf import App, TerraformStack

app = App()
TerraformStack(app, "floor")
app.synth()
