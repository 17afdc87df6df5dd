"""What breaks service-defaults, proxy-defaults, service-router, service-splitter and service-resolver entries."""

from collections.abc import Iterator

from tests.lab.cases.choices import Json
from tests.lab.cases.targeted import Edits, Targeted

DEFAULTS: Json = {"Kind": "service-defaults", "Name": "a", "Protocol": "http", "TransparentProxy": {}}
TCP: Json = {**DEFAULTS, "Protocol": "tcp"}
OTHER: Json = {**DEFAULTS, "Name": "b"}
PROXY: Json = {
    "Kind": "proxy-defaults",
    "Name": "global",
    "Config": {"protocol": "http"},
    "TransparentProxy": {},
    "AccessLogs": {},
}
SUBSETS: Json = {
    "Kind": "service-resolver",
    "Name": "a",
    "Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {"Filter": "Service.Meta.version == v2"}},
}
PLAIN: Json = {"Kind": "service-resolver", "Name": "a", "ConnectTimeout": "15s"}
REDIRECT: Json = {"Kind": "service-resolver", "Name": "a", "Redirect": {"Service": "b"}}
FAILOVER: Json = {**SUBSETS, "Failover": {"*": {"Service": "b"}}}
TARGETS: Json = {**SUBSETS, "Failover": {"v1": {"Targets": [{"Service": "b"}]}}}
HASHED: Json = {
    "Kind": "service-resolver",
    "Name": "a",
    "LoadBalancer": {"Policy": "ring_hash", "HashPolicies": [{"Field": "header", "FieldValue": "x"}]},
}
SPLITTER: Json = {
    "Kind": "service-splitter",
    "Name": "a",
    "Splits": [{"Weight": 90, "ServiceSubset": "v1"}, {"Weight": 10, "ServiceSubset": "v2"}],
}
ROUTER: Json = {
    "Kind": "service-router",
    "Name": "a",
    "Routes": [{"Match": {"HTTP": {"PathPrefix": "/v1"}}, "Destination": {"Service": "a", "ServiceSubset": "v1"}}],
}
UPSTREAMS: Json = {**DEFAULTS, "UpstreamConfig": {"Overrides": [{"Name": "b"}], "Defaults": {"Protocol": "http"}}}
EXTERNAL: Json = {"Kind": "service-defaults", "Name": "a", "TransparentProxy": {}, "Protocol": "tcp"}
LUA: Json = {
    "Name": "builtin/lua",
    "Arguments": {"ProxyType": "connect-proxy", "Listener": "inbound", "Script": "x"},
}


def targeted() -> Iterator[Targeted]:
    """All changes."""
    yield from _meta_and_names()
    yield from _defaults()
    yield from _upstreams()
    yield from _extensions()
    yield from _proxy_defaults()
    yield from _router()
    yield from _splitter()
    yield from _resolver()
    yield from _redirects_and_failover()
    yield from _load_balancers()
    yield from _graph()


def _meta_and_names() -> Iterator[Targeted]:
    base = [DEFAULTS]
    yield Targeted(
        "meta-count",
        base,
        {"Meta": {f"k{n}": "v" for n in range(65)}},
        {"Meta": {f"k{n}": "v" for n in range(64)}},
    )
    yield Targeted("meta-key", base, {"Meta": {"k" * 129: "v"}}, {"Meta": {"k" * 128: "v"}})
    yield Targeted("meta-value", base, {"Meta": {"k": "v" * 513}}, {"Meta": {"k": "v" * 512}})
    yield Targeted("meta-value-in-bytes", base, {"Meta": {"k": "é" * 257}}, {"Meta": {"k": "é" * 256}})
    yield Targeted("unknown-key", base, {"Bogus": 1})
    yield Targeted("unknown-nested-key", base, {"TransparentProxy.Bogus": 1})
    yield Targeted("snake-case-key", base, {"mesh_gateway": {"mode": "local"}}, refused=False)
    yield Targeted("lower-case-key", base, {"Protocol": ..., "protocol": "tcp"}, refused=False)
    yield Targeted("key-in-two-spellings", base, {"protocol": "tcp"})
    yield Targeted("top-namespace", base, {"Namespace": "default"})
    yield Targeted("top-partition", base, {"Partition": "default"})
    yield Targeted("no-kind", base, {"Kind": ...})
    yield Targeted("kind-not-text", base, {"Kind": 1})
    for kind in ("sameness-group", "control-plane-request-limit", "bogus", "", "Service-Defaults", "rate-limit"):
        yield Targeted(f"kind-{kind or 'empty'}", [DEFAULTS], {"Kind": kind, "Protocol": ..., "TransparentProxy": ...})
    yield Targeted(
        "sameness-group-members",
        base,
        {
            "Kind": "sameness-group",
            "Members": [{"Peer": "east"}],
            "Protocol": ...,
            "TransparentProxy": ...,
        },
    )
    for entry in (DEFAULTS, SUBSETS):
        yield Targeted(f"{entry['Kind']}-name-empty", [entry], {"Name": ""})
        yield Targeted(f"{entry['Kind']}-name-absent", [entry], {"Name": ...})
    yield Targeted("service-router-name-empty", [PROXY, ROUTER_OF_OWN], {"Name": ""})
    yield Targeted("service-splitter-name-empty", [PROXY, SPLITTER_OF_OWN], {"Name": ""})
    yield Targeted("service-defaults-name-wildcard", base, {"Name": "*"})
    yield Targeted("service-name-upper-case", base, {"Name": "Web_X"}, refused=False)


