"""The guide's services on one Linux machine, all on Nomad: what ``make lab`` runs. Edit it, then ``mesh lab apply``."""

from dataclasses import replace

from environments.demo import api, web
from mesh.model import ApiGateway, Community, Environment, Flat, Listener, Nomad, Platform

ENVIRONMENT = Environment(
    "lab",
    platform=Platform(
        edition=Community(),
        topology=Flat(),
        azure=None,
        servers=1,
        clients=1,
    ),
    services=[api, replace(web, runs_on=Nomad(), export_to=[])],
    gateways=[ApiGateway("api-gateway", listeners=[Listener(5000, "http", to="web")])],
)
