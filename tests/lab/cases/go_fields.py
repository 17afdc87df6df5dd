"""The fields of each kind that the Community Edition takes, as nested names; a ``*`` is any key of a map.

From the structs of github.com/hashicorp/consul/api@v1.32.1 (``config_entry*.go``), without what is read-only
(indexes, ``Status``, ``ParsedFromCheck``, ``Legacy*``), what only Enterprise takes, and the name and peer of
``UpstreamConfig.Defaults``, which must not be there.
"""

GO_FIELDS: dict[str, str] = {
    "mesh": """
        TransparentProxy{MeshDestinationsOnly} AllowEnablingPermissiveMutualTLS ValidateClusters
        TLS{Incoming{TLSMinVersion TLSMaxVersion CipherSuites} Outgoing{TLSMinVersion TLSMaxVersion CipherSuites}}
        HTTP{SanitizeXForwardedClientCert Incoming{RequestNormalization{InsecureDisablePathNormalization MergeSlashes
        PathWithEscapedSlashesAction HeadersWithUnderscoresAction}}} Peering{PeerThroughMeshGateways} Meta
    """,
    "proxy-defaults": """
        Mode TransparentProxy{OutboundListenerPort DialedDirectly} MutualTLSMode Config MeshGateway{Mode}
        Expose{Checks Paths{ListenerPort Path LocalPathPort Protocol}} AccessLogs{Enabled DisableListenerLogs Type
        Path JSONFormat TextFormat} EnvoyExtensions{Name Required Arguments ConsulVersion EnvoyVersion} Meta
    """,
    "service-defaults": """
        Protocol Mode TransparentProxy{OutboundListenerPort DialedDirectly} MutualTLSMode MeshGateway{Mode}
        Expose{Checks Paths{ListenerPort Path LocalPathPort Protocol}} ExternalSNI UpstreamConfig{Overrides{Name Peer
        EnvoyListenerJSON EnvoyClusterJSON Protocol ConnectTimeoutMs Limits{MaxConnections MaxPendingRequests
        MaxConcurrentRequests} PassiveHealthCheck{Interval MaxFailures EnforcingConsecutive5xx MaxEjectionPercent
        BaseEjectionTime} MeshGateway{Mode} BalanceOutboundConnections} Defaults{EnvoyListenerJSON EnvoyClusterJSON
        Protocol ConnectTimeoutMs Limits{MaxConnections MaxPendingRequests MaxConcurrentRequests}
        PassiveHealthCheck{Interval MaxFailures EnforcingConsecutive5xx MaxEjectionPercent BaseEjectionTime}
        MeshGateway{Mode} BalanceOutboundConnections}} Destination{Addresses Port} MaxInboundConnections
        LocalConnectTimeoutMs LocalRequestTimeoutMs BalanceInboundConnections EnvoyExtensions{Name Required Arguments
        ConsulVersion EnvoyVersion} Meta
    """,
    "jwt-provider": """
        JSONWebKeySet{Local{JWKS Filename} Remote{URI RequestTimeoutMs CacheDuration FetchAsynchronously UseSNI
        RetryPolicy{NumRetries RetryPolicyBackOff{BaseInterval MaxInterval}} JWKSCluster{DiscoveryType
        TLSCertificates{CaCertificateProviderInstance{InstanceName CertificateName} TrustedCA{Filename
        EnvironmentVariable InlineString InlineBytes}} ConnectTimeout}}} Issuer Audiences Locations{Header{Name
        ValuePrefix Forward} QueryParam{Name} Cookie{Name}} Forwarding{HeaderName PadForwardPayloadHeader}
        ClockSkewSeconds CacheConfig{Size} Meta
    """,
    "inline-certificate": """
        Certificate PrivateKey Meta
    """,
    "file-system-certificate": """
        Certificate PrivateKey Meta
    """,
    "service-resolver": """
        DefaultSubset Subsets{*{Filter OnlyPassing}} Redirect{Service ServiceSubset Datacenter Peer}
        Failover{*{Service ServiceSubset Datacenters Targets{Service ServiceSubset Datacenter Peer}}} ConnectTimeout
        RequestTimeout LoadBalancer{Policy RingHashConfig{MinimumRingSize MaximumRingSize}
        LeastRequestConfig{ChoiceCount} HashPolicies{Field FieldValue CookieConfig{Session TTL Path} SourceIP
        Terminal}} Meta
    """,
    "service-splitter": """
        Splits{Weight Service ServiceSubset RequestHeaders{Add Set Remove} ResponseHeaders{Add Set Remove}} Meta
    """,
    "service-router": """
        Routes{Match{HTTP{PathExact PathPrefix PathRegex CaseInsensitive Header{Name Present Exact Prefix Suffix Regex
        Invert} QueryParam{Name Present Exact Regex} Methods}} Destination{Service ServiceSubset PrefixRewrite
        RequestTimeout IdleTimeout NumRetries RetryOnConnectFailure RetryOnStatusCodes RetryOn RequestHeaders{Add Set
        Remove} ResponseHeaders{Add Set Remove}}} Meta
    """,
    "exported-services": """
        Services{Name Consumers{Peer}} Meta
    """,
    "ingress-gateway": """
        TLS{Enabled SDS{ClusterName CertResource} TLSMinVersion TLSMaxVersion CipherSuites} Listeners{Port Protocol
        Services{Name Hosts TLS{SDS{ClusterName CertResource}} RequestHeaders{Add Set Remove} ResponseHeaders{Add Set
        Remove} MaxConnections MaxPendingRequests MaxConcurrentRequests PassiveHealthCheck{Interval MaxFailures
        EnforcingConsecutive5xx MaxEjectionPercent BaseEjectionTime}} TLS{Enabled SDS{ClusterName CertResource}
        TLSMinVersion TLSMaxVersion CipherSuites}} Meta Defaults{MaxConnections MaxPendingRequests
        MaxConcurrentRequests PassiveHealthCheck{Interval MaxFailures EnforcingConsecutive5xx MaxEjectionPercent
        BaseEjectionTime}}
    """,
    "terminating-gateway": """
        Services{DisableAutoHostRewrite Name CAFile CertFile KeyFile SNI} Meta
    """,
    "api-gateway": """
        Meta Listeners{Name Hostname Port Protocol TLS{Certificates{Kind Name SectionName} MaxVersion MinVersion
        CipherSuites}}
    """,
    "http-route": """
        Parents{Kind Name SectionName} Rules{Filters{Headers{Add Remove Set} URLRewrite{Path} RetryFilter{NumRetries
        RetryOn RetryOnStatusCodes RetryOnConnectFailure} TimeoutFilter{RequestTimeout IdleTimeout}}
        ResponseFilters{Headers{Add Remove Set}} Matches{Headers{Match Name Value} Method Path{Match Value}
        Query{Match Name Value}} Services{Name Weight Filters{Headers{Add Remove Set} URLRewrite{Path}
        RetryFilter{NumRetries RetryOn RetryOnStatusCodes RetryOnConnectFailure} TimeoutFilter{RequestTimeout
        IdleTimeout}} ResponseFilters{Headers{Add Remove Set}}}} Hostnames Meta
    """,
    "tcp-route": """
        Parents{Kind Name SectionName} Services{Name} Meta
    """,
    "service-intentions": """
        Sources{Name Peer Action Permissions{Action HTTP{PathExact PathPrefix PathRegex Header{Name Present Exact
        Prefix Suffix Contains Regex Invert IgnoreCase} Methods} JWT{Providers{Name VerifyClaims{Path Value}}}}
        Precedence Type Description} JWT{Providers{Name VerifyClaims{Path Value}}} Meta
    """,
}


def paths(kind: str) -> set[str]:
    """The dotted paths of the fields of a kind that have no fields of their own."""
    found: set[str] = set()
    above: list[str] = []
    names = GO_FIELDS[kind].replace("{", " { ").replace("}", " } ").split()
    for name, after in zip(names, [*names[1:], ""], strict=True):
        if name == "}":
            above.pop()
        elif after == "{":
            above.append(name)
        elif name != "{":
            found.add(".".join((*above, name)))
    return found
