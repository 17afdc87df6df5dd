"""Container images of the platform's own software, from the table of versions."""

from mesh.model.platform import Platform


def consul_image(platform: Platform) -> str:
    """Consul's image for the edition."""
    version = platform.versions.consul
    return f"hashicorp/consul-enterprise:{version}-ent" if platform.enterprise else f"hashicorp/consul:{version}"


def envoy_image(platform: Platform) -> str:
    """Envoy's image, where nothing else chooses one."""
    return f"envoyproxy/envoy:v{platform.versions.envoy}"
