"""Config entries, one module per kind: its model, and how it follows from an environment.

Write one by hand with Python names and keyword arguments, and put it into an environment's ``extra_entries``.
"""

from collections.abc import Mapping
from typing import Final

from mesh.config_entry import ConfigEntry, EntryId, ServiceRef
from mesh.consul.entries.api_gateway import ApiGateway
from mesh.consul.entries.exported_services import ExportedServices
from mesh.consul.entries.file_system_certificate import FileSystemCertificate
from mesh.consul.entries.http_route import HttpRoute
from mesh.consul.entries.ingress_gateway import IngressGateway
from mesh.consul.entries.inline_certificate import InlineCertificate
from mesh.consul.entries.jwt_provider import JwtProvider
from mesh.consul.entries.mesh import Mesh
from mesh.consul.entries.proxy_defaults import ProxyDefaults
from mesh.consul.entries.sameness_group import SamenessGroup
from mesh.consul.entries.service_defaults import ServiceDefaults
from mesh.consul.entries.service_intentions import ServiceIntentions
from mesh.consul.entries.service_resolver import ServiceResolver
from mesh.consul.entries.service_router import ServiceRouter
from mesh.consul.entries.service_splitter import ServiceSplitter
from mesh.consul.entries.tcp_route import TcpRoute
from mesh.consul.entries.terminating_gateway import TerminatingGateway

KINDS: Final[Mapping[str, type[ConfigEntry]]] = {
    model.KIND: model
    for model in (
        Mesh,
        ProxyDefaults,
        ServiceDefaults,
        SamenessGroup,
        JwtProvider,
        InlineCertificate,
        FileSystemCertificate,
        ServiceResolver,
        ServiceSplitter,
        ServiceRouter,
        ExportedServices,
        IngressGateway,
        TerminatingGateway,
        ApiGateway,
        HttpRoute,
        TcpRoute,
        ServiceIntentions,
    )
}
"""Every kind, in the order in which Consul needs them: each only reads entries of kinds before it, or of its own."""

__all__ = [
    "KINDS",
    "ApiGateway",
    "ConfigEntry",
    "EntryId",
    "ExportedServices",
    "FileSystemCertificate",
    "HttpRoute",
    "IngressGateway",
    "InlineCertificate",
    "JwtProvider",
    "Mesh",
    "ProxyDefaults",
    "SamenessGroup",
    "ServiceDefaults",
    "ServiceIntentions",
    "ServiceRef",
    "ServiceResolver",
    "ServiceRouter",
    "ServiceSplitter",
    "TcpRoute",
    "TerminatingGateway",
]