ROUTER_OF_OWN: Json = {"Kind": "service-router", "Name": "a", "Routes": [{"Destination": {"NumRetries": 1}}]}
SPLITTER_OF_OWN: Json = {"Kind": "service-splitter", "Name": "a", "Splits": [{"Weight": 100}]}


def _defaults() -> Iterator[Targeted]:
    base = [DEFAULTS]
    yield Targeted("protocol-unknown", base, {"Protocol": "https"}, {"Protocol": "grpc"})
    yield Targeted("protocol-upper-case", base, {"Protocol": "HTTP"}, refused=False)
    yield Targeted("protocol-empty", base, {"Protocol": ""}, refused=False)
    yield Targeted("protocol-with-space", base, {"Protocol": "http "})
    yield Targeted("mutual-tls-mode-unknown", base, {"MutualTLSMode": "bogus"}, {"MutualTLSMode": "strict"})
    yield Targeted("mode-unknown", base, {"Mode": "bogus"}, {"Mode": "direct"}, refused=False)
    yield Targeted(
        "mesh-gateway-unknown", base, {"MeshGateway": {"Mode": "x"}}, {"MeshGateway": {"Mode": "none"}}, refused=False
    )
    yield Targeted(
        "inbound-balance", base, {"BalanceInboundConnections": "x"}, {"BalanceInboundConnections": "exact_balance"}
    )
    yield Targeted("negative-inbound", base, {"MaxInboundConnections": -1}, {"MaxInboundConnections": 1}, refused=False)
    yield Targeted("expose-bad", base, {"Expose.Paths": [{"Path": "h", "Protocol": "tcp"}]}, refused=False)
    yield Targeted(
        "rate-limits", base, {"RateLimits": {"InstanceLevel": {"RequestsPerSecond": 1, "RequestsMaxBurst": 2}}}
    )
    yield Targeted(
        "rate-limits-routes",
        base,
        {
            "RateLimits": {
                "InstanceLevel": {
                    "Routes": [
                        {
                            "PathExact": "/",
                            "PathPrefix": "",
                            "PathRegex": "",
                            "RequestsPerSecond": 1,
                            "RequestsMaxBurst": 1,
                        },
                    ]
                }
            },
        },
    )
    destination = {"Destination": {"Addresses": ["a.example.com"], "Port": 443}}
    yield Targeted("destination-and-upstreams", [UPSTREAMS], destination)
    yield Targeted("destination-without-addresses", base, {"Destination": {"Port": 443}}, destination)
    changes: dict[str, Edits] = {
        "address-twice": {"Destination.Addresses": ["a.b", "a.b"]},
        "address-wildcard": {"Destination.Addresses": ["*.b"]},
        "address-empty": {"Destination.Addresses": [""]},
        "address-dots": {"Destination.Addresses": ["a..b"]},
        "address-long": {"Destination.Addresses": [f"{'l' * 64}.b"]},
        "port-zero": {"Destination.Port": 0},
        "port-absent": {"Destination.Port": ...},
        "port-too-high": {"Destination.Port": 65536},
        "port-negative": {"Destination.Port": -1},
    }
    for name, change in changes.items():
        yield Targeted(f"destination-{name}", [{**DEFAULTS, **destination}], change, {"Destination.Port": 65535})
    yield Targeted("permissive-without-mesh", base, {"MutualTLSMode": "permissive"})
    allowed = {"Kind": "mesh", "Name": "mesh", "AllowEnablingPermissiveMutualTLS": True}
    yield Targeted(
        "permissive-with-mesh", [allowed, DEFAULTS], {"MutualTLSMode": "Permissive"}, {"MutualTLSMode": "permissive"}
    )
    yield Targeted(
        "permissive-refused-by-mesh",
        [{**allowed, "AllowEnablingPermissiveMutualTLS": False}, PROXY],
        {"MutualTLSMode": "permissive"},
    )


