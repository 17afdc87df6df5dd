"""The agent starts on ports that are free, and whoever looks for a reason finds its log."""

import socket
from pathlib import Path

import pytest

from tests.lab import agent
from tests.lab.agent import AgentError, ConsulAgent

pytestmark = pytest.mark.lab


def test_a_taken_port_is_exchanged(programs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_ports = agent._free_ports
        http, server, gossip, other_http = free_ports(4)
        offers = [[http, taken.getsockname()[1], gossip], [other_http, server, gossip]]
        monkeypatch.setattr(agent, "_free_ports", lambda _: offers.pop(0))
        with ConsulAgent(programs[0]) as consul:
            assert offers == []
            assert consul.address == f"127.0.0.1:{other_http}"


def test_nothing_is_left_of_an_agent(programs: tuple[Path, Path]) -> None:
    with ConsulAgent(programs[0]) as consul:
        assert consul.process.poll() is None
    assert consul.process.poll() is not None


def test_an_agent_that_ends_by_itself_is_told(programs: tuple[Path, Path]) -> None:
    consul = ConsulAgent(programs[0])
    consul.__enter__()
    consul.process.kill()
    consul.process.wait()
    with pytest.raises(AgentError, match="Consul ended by itself"):
        consul.__exit__()


def test_an_agent_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    program = tmp_path / "consul"
    program.write_text("#!/bin/sh\necho no way >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(AgentError, match="no way"), ConsulAgent(program):
        pass


@pytest.mark.parametrize(
    ("words", "accident"),
    [
        (
            f"{agent._RACE}\n\ngithub.com/hashicorp/consul/agent/consul/controller.(*controller).AddTrigger.func1()",
            True,
        ),
        (f"{agent._RACE}\n\ngithub.com/hashicorp/consul/agent/proxycfg.(*state).run()", False),
        ("panic: assignment to entry in nil map\n\ngithub.com/hashicorp/consul/agent/consul/controller.x()", False),
    ],
)
def test_an_accident_is_told_from_other_ends(tmp_path: Path, words: str, accident: bool) -> None:  # noqa: FBT001
    consul = ConsulAgent()
    consul._folder = tmp_path
    consul.process = consul._start(["/bin/echo", words])
    assert consul.ended_by_accident() is accident
