"""Config entries of a running Consul, as the Python that builds them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from mesh.config_entry import ConfigEntry
from mesh.consul.adopt import to_python
from mesh.consul.judge import judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.consul.rulebook import RULES

ENTRIES = list({json.dumps(entry, sort_keys=True): entry for rule in RULES.values() for entry in rule.instead}.values())
"""Every entry of the rules that is right."""


def adopted(values: Sequence[Any]) -> str:
    readings = [read(value, Form.API, Edition.COMMUNITY) for value in values]
    return to_python(reading.entry for reading in readings if reading.entry is not None)


def built(code: str) -> list[ConfigEntry]:
    names: dict[str, Any] = {}
    exec(compile(code, "adopted.py", "exec"), names)  # noqa: S102 - what is printed is Python
    return list(names["ENTRIES"])


def canonical(entry: object, form: Form) -> dict[str, Any]:
    reading = read(entry, form, Edition.COMMUNITY)
    assert reading.entry is not None
    return reading.entry.written()


@pytest.mark.parametrize("value", ENTRIES, ids=[f"{index}-{entry['Kind']}" for index, entry in enumerate(ENTRIES)])
def test_what_is_printed_gives_the_same_entry(value: dict[str, Any]) -> None:
    (entry,) = built(adopted([value]))
    assert canonical(entry, Form.PYTHON) == canonical(value, Form.API)


def test_what_consul_returns_is_understood() -> None:
    returned = {
        "Kind": "service-resolver",
        "Name": "api",
        "DefaultSubset": "",
        "Subsets": {"v1": {"Filter": 'Service.Meta.version == "v1"'}},
        "Redirect": None,
        "ConnectTimeout": 15_000_000_000,
        "Failover": None,
        "LoadBalancer": None,
        "Hash": 12345678901234567890,
        "CreateIndex": 10,
        "ModifyIndex": 11,
    }
    assert adopted([returned]) == (
        '"""Config entries that a running Consul had."""\n'
        "\n"
        "from mesh.consul.entries.service_resolver import ServiceResolver, Subset\n"
        "\n"
        "ENTRIES = [\n"
        '    ServiceResolver(name="api", subsets={"v1": Subset(filter=\'Service.Meta.version == "v1"\')}, '
        'connect_timeout="15s"),\n'
        "]\n"
    )


API_GATEWAY = {
    "Kind": "api-gateway",
    "Name": "edge",
    "TLS": {"Enabled": False},
    "Listeners": [
        {"Name": "http", "Hostname": "", "Port": 8080, "Protocol": "http", "TLS": {"Certificates": None}},
        {
            "Name": "https",
            "Hostname": "a.example.com",
            "Port": 8443,
            "Protocol": "http",
            "TLS": {
                "Certificates": [{"Kind": "file-system-certificate", "Name": "c", "SectionName": ""}],
                "MinVersion": "TLSv1_2",
            },
        },
    ],
    "Status": {
        "Conditions": [
            {
                "Type": "Accepted",
                "Status": "True",
                "Reason": "Accepted",
                "Message": "gateway is valid",
                "Resource": {"Kind": "", "Name": "", "SectionName": ""},
                "LastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ]
    },
    "CreateIndex": 17,
    "ModifyIndex": 18,
}
"""As ``consul config read`` of Consul 1.22.7 prints it."""


def test_an_api_gateway_is_adopted_without_a_word() -> None:
    (judged,) = judge([API_GATEWAY], Form.API, Edition.COMMUNITY)
    assert not judged.findings
    (entry,) = built(adopted([API_GATEWAY]))
    assert entry.body() == {
        "Listeners": [
            {"Name": "http", "Port": 8080, "Protocol": "http"},
            {
                "Name": "https",
                "Port": 8443,
                "Protocol": "http",
                "Hostname": "a.example.com",
                "TLS": {
                    "Certificates": [{"Kind": "file-system-certificate", "Name": "c"}],
                    "MinVersion": "TLSv1_2",
                },
            },
        ]
    }


def test_long_ones_are_broken_into_lines_as_formatters_do() -> None:
    splits = [{"Weight": 33.33, "ServiceSubset": f"version-number-{number}"} for number in range(3)]
    code = adopted([{"Kind": "service-splitter", "Name": "api", "Splits": splits}])
    assert "from decimal import Decimal" in code
    assert all(len(line) <= 120 for line in code.splitlines())
    assert canonical(built(code)[0], Form.PYTHON)["Splits"] == splits


@pytest.mark.parametrize("text", ['"', "'", "\\", "\n", "é", "\U0001f600", "${x}", "'\"", "a\tb"])
def test_every_text_survives(text: str) -> None:
    value = {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "Meta": {text: text}}
    (entry,) = built(adopted([value]))
    assert entry.meta == {text: text}
