"""Rules about two peered clusters: what they are called, and what runs in which."""

from collections.abc import Iterator

from mesh.check.services import gateway_path, service_path
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway
from mesh.model.platform import Peering, Platform
from mesh.model.service import Runtime
from mesh.topology import clusters, datacenter, place


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about clusters that are not there, and about what cannot go from one to the other."""
    platform = environment.platform
    topology = platform.topology
    if isinstance(topology, Peering) and topology.peer == platform.datacenter:
        yield Finding(
            "platform.topology.peer",
            "peer-datacenter",
            f'both clusters have the datacenter "{topology.peer}", and each is known to the other by that name',
            "give the peer, or platform.datacenter, another name",
        )
    for service in environment.services:
        yield from _cluster(platform, service.runs_on, service_path(service.name))
    for gateway in environment.gateways:
        yield from _cluster(platform, gateway.runs_on, gateway_path(gateway.name))
        yield from _listeners(environment, gateway)


def _cluster(platform: Platform, runtime: Runtime, path: str) -> Iterator[Finding]:
    peer = place(platform, runtime).peer
    known = clusters(platform)
    if peer in known:
        return
    others = [f'peer="{cluster}"' for cluster in known if cluster]
    yield Finding(
        f"{path}.runs_on.peer",
        "peer-unknown",
        f'the mesh has no peered cluster "{peer}"',
        f"use {others[0]}, or leave it out" if others else f'leave it out, or use topology=Peering("{peer}")',
    )


def _listeners(environment: Environment, gateway: Gateway) -> Iterator[Finding]:
    platform = environment.platform
    services = environment.services_by_name()
    here = place(platform, gateway.runs_on).peer
    for index, listener in enumerate(gateway.listeners):
        service = services.get(listener.to)
        if service is None:
            continue
        there = place(platform, service.runs_on).peer
        if there != here:
            yield Finding(
                f"{gateway_path(gateway.name)}.listeners[{index}].to",
                "listener-peer",
                f'"{listener.to}" is in {datacenter(platform, there)} and the gateway in {datacenter(platform, here)}; '
                "a gateway's route cannot name a peer",
                "run both in one cluster, or put a service in front that has it as an upstream",
            )
