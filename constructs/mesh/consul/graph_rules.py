"""Rules about entries that refer to each other; :mod:`mesh.consul.graph` applies them."""

from typing import Final

from mesh.consul.examples import HTTP
from mesh.rules import refused, stricter
from mesh.shapes import JsonObject

_STATE: Final = "consul@1.22.7 agent/consul/state/config_entry.go"
_COMPILE: Final = "consul@1.22.7 agent/consul/discoverychain/compile.go"
_BINDING: Final = "consul@1.22.7 agent/consul/gateways/controller_gateways.go"

_SUBSETS: Final[JsonObject] = {
    "Kind": "service-resolver",
    "Name": "api",
    "Subsets": {"v1": {"Filter": 'Service.Meta.version == "v1"'}},
}


def _defaults(name: str, protocol: str, **more: object) -> JsonObject:
    return {"Kind": "service-defaults", "Name": name, "Protocol": protocol, **more}


def _splitter(name: str, *splits: JsonObject) -> JsonObject:
    return {"Kind": "service-splitter", "Name": name, "Splits": list(splits)}


def _redirect(name: str, service: str, **more: object) -> JsonObject:
    return {"Kind": "service-resolver", "Name": name, "Redirect": {"Service": service, **more}}


def _export(*names: str) -> JsonObject:
    services = [{"Name": name, "Consumers": [{"Peer": "aks"}]} for name in names]
    return {"Kind": "exported-services", "Name": "default", "Services": services}


def _ingress(protocol: str, service: str = "web") -> JsonObject:
    listener = {"Port": 8080, "Protocol": protocol, "Services": [{"Name": service}]}
    return {"Kind": "ingress-gateway", "Name": "ingress", "Listeners": [listener]}


def _jwt(provider: str) -> JsonObject:
    requirement = {"Providers": [{"Name": provider}]}
    source = {"Name": "web", "Action": "allow"}
    return {"Kind": "service-intentions", "Name": "api", "JWT": requirement, "Sources": [source]}


_PROVIDER: Final[JsonObject] = {
    "Kind": "jwt-provider",
    "Name": "okta",
    "JSONWebKeySet": {"Local": {"Filename": "/etc/keys"}},
    "ClockSkewSeconds": 30,
}

_GATEWAY: Final[JsonObject] = {
    "Kind": "api-gateway",
    "Name": "gateway",
    "Listeners": [
        {"Name": "http", "Port": 8080, "Protocol": "http"},
        {"Name": "tcp", "Port": 9000, "Protocol": "tcp"},
    ],
}


def _route(section: str, kind: str = "http-route", service: str = "web") -> JsonObject:
    parent = {"Kind": "api-gateway", "Name": "gateway", "SectionName": section}
    if kind == "tcp-route":
        return {"Kind": kind, "Name": "route", "Parents": [parent], "Services": [{"Name": service}]}
    rule = {"Services": [{"Name": service, "Weight": 1}]}
    return {"Kind": kind, "Name": "route", "Parents": [parent], "Rules": [rule]}


SERVICE_SPELT_TWICE: Final = refused(
    "service-spelt-twice",
    what="One service is written with different capitals.",
    why="Consul finds entries without regard to capitals, and compares the names in a chain with regard to them. So it "
    'takes B and b for one service here and for two there, and refuses some of what is said of it: discovery chain "B" '
    'uses a protocol "tcp" that does not permit advanced routing or splitting behavior. An intention does not allow '
    "a caller that is spelt otherwise.",
    source="consul@1.22.7 agent/consul/state/config_entry_schema.go, indexFromConfigEntry; config_entry.go, "
    "readDiscoveryChainConfigEntriesTxn; agent/xds/rbac.go, makeSpiffePattern",
    fix="write the name in the same way everywhere, best in lower case",
    example=[
        _defaults("b", "http"),
        _splitter("b", {"Weight": 100, "Service": "b"}),
        {"Kind": "service-intentions", "Name": "B", "Sources": [{"Name": "web", "Action": "allow"}]},
    ],
    instead=[
        _defaults("b", "http"),
        _splitter("b", {"Weight": 100, "Service": "b"}),
        {"Kind": "service-intentions", "Name": "b", "Sources": [{"Name": "web", "Action": "allow"}]},
    ],
)

SUBSET_MISSING: Final = refused(
    "subset-missing",
    what="An entry refers to a subset that the service's resolver does not have.",
    why='Consul refuses it: service "api" does not have a subset named "v3". So it does when the subset or the '
    "resolver is removed while something refers to it.",
    source=f"{_COMPILE}, getResolverNode",
    fix="add the subset to the resolver, or refer to one that it has",
    example=[HTTP, _SUBSETS, _splitter("api", {"Weight": 100, "ServiceSubset": "v3"})],
    instead=[HTTP, _SUBSETS, _splitter("api", {"Weight": 100, "ServiceSubset": "v1"})],
)

