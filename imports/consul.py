"""Consul resources that the project uses, and no others: one line per class."""

# mypy: implicit-reexport
# ruff: noqa: F401

from cdktf_cdktf_provider_consul.acl_auth_method import AclAuthMethod
from cdktf_cdktf_provider_consul.acl_binding_rule import AclBindingRule
from cdktf_cdktf_provider_consul.acl_policy import AclPolicy
from cdktf_cdktf_provider_consul.acl_role import AclRole
from cdktf_cdktf_provider_consul.admin_partition import AdminPartition
from cdktf_cdktf_provider_consul.config_entry import ConfigEntry
from cdktf_cdktf_provider_consul.data_consul_autopilot_health import DataConsulAutopilotHealth
from cdktf_cdktf_provider_consul.provider import ConsulProvider
