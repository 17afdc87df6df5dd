"""Rules about single keys and values, the same for every kind; :mod:`mesh.consul.reading` applies them."""

from typing import Final

from mesh.consul.examples import HTTP
from mesh.rules import canonicalised, refused, stricter

_PROVIDER: Final = "terraform-provider-consul@2.22.1 consul/resource_consul_config_entry.go"
_DECODE: Final = f"{_PROVIDER}, consul/api@1.32.1 DecodeConfigEntry"

NOT_AN_ENTRY: Final = refused(
    "entry-form",
    what="Something is no object with a Kind and a Name.",
    why="Consul knows an entry by its kind and name.",
    source="consul@1.22.7 agent/structs/config_entry.go, DecodeConfigEntry",
    fix='write an object with "Kind" and "Name"',
    example=[{"Name": "web", "Protocol": "http"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

KIND_UNKNOWN: Final = refused(
    "kind-unknown",
    what="The kind does not exist, or cannot be written.",
    why="The provider fails only when the plan is applied: invalid config entry kind.",
    source="consul/api@1.32.1 makeConfigEntry",
    fix="use one of the kinds that the provider can write, such as service-defaults",
    example=[{"Kind": "service-default", "Name": "web", "Protocol": "http"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

KIND_NOT_IN_PROVIDER: Final = refused(
    "kind-not-in-provider",
    what="The kind exists in some Consul, and the pinned provider cannot write it.",
    why="bound-api-gateway belongs to Consul's own controller; rate-limit is newer than Consul 1.22; "
    "control-plane-request-limit is not for the Community Edition.",
    source="consul/api@1.32.1 makeConfigEntry; consul@1.22.7 agent/structs/config_entry.go, MakeConfigEntry",
    fix="remove it, or write it with another tool",
    example=[{"Kind": "bound-api-gateway", "Name": "gateway"}],
    instead=[
        {"Kind": "api-gateway", "Name": "gateway", "Listeners": [{"Name": "http", "Port": 80, "Protocol": "http"}]}
    ],
)

NAME_MISSING: Final = refused(
    "name-missing",
    what="The entry has no name.",
    why="Name is required.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate",
    fix="give it a name",
    example=[{"Kind": "service-resolver"}],
    instead=[{"Kind": "service-resolver", "Name": "web"}],
)

ENTRY_TWICE: Final = refused(
    "entry-twice",
    what="Two entries have the same kind, name, partition and namespace.",
    why="The second overwrites the first, and both show as changed in every plan.",
    source=_PROVIDER,
    fix="write one of them",
    example=[
        {"Kind": "service-defaults", "Name": "web", "Protocol": "http"},
        {"Kind": "service-defaults", "Name": "web", "Protocol": "tcp"},
    ],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
    judged=False,
)

NAME_UNREACHABLE: Final = refused(
    "name-unreachable",
    what="The name cannot stand in the address of the entry in Consul's API.",
    why="Consul stores it, and can neither return nor delete it: the address of a//b or a/../b leads elsewhere, and "
    "one with unprintable characters is refused.",
    source="Go's net/http.ServeMux; consul@1.22.7 agent/http.go, DisableHTTPUnprintableCharFilter",
    fix="use letters, digits, dots and dashes",
    example=[{"Kind": "file-system-certificate", "Name": "a/../b", "Certificate": "/c.pem", "PrivateKey": "/k.pem"}],
    instead=[{"Kind": "file-system-certificate", "Name": "a-b", "Certificate": "/c.pem", "PrivateKey": "/k.pem"}],
)

KEY_UNKNOWN: Final = refused(
    "key-unknown",
    what="A key does not exist in this object.",
    why="The provider drops it without a word, and the plan is clean. Keys are Go's: passive_health_check is lost, "
    "PassiveHealthCheck is meant.",
    source=_DECODE,
    fix="use the name that is meant, or remove it",
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"Limits": {"MaxConnections": 1}, "passive_health_check": {}}},
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {"Interval": "30s", "MaxFailures": 5}}},
        }
    ],
)