PROTOCOL_MIXED: Final = refused(
    "protocol-mixed",
    what="Services of different protocols are in one discovery chain.",
    why='Consul refuses it: discovery chain "api" uses inconsistent protocols; service "b" has "grpc" which is not '
    '"http".',
    source=f"{_COMPILE}, recordProtocol",
    fix="give the services the same protocol, or take the other one out of the chain",
    example=[HTTP, _defaults("b", "grpc"), _splitter("a", {"Weight": 50}, {"Weight": 50, "Service": "b"})],
    instead=[HTTP, _defaults("b", "http"), _splitter("a", {"Weight": 50}, {"Weight": 50, "Service": "b"})],
)

PROTOCOL_NOT_HTTP: Final = refused(
    "protocol-not-http",
    what="A service is routed or split that does not speak HTTP.",
    why='Consul refuses it: discovery chain "api" uses a protocol "tcp" that does not permit advanced routing or '
    "splitting behavior.",
    source=f"{_COMPILE}, compile",
    fix="set Protocol in the service's service-defaults, or protocol in proxy-defaults, to http, http2 or grpc",
    example=[_splitter("api", {"Weight": 100})],
    instead=[_defaults("api", "http"), _splitter("api", {"Weight": 100})],
)

SPLIT_CIRCLE: Final = refused(
    "split-circle",
    what="Splitters send to each other in a circle.",
    why="Consul refuses it: detected circular reference.",
    source=f"{_COMPILE}, detectCircularReferences",
    fix="break the circle",
    example=[
        HTTP,
        _splitter("a", {"Weight": 50}, {"Weight": 50, "Service": "b"}),
        _splitter("b", {"Weight": 50}, {"Weight": 50, "Service": "a"}),
    ],
    instead=[HTTP, _splitter("a", {"Weight": 50}, {"Weight": 50, "Service": "b"}), _splitter("b", {"Weight": 100})],
)

SPLIT_HEADERS_CRASH: Final = refused(
    "split-headers-crash",
    what="A split leads to another splitter, and their header changes cannot be merged: of requests, the other "
    "splitter adds (or sets) headers, and the split changes some without adding (or setting) any; of answers, the "
    "reverse.",
    why="Consul's server panics (assignment to entry in nil map) when it compiles the chain, and again when it starts.",
    source="consul@1.22.7 agent/structs/config_entry_discoverychain.go, MergeHTTPHeaderModifiers",
    fix="say Add in both or in none, and Set in both or in none; or change headers in one of the splitters only",
    example=[
        HTTP,
        _splitter("b", {"Weight": 100, "RequestHeaders": {"Add": {"x-b": "1"}}}),
        _splitter("a", {"Weight": 100, "Service": "b", "RequestHeaders": {"Set": {"x-a": "1"}}}),
    ],
    instead=[
        HTTP,
        _splitter("b", {"Weight": 100, "RequestHeaders": {"Set": {"x-b": "1"}}}),
        _splitter("a", {"Weight": 100, "Service": "b", "RequestHeaders": {"Set": {"x-a": "1"}}}),
    ],
    judged=False,
)

REDIRECT_CIRCLE: Final = refused(
    "redirect-circle",
    what="Resolvers redirect to each other in a circle.",
    why="Consul refuses it: detected circular resolver redirect.",
    source=f"{_COMPILE}, getResolverNode",
    fix="break the circle",
    example=[_redirect("a", "b"), _redirect("b", "a")],
    instead=[_redirect("a", "b"), _redirect("b", "c")],
)

EXTERNAL_SNI: Final = refused(
    "external-sni",
    what="A service with an ExternalSNI has a resolver with subsets, a redirect or failover.",
    why='Consul refuses it: service "api" has an external SNI set; cannot define subsets for external services.',
    source=f"{_COMPILE}, getResolverNode",
    fix="remove ExternalSNI, or that part of the resolver",
    example=[_defaults("api", "tcp", ExternalSNI="api.example.com"), _SUBSETS],
    instead=[_defaults("api", "tcp"), _SUBSETS],
)

INGRESS_PROTOCOL: Final = refused(
    "ingress-protocol",
    what="A listener of an ingress gateway has another protocol than a service behind it.",
    why='Consul refuses it: service "web" has protocol "tcp", which does not match defined listener protocol "http".',
    source=f"{_STATE}, validateProposedConfigEntryInServiceGraph",
    fix="give both the same protocol",
    example=[_ingress("http")],
    instead=[HTTP, _ingress("http")],
)