def _upstreams() -> Iterator[Targeted]:
    base = [UPSTREAMS]
    override = "UpstreamConfig.Overrides.0"
    defaults = "UpstreamConfig.Defaults"
    yield Targeted("override-without-name", base, {f"{override}.Name": ...})
    yield Targeted("override-name-empty", base, {f"{override}.Name": ""})
    yield Targeted("override-wildcard", base, {f"{override}.Name": "*"})
    yield Targeted("override-namespace", base, {f"{override}.Namespace": "*"})
    yield Targeted("override-partition", base, {f"{override}.Partition": "default"})
    yield Targeted("upstream-defaults-name", base, {f"{defaults}.Name": "b"})
    yield Targeted("upstream-defaults-namespace", base, {f"{defaults}.Namespace": "default"})
    yield Targeted("upstream-defaults-partition", base, {f"{defaults}.Partition": "default"})
    yield Targeted("upstream-defaults-peer", base, {f"{defaults}.Peer": "east"}, refused=False)
    for where in (override, defaults):
        who = where.split(".")[1].lower()
        for key in ("MaxConnections", "MaxPendingRequests", "MaxConcurrentRequests"):
            yield Targeted(f"{who}-{key}-negative", base, {f"{where}.Limits.{key}": -1}, {f"{where}.Limits.{key}": 0})
        check = f"{where}.PassiveHealthCheck"
        yield Targeted(f"{who}-interval-negative", base, {f"{check}.Interval": "-1s"}, {f"{check}.Interval": "1s"})
        yield Targeted(
            f"{who}-ejection-negative", base, {f"{check}.BaseEjectionTime": "-1s"}, {f"{check}.BaseEjectionTime": "1s"}
        )
        for key in ("EnforcingConsecutive5xx", "MaxEjectionPercent"):
            yield Targeted(f"{who}-{key}-above-100", base, {f"{check}.{key}": 101}, {f"{check}.{key}": 100})
            yield Targeted(f"{who}-{key}-negative", base, {f"{check}.{key}": -1}, {f"{check}.{key}": 0})
        yield Targeted(
            f"{who}-outbound-balance",
            base,
            {f"{where}.BalanceOutboundConnections": "x"},
            {f"{where}.BalanceOutboundConnections": "exact_balance"},
        )
        yield Targeted(f"{who}-connect-timeout-negative", base, {f"{where}.ConnectTimeoutMs": -5}, refused=False)
        yield Targeted(f"{who}-protocol-upper-case", base, {f"{where}.Protocol": "HTTP"}, refused=False)
        yield Targeted(f"{who}-protocol-unknown", base, {f"{where}.Protocol": "https"}, refused=False)
    for spelling in (15, "15", "0s", "1d", "", "1h1m", ".5s", "+1s"):
        refused = spelling in {"15", "1d", ""}
        yield Targeted(
            f"interval-{spelling!r}", base, {f"{defaults}.PassiveHealthCheck.Interval": spelling}, refused=refused
        )


def _extensions() -> Iterator[Targeted]:
    base = [{**DEFAULTS, "EnvoyExtensions": [LUA]}]
    first = "EnvoyExtensions.0"
    changes: dict[str, Edits] = {
        "name-absent": {f"{first}.Name": ...},
        "name-unknown": {f"{first}.Name": "builtin/bogus"},
        "envoy-version": {f"{first}.EnvoyVersion": "x.y"},
        "consul-version": {f"{first}.ConsulVersion": ">> 1"},
        "lua-script-absent": {f"{first}.Arguments.Script": ...},
        "lua-proxy-type": {f"{first}.Arguments.ProxyType": "bogus"},
        "lua-listener": {f"{first}.Arguments.Listener": "bogus"},
        "arguments-absent": {f"{first}.Arguments": ...},
        "lambda-arn-absent": {first: {"Name": "builtin/aws/lambda", "Arguments": {"PayloadPassthrough": True}}},
        "ext-authz-empty": {first: {"Name": "builtin/ext-authz", "Arguments": {"Config": {}}}},
        "ext-authz-both": _ext_authz({"GrpcService": _uri(), "HttpService": _uri()}),
        "ext-authz-status": _ext_authz({"GrpcService": _uri(), "StatusOnError": 999}),
        "ext-authz-uri-remote": _ext_authz({"GrpcService": _uri("a.example.com:1")}),
        "ext-authz-uri-no-port": _ext_authz({"GrpcService": _uri("localhost")}),
        "ext-authz-no-target": _ext_authz({"GrpcService": {"Authority": "x"}}),
        "ext-authz-timeout": _ext_authz({"GrpcService": {"Target": {"URI": "localhost:1", "Timeout": "x"}}}),
        "wasm-protocol": _wasm({"Protocol": "udp"}),
        "wasm-listener": _wasm({"ListenerType": "x"}),
        "wasm-no-code": _wasm({"PluginConfig": {"Name": "p"}}),
        "wasm-runtime": _wasm({"PluginConfig": {"VmConfig": {"Runtime": "x", "Code": {"Local": {"Filename": "/x"}}}}}),
        "property-no-patches": _property({"Patches": []}),
        "property-op": _property({"Patches": {**_PATCH, "Op": "x"}}),
        "property-path": _property({"Patches": {**_PATCH, "Path": "/bogus"}}),
        "property-resource": _property({"Patches": {**_PATCH, "ResourceFilter": {"ResourceType": "x"}}}),
        "property-remove-with-value": _property({"Patches": {**_PATCH, "Op": "remove"}}),
        "property-proxy-type": _property({"ProxyType": "x", "Patches": _PATCH}),
        "otel-no-service": {first: {"Name": "builtin/otel-access-logging", "Arguments": {"Config": {"LogName": "x"}}}},
    }
    for name, change in changes.items():
        good: Edits = {
            first: {
                "Name": "builtin/ext-authz",
                "Arguments": {"ProxyType": "connect-proxy", "Config": {"GrpcService": _uri()}},
            }
        }
        yield Targeted(f"extension-{name}", base, change, good if "ext-authz" in name else {})
    patches: Edits = {
        first: {"Name": "builtin/property-override", "Arguments": {"ProxyType": "connect-proxy", "Patches": [_PATCH]}}
    }
    yield Targeted("extension-list-of-one", base, patches, _property({"Patches": _PATCH}), refused=False)


