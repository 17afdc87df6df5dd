"""ACL objects of Nomad's workloads as Terraform resources."""

from cdktf import Fn
from constructs import Construct

from imports.consul import AclAuthMethod, AclBindingRule, AclPolicy, AclRole
from mesh.consul.acl import AUTH_METHOD, WorkloadAcl
from mesh.terraform import literal


class WorkloadAccess(Construct):
    """Auth method, policies, roles and binding rules; no token.

    Args:
        acl: What to create.
        jwks_ca: Certificate, in PEM form, of the CA that signed Nomad's own certificate. It may be a token of CDKTF.
    """

    def __init__(self, scope: Construct, id_: str, *, acl: WorkloadAcl, jwks_ca: str) -> None:
        super().__init__(scope, id_)
        method = AclAuthMethod(
            self,
            "auth-method",
            name=AUTH_METHOD,
            type="jwt",
            token_locality="local",  # noqa: S106  no password: where the tokens are valid
            display_name=AUTH_METHOD,
            description="Identities of Nomad's workloads",
            config_json=Fn.jsonencode({**acl.auth_method_config(), "JWKSCACert": jwks_ca}),
        )
        roles = []
        for item in acl.policies:
            policy = AclPolicy(
                self,
                f"policy-{item.name}",
                name=item.name,
                description=item.description,
                rules=literal(item.rules),
            )
            role = AclRole(
                self, f"role-{item.name}", name=item.name, description=item.description, policies=[policy.id]
            )
            roles.append(role)
        for rule in acl.binding_rules:
            AclBindingRule(
                self,
                f"rule-{rule.name}",
                auth_method=method.name,
                description=rule.description,
                bind_type=rule.bind_type,
                bind_name=literal(rule.bind_name),
                selector=literal(rule.selector),
                depends_on=roles,
            )