GATEWAY_CLASH: Final = refused(
    "gateway-name-clash",
    what="An ingress gateway and a terminating gateway have the same name.",
    why='Consul refuses it: a "terminating-gateway" config entry with that name already exists.',
    source=f"{_STATE}, checkGatewayClash",
    fix="rename one of them",
    example=[
        {
            "Kind": "ingress-gateway",
            "Name": "edge",
            "Listeners": [{"Port": 8080, "Protocol": "tcp", "Services": [{"Name": "db"}]}],
        },
        {"Kind": "terminating-gateway", "Name": "edge", "Services": [{"Name": "billing"}]},
    ],
    instead=[
        {
            "Kind": "ingress-gateway",
            "Name": "edge",
            "Listeners": [{"Port": 8080, "Protocol": "tcp", "Services": [{"Name": "db"}]}],
        },
        {"Kind": "terminating-gateway", "Name": "exit", "Services": [{"Name": "billing"}]},
    ],
)

INTENTION_PROTOCOL: Final = refused(
    "intention-protocol",
    what="An intention has permissions for single requests, and its service does not speak HTTP.",
    why='Consul refuses it: service "db" has protocol "tcp", which is incompatible with L7 intentions permissions.',
    source=f"{_STATE}, validateProposedConfigEntryInServiceGraph",
    fix="use Action, or make it an HTTP service",
    example=[
        {
            "Kind": "service-intentions",
            "Name": "db",
            "Sources": [{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]}],
        },
    ],
    instead=[
        HTTP,
        {
            "Kind": "service-intentions",
            "Name": "db",
            "Sources": [{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]}],
        },
    ],
)

JWT_PROVIDER_MISSING: Final = refused(
    "jwt-provider-missing",
    what="An intention refers to a JWT provider that does not exist.",
    why="Consul refuses it: Referenced JWT Provider does not exist. It refuses to delete one in use, too.",
    source=f"{_STATE}, validateJWTProvidersExist",
    fix="add a jwt-provider of that name",
    example=[_jwt("okta")],
    instead=[_PROVIDER, _jwt("okta")],
)

PERMISSIVE_NOT_ALLOWED: Final = refused(
    "permissive-not-allowed",
    what="MutualTLSMode is permissive, and the mesh entry does not allow it.",
    why="Consul refuses it: cannot set MutualTLSMode=permissive because AllowEnablingPermissiveMutualTLS=false in the "
    "mesh config entry.",
    source=f"{_STATE}, checkMutualTLSMode",
    fix="set AllowEnablingPermissiveMutualTLS in the mesh entry, or leave MutualTLSMode strict",
    example=[_defaults("web", "http", MutualTLSMode="permissive")],
    instead=[
        {"Kind": "mesh", "Name": "mesh", "AllowEnablingPermissiveMutualTLS": True},
        _defaults("web", "http", MutualTLSMode="permissive"),
    ],
)

EXPORT_UNSAFE: Final = refused(
    "export-unsafe",
    what="A service is exported to a peer, and its chain leaves the datacenter, the peering or the partition.",
    why='Consul refuses it: peer exported service "web" contains cross-datacenter resolver redirect.',
    source=f"{_STATE}, validateChainIsPeerExportSafe",
    fix="do not export the service, or keep its redirects and failovers inside",
    example=[_redirect("web", "web", Datacenter="dc2"), _export("web")],
    instead=[_redirect("web", "api"), _export("web")],
)

WRITE_CIRCLE: Final = refused(
    "write-circle",
    what="Resolvers need each other's subsets, so that none of them can be written first.",
    why="Consul refuses each of them while the other is not there.",
    source=f"{_COMPILE}, getResolverNode",
    fix="write one of them without the reference first, and add it in a second step; or break the circle",
    example=[
        {
            "Kind": "service-resolver",
            "Name": "a",
            "Subsets": {"v1": {}},
            "Failover": {"*": {"Service": "b", "ServiceSubset": "v1"}},
        },
        {
            "Kind": "service-resolver",
            "Name": "b",
            "Subsets": {"v1": {}},
            "Failover": {"*": {"Service": "a", "ServiceSubset": "v1"}},
        },
    ],
    instead=[
        {"Kind": "service-resolver", "Name": "b", "Subsets": {"v1": {}}},
        {
            "Kind": "service-resolver",
            "Name": "a",
            "Subsets": {"v1": {}},
            "Failover": {"*": {"Service": "b", "ServiceSubset": "v1"}},
        },
    ],
)

