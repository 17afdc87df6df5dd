"""Escaping of plain values for Terraform."""

import json

import pytest

from mesh.terraform import json_literal, literal, plain_json


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("${NOMAD_ALLOC_DIR}", "$${NOMAD_ALLOC_DIR}"),
        ("%{if true}", "%%{if true}"),
        ("$HOME %START_TIME% 100%", "$HOME %START_TIME% 100%"),
        ("$${already}", "$$${already}"),
    ],
)
def test_literal(plain: str, escaped: str) -> None:
    assert literal(plain) == escaped


def test_json_is_sorted_compact_and_ascii() -> None:
    value = {"b": "é ${x}", "a": [1, {"d": None, "c": True}]}
    assert plain_json(value) == r'{"a":[1,{"c":true,"d":null}],"b":"\u00e9 ${x}"}'
    assert json.loads(json_literal(value).replace("$${", "${")) == value
