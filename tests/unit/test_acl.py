"""What lets Nomad's workloads into Consul."""

from dataclasses import replace

from mesh.consul.acl import AUDIENCE, WorkloadAcl, workload_acl
from mesh.model import ApiGateway, Listener, Security
from mesh.nomad import agent
from tests.unit.examples import COMMUNITY, caller, environment, service

ZERO_TRUST = replace(COMMUNITY, security=Security.ZERO_TRUST)

GATEWAY = ApiGateway("edge", listeners=[Listener(5000, "http", to="web")])


def acl() -> WorkloadAcl:
    found = workload_acl(environment(service(), caller(), platform=ZERO_TRUST, gateways=[GATEWAY]))
    assert found is not None
    return found


def test_there_is_nothing_without_acls() -> None:
    assert workload_acl(environment(service())) is None


def test_tokens_never_expire_because_nomad_cannot_renew_them() -> None:
    config = acl().auth_method_config()
    assert "MaxTokenTTL" not in config
    assert config["BoundAudiences"] == [AUDIENCE]


def test_consul_fetches_the_keys_where_nomad_listens_and_nomad_signs_for_consul() -> None:
    mesh = environment(service(), platform=ZERO_TRUST)
    assert acl().jwks_url == "https://10.0.0.4:4646/.well-known/jwks.json"
    config = agent.server_config(mesh, 0)
    assert config["advertise"]["http"] == "10.0.0.4"
    assert config["tls"]["verify_https_client"] is False
    assert config["consul"]["service_identity"]["aud"] == config["consul"]["task_identity"]["aud"] == [AUDIENCE]


def test_a_service_gets_its_own_identity_and_tasks_only_read() -> None:
    rules = {rule.name: rule for rule in acl().binding_rules}
    assert (rules["nomad-services"].bind_type, rules["nomad-services"].bind_name) == (
        "service",
        "${value.nomad_service}",
    )
    assert rules["nomad-tasks"].bind_name == "nomad-tasks-${value.nomad_namespace}"
    policies = {policy.name: policy.rules for policy in acl().policies}
    assert "write" not in policies["nomad-tasks-default"]


def test_every_role_that_a_rule_binds_to_exists() -> None:
    found = acl()
    roles = {policy.name for policy in found.policies}
    for rule in found.binding_rules:
        if rule.bind_type == "role":
            assert rule.bind_name.replace("${value.nomad_namespace}", "default") in roles


def test_a_gateway_may_register_itself_and_read_what_it_routes() -> None:
    (rule,) = [rule for rule in acl().binding_rules if rule.name == "edge"]
    assert rule.selector == 'value.nomad_job_id == "edge"'
    (policy,) = [policy for policy in acl().policies if policy.name == "edge"]
    assert 'service "edge" {\n  policy = "write"\n}' in policy.rules
    assert 'mesh = "read"' in policy.rules
    assert policy.rules.count("write") == 1
