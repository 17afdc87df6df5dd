"""What we would run: three servers and two clients over three zones, TLS everywhere, ACLs that deny by default."""

from environments.community import ENVIRONMENT as COMMUNITY
from mesh.model import (
    Azure,
    Cluster,
    Community,
    Environment,
    Flat,
    HcpTerraform,
    Machine,
    Platform,
    Security,
)

ENVIRONMENT = Environment(
    "production",
    platform=Platform(
        edition=Community(),
        topology=Flat(),
        azure=Azure(region="koreacentral", zones=["1", "2", "3"], bastion=True, protect=True),
        servers=3,
        clients=2,
        server_machine=Machine(size="Standard_D2s_v5", data_disk_gb=100),
        client_machine=Machine(size="Standard_D2s_v5"),
        cluster=Cluster(nodes=3),
        security=Security.ZERO_TRUST,
    ),
    services=COMMUNITY.services,
    gateways=COMMUNITY.gateways,
    backend=HcpTerraform("example-org", workspace_project="mesh"),
)
