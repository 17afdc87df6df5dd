"""What a patch can reach in Envoy's resources. Verdicts are those of Consul 1.22.7."""

from typing import Any

import pytest

from mesh.consul.envoy_fields import why_no_path, why_no_value


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/outlier_detection/interval/seconds", None),
        ("outlier_detection", None),
        ("///name", None),
        ("/outlier_detection/consecutive_5xx/value", None),
        ("/cluster_type/typed_config", None),
        ("/", "names no field"),
        ("/outlier_detection/", "is empty"),
        ("/outlier_detection//interval", "is empty"),
        ("/respectDnsTtl", "has no field respectDnsTtl"),
        ("/name/x", "is a string"),
        ("/type/x", "has no fields"),
        ("/filters/0", "into a list"),
        ("/metadata/filter_metadata/x", "into a map"),
        ("/cluster_type/typed_config/type_url", "any message"),
    ],
)
def test_paths(path: str, why: str | None) -> None:
    found = why_no_path("cluster", path)

    assert found is None if why is None else why in str(found)


@pytest.mark.parametrize(
    ("path", "value", "good"),
    [
        ("/respect_dns_ttl", True, True),
        ("/respect_dns_ttl", "true", False),
        ("/respect_dns_ttl", 1, False),
        ("/name", "x", True),
        ("/name", {"x": "y"}, False),
        ("/lb_policy", "LEAST_REQUEST", True),
        ("/lb_policy", "least_request", False),
        ("/lb_policy", 1, False),
        ("/connect_timeout", {"seconds": 5}, True),
        ("/connect_timeout", "5s", False),
        ("/connect_timeout/seconds", 5.5, True),
        ("/outlier_detection/consecutive_5xx", 5, True),
        ("/outlier_detection/consecutive_5xx", {"value": 5}, True),
        ("/outlier_detection/consecutive_5xx", "5", False),
        ("/outlier_detection", {}, True),
        ("/outlier_detection", {"consecutive_5xx": 5}, True),
        ("/outlier_detection", {"interval": {}}, False),
        ("/outlier_detection", {"interval": None}, False),
        ("/outlier_detection", {"x": 1}, False),
        ("/filters", [], False),
        ("/filters", {}, False),
        ("/metadata/filter_metadata", {"x": "y"}, False),
        ("/cluster_type/typed_config", {"type_url": "x"}, True),
        ("/cluster_type/typed_config", {"value": "x"}, False),
    ],
)
def test_values(path: str, value: Any, good: bool) -> None:  # noqa: FBT001
    assert (why_no_value("cluster", path, value) is None) == good
