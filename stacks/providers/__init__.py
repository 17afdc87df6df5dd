"""Providers of the stacks. Addresses come from the declaration, credentials from the environment of Terraform.

Ids of constructs have an underscore, which no name of a service has: in a stack both live side by side.
"""

from typing import Final

PEER: Final = "peer"
"""Alias of the providers of the peered cluster, and how the ids begin of what is in it."""