KEY_DROPPED: Final = refused(
    "key-not-in-provider",
    what="Consul knows the key, and the pinned provider does not.",
    why="The provider drops it without a word, and the plan is clean.",
    source=_DECODE,
    fix="remove it, or write the entry with another tool",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MaxRequestHeadersKB": 96}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

KEY_READ_ONLY: Final = refused(
    "key-read-only",
    what="A key is Consul's own: an index, a hash, a status.",
    why="It would be ignored, or differ in every plan.",
    source=_PROVIDER,
    fix="remove it; what Consul's API returned can be read with --form api",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "ModifyIndex": 5}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

KEY_CASE: Final = stricter(
    "key-case",
    what="A key has other capitals than Consul's.",
    why="The provider matches it without regard to case, but the server's aliases, and people, do not.",
    source=_DECODE,
    fix="write it as Consul does",
    example=[{"Kind": "service-defaults", "Name": "web", "protocol": "http"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

FIELD_MISSING: Final = refused(
    "field-missing",
    what="A field that Consul requires is missing or empty.",
    why="Consul refuses the entry.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate",
    fix="say it",
    example=[HTTP, {"Kind": "service-splitter", "Name": "web"}],
    instead=[HTTP, {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100}]}],
)

FIELD_EXPECTED: Final = stricter(
    "field-expected",
    what="A field is missing or empty, without which the object does nothing, or something else than it looks like.",
    why="Consul accepts it. A service-defaults without Protocol means tcp and hides what proxy-defaults says; an "
    "http-route service without a name goes nowhere.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate (not checked there)",
    fix="say it",
    example=[{"Kind": "service-defaults", "Name": "web", "ExternalSNI": "web.example.com"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "tcp", "ExternalSNI": "web.example.com"}],
)

WRONG_TYPE: Final = refused(
    "value-type",
    what="A value has another type than its field.",
    why="The provider cannot decode it.",
    source=_DECODE,
    fix="give a value of the field's type",
    example=[{"Kind": "service-resolver", "Name": "web", "Subsets": "v1"}],
    instead=[{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"OnlyPassing": True}}}],
)

LOOSE_TYPE: Final = stricter(
    "value-type-loose",
    what="A value has another type than its field, and the provider converts it.",
    why='"90" becomes 90 and a single value a list of one, which hides mistakes.',
    source=f"{_DECODE} (WeaklyTypedInput)",
    fix="give a value of the field's type",
    example=[{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"OnlyPassing": "true"}}}],
    instead=[{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"OnlyPassing": True}}}],
)

FRACTION: Final = stricter(
    "number-fraction",
    what="A whole number is written with a fraction.",
    why="The provider cuts the fraction off.",
    source=_DECODE,
    fix="write a whole number",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MaxInboundConnections": 1.5}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MaxInboundConnections": 2}],
)

NUMBER_RANGE: Final = stricter(
    "number-range",
    what="A number is outside of what its field can mean.",
    why="Consul does not check it: a negative one wraps around, a port does not exist, a timeout is no timeout.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate (not checked there)",
    fix="use a number within the range",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MaxInboundConnections": -1}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "MaxInboundConnections": 1}],
)

NUMBER_WRAPS: Final = refused(
    "number-wraps",
    what="A number does not fit into the bits that Consul keeps for it.",
    why="The provider wraps it around. Without a sign, -1 becomes 4294967295, or, depending on the field, a difference "
    "in every plan; with one, 9223372036854775807, which is rounded up, becomes -9223372036854775808.",
    source=f"{_DECODE} (WeaklyTypedInput)",
    fix="use a number that fits",
    example=[
        {
            "Kind": "service-resolver",
            "Name": "web",
            "LoadBalancer": {"Policy": "least_request", "LeastRequestConfig": {"ChoiceCount": -1}},
        }
    ],
    instead=[
        {
            "Kind": "service-resolver",
            "Name": "web",
            "LoadBalancer": {"Policy": "least_request", "LeastRequestConfig": {"ChoiceCount": 2}},
        }
    ],
)

DURATION: Final = refused(
    "duration-form",
    what="A length of time is not written as Go writes it.",
    why='The provider refuses it: time: missing unit in duration "15".',
    source=f"{_DECODE}; Go's time.ParseDuration",
    fix='write a number with a unit, such as "30s", "1m30s" or "500ms"',
    example=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "15"}],
    instead=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "15s"}],
)

DURATION_NUMBER: Final = stricter(
    "duration-number",
    what="A length of time is a number.",
    why="It is taken as nanoseconds: 15 is stored as 15ns (hashicorp/consul#16147).",
    source=_DECODE,
    fix='write a number with a unit, such as "15s"',
    example=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": 15}],
    instead=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "15s"}],
)