_PATCH: Json = {
    "ResourceFilter": {"ResourceType": "cluster", "TrafficDirection": "outbound"},
    "Op": "add",
    "Path": "/outlier_detection/success_rate_minimum_hosts",
    "Value": 1234,
}


def _uri(uri: str = "localhost:9191") -> Json:
    return {"Target": {"URI": uri}}


def _ext_authz(config: Json) -> Edits:
    return {
        "EnvoyExtensions.0": {
            "Name": "builtin/ext-authz",
            "Arguments": {"ProxyType": "connect-proxy", "Config": config},
        }
    }


def _wasm(arguments: Json) -> Edits:
    good = {
        "Protocol": "http",
        "ListenerType": "inbound",
        "PluginConfig": {"Name": "p", "VmConfig": {"Code": {"Local": {"Filename": "/p"}}}},
    }
    return {"EnvoyExtensions.0": {"Name": "builtin/wasm", "Arguments": good | arguments}}


def _property(arguments: Json) -> Edits:
    return {
        "EnvoyExtensions.0": {
            "Name": "builtin/property-override",
            "Arguments": {"ProxyType": "connect-proxy"} | arguments,
        }
    }


def _proxy_defaults() -> Iterator[Targeted]:
    base = [PROXY]
    changes: dict[str, Edits] = {
        "name": {"Name": "foo"},
        "socket-directory": {"Config.envoy_hcp_metrics_bind_socket_dir": "d" * 71},
        "mutual-tls-mode": {"MutualTLSMode": "bogus"},
        "permissive": {"MutualTLSMode": "permissive"},
        "log-type": {"AccessLogs": {"Type": "bogus"}},
        "log-file-without-path": {"AccessLogs": {"Type": "file"}},
        "log-path-without-file": {"AccessLogs": {"Path": "/x"}},
        "log-path-with-stdout": {"AccessLogs": {"Type": "stdout", "Path": "/x"}},
        "log-two-formats": {"AccessLogs": {"JSONFormat": "{}", "TextFormat": "x"}},
        "log-json": {"AccessLogs": {"JSONFormat": "{x"}},
        "log-json-twice": {"AccessLogs": {"JSONFormat": "{}{}"}},
        "extension": {"EnvoyExtensions": [{"Name": "bogus"}]},
        "locality": {"PrioritizeByLocality": {"Mode": "failover"}},
        "failover-mode": {"FailoverPolicy": {"Mode": "bogus"}},
        "unknown-key": {"Bogus": "http"},
    }
    for name, change in changes.items():
        good: Edits = {"Config.envoy_hcp_metrics_bind_socket_dir": "d" * 70} if name == "socket-directory" else {}
        good = {"AccessLogs": {"Type": "file", "Path": "/x", "JSONFormat": "{}"}} if name.startswith("log") else good
        yield Targeted(f"proxy-defaults-{name}", base, change, good)
    odd: dict[str, Edits] = {
        "protocol-https": {"Config.protocol": "https"},
        "protocol-upper-case": {"Config.protocol": "HTTP"},
        "protocol-number": {"Config.protocol": 5},
        "protocol-capital-key": {"Config": {"Protocol": "http"}},
        "config-empty": {"Config": {}},
        "config-list-of-one": {"Config.a": ["x"]},
        "config-object-in-list-of-one": {"Config.a": [{"b": 1}]},
        "config-null": {"Config.a": None},
        "config-big-number": {"Config.a": 2**53 + 1},
        "config-float": {"Config.a": 1.0},
        "failover-policy": {"FailoverPolicy": {"Mode": "sequential"}},
        "failover-regions": {"FailoverPolicy": {"Mode": "order-by-locality", "Regions": ["r"]}},
        "locality-empty": {"PrioritizeByLocality": {"Mode": ""}},
        "name-empty": {"Name": ""},
        "protocol-at-the-top": {"Protocol": "http"},
        "no-access-logs": {"AccessLogs": ...},
        "no-transparent-proxy": {"TransparentProxy": ...},
        "mode": {"Mode": "bogus"},
    }
    for name, change in odd.items():
        yield Targeted(f"proxy-defaults-{name}", base, change, refused=False)


