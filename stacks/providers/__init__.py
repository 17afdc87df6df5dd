"""Providers of the stacks. Addresses come from the declaration, credentials from the environment of Terraform.

Ids of constructs have an underscore, which no name of a service has: in a stack both live side by side.
"""