ROUTE_LISTENER_MISSING: Final = stricter(
    "route-listener-missing",
    what="A route attaches to a listener that its gateway does not have.",
    why="Consul accepts the route and never binds it; only its Status says so: FailedToBind.",
    source=_BINDING,
    fix="name one of the gateway's listeners in SectionName, or leave it out for all of them",
    example=[HTTP, _GATEWAY, _route("https")],
    instead=[HTTP, _GATEWAY, _route("http")],
)

ROUTE_LISTENER_PROTOCOL: Final = stricter(
    "route-listener-protocol",
    what="A route attaches to a listener of another protocol.",
    why="Consul accepts the route and never binds it; only its Status says so: FailedToBind.",
    source=_BINDING,
    fix="attach it to a listener of its own protocol",
    example=[HTTP, _GATEWAY, _route("tcp")],
    instead=[HTTP, _GATEWAY, _route("http")],
)

ROUTE_SERVICE_PROTOCOL: Final = stricter(
    "route-service-protocol",
    what="An http-route sends to a service that is declared as tcp, or a tcp-route to one that speaks HTTP.",
    why="Consul accepts the route and does not serve it; only its Status says so: InvalidDiscoveryChain.",
    source=_BINDING,
    fix="use a route of the service's protocol",
    example=[_defaults("web", "tcp"), _GATEWAY, _route("http")],
    instead=[_defaults("web", "http"), _GATEWAY, _route("http")],
)

ROUTE_GATEWAY_MISSING: Final = stricter(
    "route-gateway-missing",
    what="A route attaches to a gateway that has no api-gateway entry.",
    why="Consul accepts the route and never binds it; only its Status says so: GatewayNotFound.",
    source=_BINDING,
    fix="declare the gateway, or attach the route to one that is",
    example=[_route("http")],
    instead=[HTTP, _GATEWAY, _route("http")],
    judged=False,
)

CERTIFICATE_MISSING: Final = stricter(
    "certificate-missing",
    what="A listener refers to a certificate that has no entry.",
    why="Consul accepts the gateway and does not serve the listener; only its Status says so: InvalidCertificateRef.",
    source=_BINDING,
    fix="add the entry of the certificate",
    example=[
        {
            "Kind": "api-gateway",
            "Name": "gateway",
            "Listeners": [
                {
                    "Name": "https",
                    "Port": 8443,
                    "Protocol": "http",
                    "TLS": {"Certificates": [{"Kind": "file-system-certificate", "Name": "shop"}]},
                },
            ],
        },
    ],
    instead=[
        {"Kind": "file-system-certificate", "Name": "shop", "Certificate": "/c.pem", "PrivateKey": "/k.pem"},
        {
            "Kind": "api-gateway",
            "Name": "gateway",
            "Listeners": [
                {
                    "Name": "https",
                    "Port": 8443,
                    "Protocol": "http",
                    "TLS": {"Certificates": [{"Kind": "file-system-certificate", "Name": "shop"}]},
                },
            ],
        },
    ],
    judged=False,
)

SERVICE_UNKNOWN: Final = stricter(
    "service-unknown",
    what="An entry sends to a service that the environment does not have.",
    why="Consul accepts it, and requests that take this way fail.",
    source="consul@1.22.7 agent/consul/discoverychain/compile.go (not checked there)",
    fix="use the name of a declared service, or give the service an entry of its own (service-defaults)",
    example=[HTTP, _splitter("web", {"Weight": 100, "Service": "wbe"})],
    instead=[HTTP, _splitter("web", {"Weight": 100, "Service": "api"})],
    judged=False,
)

SUBSET_WITHOUT_INSTANCES: Final = stricter(
    "subset-without-instances",
    what="A subset's filter asks for metadata that no declared version of the service has.",
    why="Consul accepts it, and every request to the subset fails: no healthy upstream.",
    source="consul@1.22.7 agent/consul/discoverychain/compile.go (not checked there)",
    fix="ask for the version of a declared service, or declare the version",
    example=[
        {
            "Kind": "service-resolver",
            "Name": "api",
            "Subsets": {"v9": {"Filter": 'Service.Meta.version == "v9"'}},
        }
    ],
    instead=[_SUBSETS],
    judged=False,
)

MESH_GATEWAY_MISSING: Final = stricter(
    "mesh-gateway-missing",
    what="An entry sends through mesh gateways, and the environment has none.",
    why="Consul accepts it; upstreams of another datacenter, partition or peer cannot be reached.",
    source="consul@1.22.7 agent/proxycfg/upstreams.go (not checked there)",
    fix="leave the mode out",
    example=[_defaults("web", "http", MeshGateway={"Mode": "local"})],
    instead=[_defaults("web", "http")],
    judged=False,
)