def _router() -> Iterator[Targeted]:
    base = [DEFAULTS, OTHER, SUBSETS, ROUTER]
    http = "Routes.0.Match.HTTP"
    to = "Routes.0.Destination"
    changes: dict[str, Edits] = {
        "exact-without-slash": {f"{http}.PathPrefix": ..., f"{http}.PathExact": "v1"},
        "prefix-without-slash": {f"{http}.PathPrefix": "v1"},
        "two-paths": {f"{http}.PathExact": "/v1"},
        "prefix-and-regex": {f"{http}.PathRegex": "x"},
        "header-without-name": {f"{http}.Header": [{"Exact": "x"}]},
        "header-without-matcher": {f"{http}.Header": [{"Name": "x"}]},
        "header-two-matchers": {f"{http}.Header": [{"Name": "x", "Exact": "x", "Prefix": "y"}]},
        "header-present-and-regex": {f"{http}.Header": [{"Name": "x", "Present": True, "Regex": "y"}]},
        "header-suffix-and-exact": {f"{http}.Header": [{"Name": "x", "Suffix": "x", "Exact": "y"}]},
        "query-without-name": {f"{http}.QueryParam": [{"Exact": "x"}]},
        "query-without-matcher": {f"{http}.QueryParam": [{"Name": "x"}]},
        "query-two-matchers": {f"{http}.QueryParam": [{"Name": "x", "Exact": "x", "Regex": "y"}]},
        "query-present-and-exact": {f"{http}.QueryParam": [{"Name": "x", "Exact": "x", "Present": True}]},
        "method-unknown": {f"{http}.Methods": ["FOO"]},
        "method-empty": {f"{http}.Methods": [""]},
        "method-twice": {f"{http}.Methods": ["GET", "GET"]},
        "method-twice-in-letters": {f"{http}.Methods": ["GET", "get"]},
        "rewrite-without-path": {f"{http}.PathPrefix": ..., f"{http}.Methods": ["GET"], f"{to}.PrefixRewrite": "/"},
        "rewrite-with-regex": {f"{http}.PathPrefix": ..., f"{http}.PathRegex": "x", f"{to}.PrefixRewrite": "/"},
        "retry-condition": {f"{to}.RetryOn": ["bogus"]},
        "retry-condition-letters": {f"{to}.RetryOn": ["5XX"]},
        "timeout-text": {f"{to}.RequestTimeout": "fast"},
        "query-param-key": {f"{http}.Bogus": []},
        "subset-absent": {f"{to}.ServiceSubset": "v9"},
        "subset-of-another": {f"{to}.Service": "b"},
        "protocol-of-another": {f"{to}.Service": "t", f"{to}.ServiceSubset": ...},
    }
    good: Edits = {
        f"{http}.Header": [{"Name": "x", "Exact": "x"}],
        f"{http}.QueryParam": [{"Name": "q", "Regex": "x"}],
        f"{http}.Methods": ["GET", "PUT"],
        f"{to}.PrefixRewrite": "/",
        f"{to}.RetryOn": ["5xx"],
    }
    for name, change in changes.items():
        yield Targeted(f"router-{name}", base, change, good)
    for namespace in ("Namespace", "Partition"):
        yield Targeted(f"router-{namespace}", base, {f"{to}.{namespace}": "default"}, refused=False)
    odd: dict[str, Edits] = {
        "status-code-negative": {f"{to}.RetryOnStatusCodes": [-1]},
        "retries-negative": {f"{to}.NumRetries": -1},
        "other-partition": {f"{to}.Partition": "other"},
        "other-namespace": {f"{to}.Namespace": "other"},
        "method-lower-case": {f"{http}.Methods": ["get"]},
        "regex-broken": {f"{http}.PathPrefix": ..., f"{http}.PathRegex": "("},
        "status-code-99999": {f"{to}.RetryOnStatusCodes": [99999]},
        "no-routes": {"Routes": ...},
        "empty-routes": {"Routes": []},
        "empty-route": {"Routes": [{}]},
        "no-match": {"Routes.0.Match": ...},
        "empty-http": {http: {}},
        "no-destination": {"Routes.0.Destination": ...},
        "snake-case": {f"{http}.query_param": [{"Name": "x", "Exact": "y"}]},
        "camel-case-object": {f"{http}.queryParam": {"Name": "x", "Exact": "y"}},
        "subset-snake-case": {f"{to}.ServiceSubset": ..., f"{to}.service_subset": "v1"},
        "service-absent": {f"{to}.Service": ...},
        "timeout-number": {f"{to}.RequestTimeout": 15},
        "timeout-negative": {f"{to}.RequestTimeout": "-1s"},
        "shadowed": {"Routes": [ROUTER["Routes"][0], ROUTER["Routes"][0]]},
    }
    for name, change in odd.items():
        yield Targeted(f"router-{name}", base, change, refused=False)