DURATION_SIGN: Final = stricter(
    "duration-sign",
    what="A length of time is negative, or zero where Consul takes zero for more than nothing said.",
    why="Consul does not check it, and Envoy refuses it or waits for nothing.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate (not checked there)",
    fix="write a length above zero",
    example=[
        HTTP,
        {
            "Kind": "service-router",
            "Name": "web",
            "Routes": [
                {"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": {"Service": "web", "RequestTimeout": "-5s"}}
            ],
        },
    ],
    instead=[
        HTTP,
        {
            "Kind": "service-router",
            "Name": "web",
            "Routes": [
                {"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": {"Service": "web", "RequestTimeout": "5s"}}
            ],
        },
    ],
)

DURATION_NEGATIVE: Final = refused(
    "duration-negative",
    what="A length of time is negative.",
    why="Consul refuses it: Bad ConnectTimeout '-5s', must be >= 0.",
    source="consul@1.22.7 agent/structs/config_entry_discoverychain.go, ServiceResolverConfigEntry.Validate; "
    "agent/structs/config_entry.go, PassiveHealthCheck.Validate",
    fix="write a length above zero",
    example=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "-5s"}],
    instead=[{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "5s"}],
)

CHOICE: Final = refused(
    "value-unknown",
    what="A value is none of those that its field can have.",
    why="Consul refuses it.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate",
    fix="use one of the values of the field",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "https"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

UNCHECKED_CHOICE: Final = stricter(
    "value-meaningless",
    what="A value is none of those that its field can have, and Consul does not look.",
    why="It is stored, and means nothing or the default.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate (not checked there)",
    fix="use one of the values of the field",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "Mode": "bogus"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "Mode": "direct"}],
)

CASE_FOLDED: Final = canonicalised(
    "case-folded",
    what="A value has other capitals than Consul's.",
    why="The server folds the case, which would show as a difference in every plan.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Normalize",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "HTTP"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

EMPTY_LEFT_OUT: Final = canonicalised(
    "empty-left-out",
    what="A text, list, map or object is empty, which is the same as left out.",
    why="The server returns nothing for it, which would show as a difference in every plan.",
    source="consul@1.22.7 agent/structs/config_entry*.go (json omitempty)",
    example=[{"Kind": "service-resolver", "Name": "web", "Subsets": {}}],
    instead=[{"Kind": "service-resolver", "Name": "web"}],
)

ZERO_LEFT_OUT: Final = canonicalised(
    "zero-left-out",
    what="A number is 0, which is the same as left out.",
    why="The server returns nothing for it, which would show as a difference in every plan.",
    source="consul@1.22.7 agent/structs/config_entry_gateways.go, IngressService (json omitempty)",
    example=[
        {
            "Kind": "ingress-gateway",
            "Name": "ingress",
            "Listeners": [{"Port": 8080, "Protocol": "tcp", "Services": [{"Name": "db", "MaxConnections": 0}]}],
        }
    ],
    instead=[
        {
            "Kind": "ingress-gateway",
            "Name": "ingress",
            "Listeners": [{"Port": 8080, "Protocol": "tcp", "Services": [{"Name": "db"}]}],
        }
    ],
)

NULL_LEFT_OUT: Final = canonicalised(
    "null-left-out",
    what="A value is null, which is the same as left out.",
    why="A null may show as a difference in every plan.",
    source=_DECODE,
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "TransparentProxy": None}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

EMPTY_OBJECT: Final = stricter(
    "object-empty",
    what="An object says nothing.",
    why="Consul keeps it, and it means nothing or more than it says: Match.HTTP {} takes every request.",
    source="consul@1.22.7 agent/structs/config_entry*.go (not checked there)",
    fix="say what is meant, or remove it",
    example=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "UpstreamConfig": {}}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

LIST_UNWRAPPED: Final = canonicalised(
    "list-unwrapped",
    what="A value of a free-form map is a list of one item.",
    why="The server stores the item without the list, and likewise every list of one in it, which would show as a "
    "difference in every plan. Lists in an object, or of several, it leaves alone.",
    source="consul@1.22.7 lib/decode/decode.go, HookWeakDecodeFromSlice",
    example=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": ["x"]}}],
    instead=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": "x"}}],
)

LIST_NESTED: Final = refused(
    "list-nested",
    what="A value of a free-form map is a list whose one item is a list of one.",
    why="The server stores the inner list, which shows as a difference in every plan; and that cannot be written "
    "either, because the server would store its item.",
    source="consul@1.22.7 lib/decode/decode.go, HookWeakDecodeFromSlice",
    fix="write the item without lists",
    example=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": [["x"]]}}],
    instead=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": "x"}}],
)

NULL_IN_LIST: Final = refused(
    "null-in-list",
    what="A list of objects, or one in a free-form map, holds null.",
    why="The server that takes the request fails over a list of one null and closes the connection. Over any other "
    "null in a list in proxy-defaults' Config every server ends, and ends again whenever it is started, because by "
    "then the entry is in its log.",
    source="consul@1.22.7 lib/decode/decode.go, unSlice; agent/structs/config_entry.go, "
    "ProxyConfigEntry.UnmarshalBinary (lib/map_walker.go, MapWalk)",
    fix="remove it",
    example=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": [None]}}],
    instead=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": None}}],
)

NUMBER_ROUNDED: Final = stricter(
    "number-rounded",
    what="A number in a free-form map has more digits than Consul keeps.",
    why="Consul keeps numbers in 64 bits with a fraction, whole ones exactly up to 9007199254740992. A larger one is "
    "rounded without a word.",
    source="consul@1.22.7 agent/structs/config_entry.go, DecodeConfigEntry (encoding/json)",
    fix="use a smaller number, or a text",
    example=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": 9007199254740993}}],
    instead=[{"Kind": "proxy-defaults", "Name": "global", "Config": {"a": "9007199254740993"}}],
)

ENTERPRISE_ONLY: Final = refused(
    "enterprise-only",
    what="A field or kind needs Consul Enterprise.",
    why="The Community server refuses it, even with the value it would have.",
    source="consul@1.22.7 agent/structs/*_ce.go",
    fix="remove it, or use the Enterprise edition",
    example=[{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "api", "Namespace": "default"}}],
    instead=[{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "api"}}],
)

