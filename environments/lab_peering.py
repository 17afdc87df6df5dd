"""As ``lab``, in two peered clusters: ``api`` in the mesh's own, and ``web`` with the gateway in front in ``dc2``."""

from dataclasses import replace

from environments.demo import api, web
from mesh.model import ApiGateway, Community, Environment, Listener, Nomad, Peering, Platform

ENVIRONMENT = Environment(
    "lab-peering",
    platform=Platform(
        edition=Community(),
        topology=Peering("dc2"),
        azure=None,
        servers=1,
        clients=1,
    ),
    services=[api, replace(web, runs_on=Nomad(peer="dc2"), export_to=[])],
    gateways=[
        ApiGateway(
            "api-gateway",
            listeners=[Listener(5000, "http", to="web")],
            runs_on=Nomad(cpu=200, memory=128, peer="dc2"),
        )
    ],
)