def _splitter() -> Iterator[Targeted]:
    base = [DEFAULTS, OTHER, SUBSETS, SPLITTER]
    thirds = [
        {"Weight": weight, "ServiceSubset": "v1", "RequestHeaders": {"Set": {"x": str(n)}}}
        for n, weight in enumerate((33.33, 33.33, 33.33))
    ]
    own: Json = {"Kind": "service-splitter", "Name": "a", "Splits": [{"Weight": 100, "Service": "b"}]}
    changes: dict[str, Edits] = {
        "no-splits": {"Splits": ...},
        "empty-splits": {"Splits": []},
        "sum-below": {"Splits.1.Weight": 9.99},
        "sum-above": {"Splits.1.Weight": 11},
        "weight-absent": {"Splits.1.Weight": ...},
        "thirds": {"Splits": thirds},
        "rounded": {"Splits.0.Weight": 99.995, "Splits.1.Weight": 0.005},
        "twice": {"Splits.1.ServiceSubset": "v1"},
        "twice-by-own-name": {"Splits": [{"Weight": 50}, {"Weight": 50, "Service": "a"}]},
        "subset-absent": {"Splits.1.ServiceSubset": "v9"},
        "subset-of-another": {"Splits.1.Service": "b"},
        "protocol-of-another": {"Splits.1": {"Weight": 10, "Service": "t"}},
    }
    for name, change in changes.items():
        yield Targeted(f"splitter-{name}", base, change, {"Splits.0.Weight": 66.67, "Splits.1.Weight": 33.33})
    odd: dict[str, Edits] = {
        "weights-out-of-range": {"Splits.0.Weight": 110, "Splits.1.Weight": -10},
        "weight-text": {"Splits.0.Weight": "90"},
        "weight-three-decimals": {"Splits.0.Weight": 33.333, "Splits.1.Weight": 66.667},
        "twice-with-headers": {
            "Splits.1": {"Weight": 10, "ServiceSubset": "v1", "RequestHeaders": {"Set": {"x": "y"}}}
        },
        "namespace": {"Splits.0.Namespace": "default"},
        "partition": {"Splits.0.Partition": "default"},
        "other-partition": {"Splits.0.Partition": "other"},
        "weight-zero": {"Splits.0.Weight": 0, "Splits.1.Weight": 100},
    }
    for name, change in odd.items():
        yield Targeted(f"splitter-{name}", base, change, refused=False)
    yield Targeted(
        "splitter-cycle",
        [
            PROXY,
            {**own, "Name": "b", "Splits": [{"Weight": 100, "Service": "a"}]},
            {**own, "Splits": [{"Weight": 100}]},
        ],
        {"Splits.0.Service": "b"},
    )
    yield Targeted("splitter-of-itself", [PROXY, own], {"Splits.0.Service": "a"}, refused=False)


def _resolver() -> Iterator[Targeted]:
    base = [SUBSETS]
    names = {"empty": "", "upper-case": "V1", "long": "v" * 64, "dash-last": "v-", "dash-first": "-v", "dot": "v.1"}
    for name, subset in names.items():
        yield Targeted(f"resolver-subset-name-{name}", base, {"Subsets": {subset: {}}}, {"Subsets": {"v" * 63: {}}})
    for number, text in enumerate(
        ("Service.Meta.version == 1.0.0", "==", "Service.Meta", "a b c", "Service.Meta.x == 'v'")
    ):
        yield Targeted(f"resolver-filter-{number}", base, {"Subsets.v1.Filter": text})
    odd: dict[str, Edits] = {
        "filter-selector": {"Subsets.v1.Filter": "Service.Metaa.version == v1"},
        "filter-blank": {"Subsets.v1.Filter": ""},
        "subsets-empty": {"Subsets": {}},
        "failover-empty": {"Failover": {}},
        "timeout-number": {"ConnectTimeout": 15},
        "timeout-zero": {"ConnectTimeout": "0s"},
        "default-subset-snake-case": {"default_subset": "v1"},
    }
    for name, change in odd.items():
        yield Targeted(f"resolver-{name}", base, change, refused=False)
    yield Targeted("resolver-default-subset", base, {"DefaultSubset": "v9"}, {"DefaultSubset": "v1"})
    yield Targeted("resolver-connect-timeout", base, {"ConnectTimeout": "-5s"}, {"ConnectTimeout": "5s"})
    yield Targeted("resolver-request-timeout", base, {"RequestTimeout": "-5s"}, {"RequestTimeout": "5s"})
    yield Targeted("resolver-timeout-text", base, {"RequestTimeout": "15"}, {"RequestTimeout": "15s"})
    yield Targeted("resolver-locality", base, {"PrioritizeByLocality": {"Mode": "failover"}})
    yield Targeted("resolver-locality-empty", base, {"PrioritizeByLocality": {}}, refused=False)


