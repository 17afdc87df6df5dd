"""Check synthesized stacks with the real Terraform core, offline and without any provider.

`shadow` rewrites a stack, as read from its `cdk.tf.json`, so that every resource and data source becomes Terraform's
built-in `terraform_data`, with the arguments as its `input`. Then the real Terraform reads, validates, plans and
applies it::

    stack = json.loads(text)
    assert problems(stack, text) == []
    terraform = Terraform(directory)
    terraform.write(shadow(stack))
    terraform.init()
    terraform.validate()
    plan = terraform.plan({"consul_license": "..."})
    assert evaluated(plan)["consul_config_entry.web"]["config_json"] == expected

What this proves
    Terraform can read the stack: its JSON, every template with its escapes, functions and their arguments.
    Every reference, `depends_on`, `moved`, variable, output and remote state names something that exists.
    There is no cycle, not even through a provider's configuration.
    Ephemeral and sensitive values go only where they may; required variables have values; the version fits.
    The arguments that Terraform hands to a provider, byte for byte: `evaluated` returns them for comparison.

What it does not prove
    Anything that only a provider knows: the names, nesting and types of arguments and attributes, which of them are
    required, sensitive or force a replacement, and whether a remote system accepts them. An attribute that is neither
    an argument nor among the canned values becomes some string, whatever path follows it.
    That an edge is missing: two objects that should be ordered and are not look fine to Terraform.
    Whether a provider's version or a chart exists; `required_providers` goes.
    The values of write-only arguments and of provider configurations: their references are checked, but they lie in
    local values, which no plan shows.

What is left out is listed by `left_out`, with reasons: the content of dynamic blocks, provisioners, and the verdict
of conditions that judge what only a provider knows (the condition is still evaluated). Modules are refused.
"""

from tests.shadow.canned import CANNED, Canned, Sensitive
from tests.shadow.declarations import ShadowError
from tests.shadow.plans import evaluated, pending
from tests.shadow.problems import duplicate_keys, problems
from tests.shadow.rewrite import left_out, shadow
from tests.shadow.terraform import Diagnostic, Terraform, TerraformError, find_terraform

__all__ = [
    "CANNED",
    "Canned",
    "Diagnostic",
    "Sensitive",
    "ShadowError",
    "Terraform",
    "TerraformError",
    "duplicate_keys",
    "evaluated",
    "find_terraform",
    "left_out",
    "pending",
    "problems",
    "shadow",
]
