"""Values of the chart ``meshed-service`` for a service on Kubernetes."""

from math import ceil

from mesh.durations import seconds
from mesh.model.environment import Environment
from mesh.model.service import Kubernetes, Service, Upstream
from mesh.shapes import JsonObject
from mesh.topology import place
from mesh.workload import application_env, versions_of, workload_name


def namespace(service: Service) -> str:
    """Kubernetes namespace of a service.

    Raises:
        TypeError: it does not run on Kubernetes.
    """
    return _runtime(service).namespace


def release_values(environment: Environment, service: Service) -> JsonObject:
    """The values of a service's release.

    Raises:
        TypeError: it does not run on Kubernetes.
    """
    runtime = _runtime(service)
    services = environment.services_by_name()
    return {
        "name": service.name,
        "protocol": service.protocol,
        "port": service.port,
        # consul-k8s@1.9.11 ``control-plane/connect-inject/webhook``, ``findServiceAccountVolumeMount``
        "serviceAccountToken": environment.platform.acl,
        "upstreams": ",".join(
            upstream_annotation(environment, services[upstream.service], upstream) for upstream in service.upstreams
        ),
        "health": {
            "path": service.health.path,
            # Kubernetes counts in whole seconds.
            "intervalSeconds": ceil(seconds(service.health.interval)),
            "timeoutSeconds": ceil(seconds(service.health.timeout)),
        },
        "workloads": [
            {
                "name": workload_name(service, name),
                **({"version": name} if name else {}),
                "image": version.image or service.image,
                "replicas": version.count or runtime.count,
                "env": application_env(service, name, version, listen="0.0.0.0", services=services),
            }
            for name, version in versions_of(service)
        ],
        "resources": {"cpu": runtime.cpu, "memory": runtime.memory},
    }


def upstream_annotation(environment: Environment, called: Service, upstream: Upstream) -> str:
    """An upstream as Consul's injector reads it (consul-k8s@1.9.11 ``endpoints_controller.go``, ``processUpstreams``).

    The Community Edition would take a qualified name for the name of a service, which never resolves.
    """
    where = place(environment.platform, called.runs_on)
    if where.partition is None:
        return f"{called.name}:{upstream.local_port}"
    return f"{called.name}.svc.{where.namespace}.ns.{where.partition}.ap:{upstream.local_port}"


def _runtime(service: Service) -> Kubernetes:
    if not isinstance(service.runs_on, Kubernetes):
        message = f'"{service.name}" does not run on Kubernetes'
        raise TypeError(message)
    return service.runs_on
