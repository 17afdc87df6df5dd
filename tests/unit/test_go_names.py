"""Names of hosts and addresses as Go's libraries take them; the verdicts are those of Consul 1.22.7."""

import pytest

from mesh.consul.domain_names import is_domain_name
from mesh.consul.urls import why_no_url

_63 = "x" * 63


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True),
        ("a.", True),
        (".", True),
        ("*.a", True),
        ("a b", True),
        ("::1", True),
        (_63, True),
        (f"{_63}x", False),
        (f"{_63}.{_63}.{_63}.{_63}", True),
        (f"{_63}.{_63}.{_63}.{_63}.x", False),
        ("", False),
        ("..", False),
        (".a", False),
        ("a..b", False),
        ("é" * 31, True),
        ("é" * 32, False),
        ("a\\", False),
        ("a\\.", True),
        ("a\\.b", True),
        ("a\\..b", True),
        ("x" * 62 + "\\.", True),
        ("x" * 63 + "\\.", False),
        ("x" * 60 + "\\100\\100\\100", True),
        ("x" * 61 + "\\100\\100\\100", False),
    ],
)
def test_domain_names(name: str, good: bool) -> None:  # noqa: FBT001
    assert is_domain_name(name) == good


@pytest.mark.parametrize(
    "url",
    [
        "",
        "*",
        "a/b:c",
        "mailto:a b",
        "http://[::1]:80/",
        "http://[fe80::1%25en%20]/",
        "http://s:/",
        "http://u:p@s/",
        "http://a@b@s/",
        "http://s%25/",
        "http://é/",
        "///x",
        "/a b",
        "?%zz",
    ],
)
def test_urls(url: str) -> None:
    assert why_no_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        ":x",
        "1:b",
        "a_b:c",
        "a\x01",
        "/a%zz",
        "#%zz",
        "http://[::1",
        "http://[x]/",
        "http://[1.2.3.4]/",
        "http://[::1]x/",
        "http://[::1%25]/",
        "http://[::1%25 ]/",
        "http://::1/",
        "http://s:x/",
        "http://s:80:80/",
        "http://a b/",
        "http://a%20b/",
        "http://u p@s/",
        "http://a[b/",
    ],
)
def test_urls_that_cannot_be_parsed(url: str) -> None:
    assert why_no_url(url)
