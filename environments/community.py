"""The demo without a licence: Consul's Community Edition on a flat network, an API gateway on the VMs in front."""

from dataclasses import replace

from environments.demo import api, web
from mesh.model import ApiGateway, Azure, Community, Environment, Flat, Listener, Platform

ENVIRONMENT = Environment(
    "community",
    platform=Platform(
        edition=Community(),
        topology=Flat(),
        azure=Azure(region="koreacentral"),
        servers=1,
        clients=1,
    ),
    services=[api, replace(web, export_to=[])],
    gateways=[ApiGateway("api-gateway", listeners=[Listener(5000, "http", to="web")])],
)