def _redirects_and_failover() -> Iterator[Targeted]:
    redirect: dict[str, Edits] = {
        "and-failover": {"Failover": {"*": {"Service": "b"}}},
        "empty": {"Redirect": {}},
        "subset-without-service": {"Redirect": {"ServiceSubset": "v1"}},
        "namespace": {"Redirect.Namespace": "default"},
        "partition": {"Redirect.Partition": "default"},
        "other-partition-and-datacenter": {"Redirect.Partition": "other", "Redirect.Datacenter": "dc2"},
        "sameness-group": {"Redirect": {"SamenessGroup": "g"}},
        "sameness-group-and-subset": {"Redirect": {"SamenessGroup": "g", "Service": "b", "ServiceSubset": "v1"}},
        "sameness-group-and-datacenter": {"Redirect": {"SamenessGroup": "g", "Datacenter": "dc2"}},
        "peer-and-subset": {"Redirect.Peer": "east", "Redirect.ServiceSubset": "v1"},
        "peer-and-datacenter": {"Redirect.Peer": "east", "Redirect.Datacenter": "dc2"},
        "peer-and-partition": {"Redirect.Peer": "east", "Redirect.Partition": "p"},
        "peer-without-service": {"Redirect": {"Peer": "east"}},
        "own-subset": {"Redirect": {"Service": "a", "ServiceSubset": "v9"}},
        "subset-absent": {"Redirect.ServiceSubset": "v1"},
    }
    for name, change in redirect.items():
        good: Edits = {"Redirect.Peer": "east"} if "peer" in name else {"Redirect.Datacenter": "dc2"}
        yield Targeted(f"redirect-{name}", [REDIRECT], change, good)
    yield Targeted("redirect-to-itself", [REDIRECT], {"Redirect.Service": "a"}, refused=False)
    yield Targeted(
        "redirect-to-own-subset", [SUBSETS], {"Redirect": {"Service": "a", "ServiceSubset": "v1"}}, refused=False
    )
    back = {**REDIRECT, "Name": "b", "Redirect": {"Service": "a"}}
    yield Targeted(
        "redirect-cycle", [back, PLAIN], {"Redirect.Service": "b", "ConnectTimeout": ...}, {"Redirect.Service": "c"}
    )
    yield Targeted(
        "redirect-to-other-protocol",
        [DEFAULTS, REDIRECT],
        {"ConnectTimeout": "5s"},
        {"Redirect": ..., "ConnectTimeout": "5s"},
    )
    failover: dict[str, Edits] = {
        "not-a-subset": {"Failover": {"v9": {"Service": "b"}}},
        "empty": {"Failover": {"*": {}}},
        "namespace": {"Failover.*.Namespace": "default"},
        "sameness-group": {"Failover": {"*": {"SamenessGroup": "g"}}},
        "policy": {"Failover.*.Policy": {"Mode": "sequential"}},
        "policy-bogus": {"Failover.*.Policy": {"Mode": "bogus"}},
        "policy-regions": {"Failover.*.Policy": {"Mode": "order-by-locality", "Regions": ["r"]}},
        "own-subset": {"Failover": {"*": {"ServiceSubset": "v9"}}},
        "own-subset-by-name": {"Failover": {"*": {"Service": "a", "ServiceSubset": "v9"}}},
        "subset-absent": {"Failover.*.ServiceSubset": "v1"},
        "datacenter-empty": {"Failover.*.Datacenters": ["dc2", ""]},
        "datacenters-empty": {"Failover": {"*": {"Datacenters": []}}},
    }
    for name, change in failover.items():
        yield Targeted(f"failover-{name}", [FAILOVER], change, {"Failover.*.Datacenters": ["dc2"]})
    target = "Failover.v1.Targets.0"
    targets: dict[str, Edits] = {
        "and-datacenters": {"Failover.v1.Datacenters": ["dc2"]},
        "and-subset": {"Failover.v1.ServiceSubset": "v1"},
        "and-service": {"Failover.v1.Service": "b"},
        "and-sameness-group": {"Failover.v1.SamenessGroup": "g"},
        "namespace": {f"{target}.Namespace": "default"},
        "partition": {f"{target}.Partition": "default"},
        "peer-and-subset": {f"{target}.Peer": "east", f"{target}.ServiceSubset": "v1"},
        "peer-and-datacenter": {f"{target}.Peer": "east", f"{target}.Datacenter": "dc2"},
        "peer-and-partition": {f"{target}.Peer": "east", f"{target}.Partition": "p"},
        "partition-and-datacenter": {f"{target}.Partition": "p", f"{target}.Datacenter": "dc2"},
        "own-subset": {target: {"ServiceSubset": "v9"}},
        "own-subset-by-name": {target: {"Service": "a", "ServiceSubset": "v9"}},
        "unknown-key": {f"{target}.Datacenters": ["dc2"]},
    }
    for name, change in targets.items():
        yield Targeted(f"failover-target-{name}", [TARGETS], change, {f"{target}.Peer": "east"})
    yield Targeted(
        "failover-target-subset-absent",
        [TARGETS],
        {
            f"{target}.ServiceSubset": "v9",
            "DefaultSubset": "v1",
        },
        {"DefaultSubset": "v1"},
    )
    yield Targeted("failover-target-subset-absent-unused", [TARGETS], {f"{target}.ServiceSubset": "v9"}, refused=False)
    yield Targeted("failover-targets-empty", [TARGETS], {"Failover.v1.Targets": []})
    yield Targeted("failover-target-empty", [TARGETS], {target: {}}, refused=False)
    yield Targeted("failover-of-other-protocol", [DEFAULTS, FAILOVER], {"ConnectTimeout": "5s"}, {"Failover": ...})
    yield Targeted("failover-policy-empty", [FAILOVER], {"Failover.*.Policy": {}}, refused=False)