ENTERPRISE_LOST: Final = refused(
    "enterprise-lost",
    what="A field needs Consul Enterprise, and the Community server drops it.",
    why="It shows as a difference in every plan.",
    source="consul@1.22.7 agent/structs/config_entry_exports_ce.go",
    fix="remove it, or use the Enterprise edition",
    example=[
        {
            "Kind": "exported-services",
            "Name": "default",
            "Services": [{"Name": "web", "Namespace": "default", "Consumers": [{"Peer": "aks"}]}],
        }
    ],
    instead=[
        {
            "Kind": "exported-services",
            "Name": "default",
            "Services": [{"Name": "web", "Consumers": [{"Peer": "aks"}]}],
        }
    ],
)

ENTERPRISE_IGNORED: Final = stricter(
    "enterprise-ignored",
    what="A field needs Consul Enterprise, and the Community server stores it without using it.",
    why="A route to another partition stays in its own; an export to a partition reaches nobody.",
    source="consul@1.22.7 agent/structs/config_entry_discoverychain_ce.go",
    fix="remove it, or use the Enterprise edition",
    example=[
        {
            "Kind": "exported-services",
            "Name": "default",
            "Services": [{"Name": "web", "Consumers": [{"Partition": "k8s"}]}],
        }
    ],
    instead=[
        {
            "Kind": "exported-services",
            "Name": "default",
            "Services": [{"Name": "web", "Consumers": [{"Peer": "aks"}]}],
        }
    ],
)

META_MANY: Final = refused(
    "meta-many",
    what="Meta has more than 64 pairs.",
    why="Consul refuses it: Meta exceeds maximum element count 64.",
    source="consul@1.22.7 agent/structs/config_entry.go, validateConfigEntryMeta",
    fix="keep at most 64",
    example=[{"Kind": "service-resolver", "Name": "web", "Meta": {f"k{number}": "v" for number in range(65)}}],
    instead=[{"Kind": "service-resolver", "Name": "web", "Meta": {"k": "v"}}],
)

META_LONG: Final = refused(
    "meta-long",
    what="A key of Meta has more than 128 bytes, or a value more than 512.",
    why='Consul refuses it: Meta key "…" exceeds maximum length 128.',
    source="consul@1.22.7 agent/structs/config_entry.go, validateConfigEntryMeta",
    fix="shorten it",
    example=[{"Kind": "service-resolver", "Name": "web", "Meta": {"k": "v" * 513}}],
    instead=[{"Kind": "service-resolver", "Name": "web", "Meta": {"k": "v"}}],
)
