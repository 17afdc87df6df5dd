"""Rules about the names of hosts that gateways and routes answer to."""

import re
from collections.abc import Iterator
from typing import Final

from mesh.consul.domain_names import is_domain_name
from mesh.consul.examples import HTTP
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.showing import show

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_gateways.go, validateHost"


def _ingress(host: str) -> Example:
    listener = {"Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": [host]}]}
    return [HTTP, {"Kind": "ingress-gateway", "Name": "ingress", "Listeners": [listener]}]


HOST_NAME: Final = refused(
    "host-name",
    what="A host is no name that DNS can carry.",
    why='Consul refuses it: Host "a..b" must be a valid DNS hostname.',
    source=f"{_SOURCE}; config_entry_routes.go, HTTPRouteConfigEntry.Validate",
    fix="write a name of non-empty labels of at most 63 bytes, 255 bytes in all",
    example=_ingress("a..example.com"),
    instead=_ingress("a.example.com"),
)

HOST_WILDCARD: Final = refused(
    "host-wildcard",
    what="A host has a * that is not its whole first label, or a listener of an API gateway is for * alone.",
    why='Consul refuses it: Host "a.*.b" is not valid, a wildcard specifier is only allowed as the leftmost label.',
    source=f"{_SOURCE}, APIGatewayConfigEntry.validateListeners",
    fix="start the host with *., or write it out; a listener of an API gateway is for every host without Hostname",
    example=_ingress("a.*.example.com"),
    instead=_ingress("*.example.com"),
)

HOST_FORM: Final = stricter(
    "host-form",
    what="A host is no lower-case name of letters, digits, dashes and dots.",
    why="Consul stores it, and no request matches it: ports are added by Consul, a dot at the end and blanks are in no "
    "Host header, and names are compared by letter.",
    source=f"{_SOURCE} (not checked there)",
    fix="write the name alone, in small letters, without port",
    example=_ingress("a.example.com:8080"),
    instead=_ingress("a.example.com"),
)

ANY: Final = "*"
"""Every host."""

_WILDCARD_LABEL: Final = "*."

_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def judge_host(host: str, at: At) -> Iterator[Problem]:
    """Problems of a host whose name Consul checks, other than `ANY`."""
    if is_domain_name(host):
        yield from judge_unchecked_host(host, at)
    else:
        yield HOST_NAME(at, f"{show(host)} is no name that DNS can carry")


def judge_unchecked_host(host: str, at: At) -> Iterator[Problem]:
    """Problems of a host of which Consul only checks the wildcard."""
    name = host.removeprefix(_WILDCARD_LABEL)
    if ANY in name:
        yield HOST_WILDCARD(at, f"{show(host)} has a * that is not its whole first label")
    else:
        yield from judge_host_form(name, at)


def judge_host_form(name: str, at: At) -> Iterator[Problem]:
    """The problem of a name without wildcard that no request has."""
    if not _HOST.fullmatch(name):
        yield HOST_FORM(at, f"{show(name)} is no lower-case name of letters, digits, dashes and dots")