def _load_balancers() -> Iterator[Targeted]:
    policy = "LoadBalancer.HashPolicies.0"
    changes: dict[str, Edits] = {
        "policy": {"LoadBalancer": {"Policy": "bogus"}},
        "policy-letters": {"LoadBalancer": {"Policy": "Random"}},
        "ring-hash-of-maglev": {"LoadBalancer.Policy": "maglev", "LoadBalancer.RingHashConfig": {"MinimumRingSize": 1}},
        "least-request-of-ring-hash": {"LoadBalancer.LeastRequestConfig": {"ChoiceCount": 2}},
        "hash-of-random": {"LoadBalancer.Policy": "random"},
        "hash-without-policy": {"LoadBalancer.Policy": ...},
        "field": {f"{policy}.Field": "bogus"},
        "source-and-field": {policy: {"SourceIP": True, "Field": "header"}},
        "source-and-value": {policy: {"SourceIP": True, "FieldValue": "x"}},
        "field-without-value": {f"{policy}.FieldValue": ...},
        "value-without-field": {f"{policy}.Field": ...},
        "cookie-of-header": {f"{policy}.CookieConfig": {"Session": True}},
        "session-with-ttl": {
            policy: {"Field": "cookie", "FieldValue": "x", "CookieConfig": {"Session": True, "TTL": "1s"}}
        },
        "ring-size-negative": {"LoadBalancer.RingHashConfig": {"MinimumRingSize": -1}},
        "choice-count-huge": {
            "LoadBalancer": {"Policy": "least_request", "LeastRequestConfig": {"ChoiceCount": 2**32}}
        },
    }
    good: Edits = {policy: {"Field": "cookie", "FieldValue": "x", "CookieConfig": {"TTL": "1s"}}}
    for name, change in changes.items():
        yield Targeted(
            f"load-balancer-{name}", [HASHED], change, good, refused="size" not in name and "huge" not in name
        )
    yield Targeted("load-balancer-hash-empty", [HASHED], {policy: {}}, refused=False)
    yield Targeted("load-balancer-hashes-empty", [HASHED], {"LoadBalancer.HashPolicies": []}, refused=False)
    yield Targeted("load-balancer-empty", [HASHED], {"LoadBalancer": {}}, refused=False)


def _graph() -> Iterator[Targeted]:
    own = ROUTER_OF_OWN
    for kind, last in (("router", own), ("splitter", SPLITTER_OF_OWN)):
        yield Targeted(f"{kind}-on-tcp", [DEFAULTS, last], {"Name": "b"})
        yield Targeted(
            f"{kind}-on-empty-protocol", [PROXY, {**TCP, "Protocol": ""}, {**last, "Name": "b"}], {"Name": "a"}
        )
        yield Targeted(f"{kind}-on-https", [{**PROXY, "Config": {"protocol": "https"}}, DEFAULTS, last], {"Name": "b"})
        yield Targeted(
            f"{kind}-on-upper-case",
            [{**PROXY, "Config": {"protocol": "HTTP"}}, DEFAULTS, last],
            {"Name": "b"},
            refused=False,
        )
        yield Targeted(
            f"{kind}-on-capital-key", [{**PROXY, "Config": {"Protocol": "http"}}, last], {"Meta": {}}, refused=False
        )
    yield Targeted(
        "inconsistent-route",
        [DEFAULTS, {**OTHER, "Protocol": "grpc"}, {**own, "Routes": [{"Destination": {"Service": "a"}}]}],
        {"Routes.0.Destination.Service": "b"},
    )
    split = [DEFAULTS, {**OTHER, "Protocol": "http2"}, SPLITTER_OF_OWN]
    yield Targeted("inconsistent-split", split, {"Splits": [{"Weight": 50}, {"Weight": 50, "Service": "b"}]})
    yield Targeted("split-to-another-protocol-only", split, {"Splits.0.Service": "b"}, refused=False)
    yield Targeted(
        "split-to-tcp-only", [DEFAULTS, {**OTHER, "Protocol": "tcp"}, SPLITTER_OF_OWN], {"Splits.0.Service": "b"}
    )
    yield Targeted(
        "default-subset-of-redirected",
        [PROXY, SUBSETS, {**REDIRECT, "Name": "c"}],
        {"Redirect": {"Service": "a", "ServiceSubset": "v3"}},
    )
    sni = {**EXTERNAL, "ExternalSNI": "x.example.com"}
    yield Targeted("external-subsets", [sni, PLAIN], {"Subsets": {"v1": {}}})
    yield Targeted("external-redirect", [sni, PLAIN], {"Redirect": {"Datacenter": "dc2"}})
    yield Targeted("external-redirect-to-service", [sni, PLAIN], {"Redirect": {"Service": "b"}}, refused=False)
    yield Targeted("external-failover", [sni, PLAIN], {"Failover": {"*": {"Service": "b"}}})
    target: Json = {**sni, "Name": "b"}
    yield Targeted("redirect-to-external", [target, PLAIN], {"Redirect": {"Service": "b"}}, refused=False)
    yield Targeted("router-to-absent-service", [PROXY, own], {"Routes.0.Destination.Service": "nowhere"}, refused=False)
