"""The ``mesh`` command: what can be said about a declaration without synthesizing it."""

import argparse
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from mesh.commands.codes import INTERRUPTED, UNREADABLE

MOST_CLIENTS: Final = 20
"""Each is an agent of Consul and one of Nomad: more than that is too much for one machine."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    gc.disable()  # a short run that frees nothing
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may hold what the terminal's encoding does not
    try:
        try:
            options = _parser().parse_args(arguments)
            return int(options.run(options))
        finally:
            if isinstance(sys.stdout, io.TextIOWrapper):  # else it is closed
                sys.stdout.flush()  # not left to the interpreter, which shows a traceback when it cannot
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None:  # it is about a file, and not about the output
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader, such as head, has seen enough
            return 0
        print(f"error: the output cannot be written: {error.strerror or error}", file=sys.stderr)
        return UNREADABLE


def _command(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """A function of ``mesh.commands``, loaded when it is called: most runs need one of them."""

    def run(options: argparse.Namespace) -> int:
        from mesh.errors import ProjectError, UnreadableError

        try:
            return int(getattr(import_module(f"mesh.commands.{module}"), function)(options))
        except (ProjectError, UnreadableError) as error:
            print(f"error: {error}", file=sys.stderr)
            return UNREADABLE

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mesh", description="Says what a declared mesh is, and what is wrong with it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    judge = commands.add_parser("check", help="judge environments; exit code 1 when one has a problem")
    judge.add_argument("environment", nargs="*", help="all of the project when none is given")
    judge.set_defaults(run=_command("environments", "check_all"))

    about = commands.add_parser("entries", help="the config entries of an environment, or in files")
    _entries(about.add_subparsers(required=True, metavar="VERB"))

    lab = commands.add_parser("lab", help="an environment on real agents, on this machine")
    _lab(lab.add_subparsers(required=True, metavar="VERB"))

    rules = commands.add_parser("rules", help="the rules of config entries, or one of them in full")
    rules.add_argument("rule", nargs="?", help="as a finding names it")
    rules.set_defaults(run=_command("rules", "show"))
    return parser


def _lab(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    helps = {
        "up": "start the agents, apply the environment, send requests and show who answers",
        "status": "what runs; exit code 1 when something does not",
        "test": "send requests through the gateways; exit code 1 when someone else answers than is declared",
        "apply": "bring the running lab to what the environment says now",
        "down": "end it and remove all that it left",
        "logs": "the end of a log, or which there are",
    }
    parsers = {verb: verbs.add_parser(verb, help=text, description=text) for verb, text in helps.items()}
    usual = "default: MESH_ENVIRONMENT, or lab"
    for verb, parser in parsers.items():
        parser.set_defaults(run=_command("lab", verb))
        if verb == "logs":
            parser.add_argument("-e", "--environment", help=usual)
        else:
            parser.add_argument("environment", nargs="?", help="default: all that run" if verb == "down" else usual)
    parsers["up"].add_argument(
        "--clients",
        type=_number(0, MOST_CLIENTS),
        metavar="N",
        help="client machines of their own; with 0, one machine is server and client; default: as many as there are",
    )
    for verb in ("up", "test"):
        parsers[verb].add_argument(
            "--requests", type=_number(1, 100_000), default=100, metavar="N", help="of each kind; default 100"
        )
    parsers["logs"].add_argument(
        "of", nargs="?", metavar="LOG", help="a name from the list, a part of one, the beginning of parts, or a job"
    )
    parsers["logs"].add_argument(
        "-n", "--lines", type=_number(1, 1_000_000), default=50, metavar="N", help="of each; default 50"
    )


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if text.isascii() and text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")

    return number


def _entries(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listing = verbs.add_parser("list", help="all of an environment as JSON, in the order in which they are written")
    listing.set_defaults(run=_command("entries", "show_list"))
    one = verbs.add_parser("show", help="one of them as JSON; several if partitions have one each")
    one.add_argument("kind")
    one.add_argument("name")
    one.set_defaults(run=_command("entries", "show"))
    for verb in (listing, one):
        verb.add_argument(
            "environment",
            nargs="?",
            help="default: MESH_ENVIRONMENT, or demo",
        )
        verb.add_argument("--peer", action="store_true", help="those of the peered cluster")

    check = verbs.add_parser(
        "check",
        help="judge entries in JSON files as Consul would",
        description="Judges config entries as Consul would, together, before they are written.",
        epilog="Exit code: 0 all are ok, 1 one is refused or nonsense, 2 the input cannot be read. "
        "`mesh rules RULE` explains a finding.",
    )
    check.add_argument("--alone", action="store_true", help="each as if it were written to an empty Consul")
    check.add_argument(
        "--form",
        choices=["authored", "api"],
        default="authored",
        help="authored: what one may write in config_json, with Kind and Name; api: what Consul's API returns",
    )
    check.add_argument("--json", action="store_true", help="one object per entry and line")
    check.set_defaults(run=_command("entries", "check"))
    adopt = verbs.add_parser(
        "adopt",
        help="entries that Consul's API returned, as Python for an environment",
        description="Turns entries that a running Consul has (such as `consul config read`) into Python.",
    )
    adopt.set_defaults(run=_command("entries", "adopt"))
    for verb in (check, adopt):
        verb.add_argument(
            "file",
            nargs="+",
            metavar="FILE",
            help="JSON: one object, an array, or one after the other; - is standard input",
        )
    hazards = verbs.add_parser(
        "hazards",
        help="what goes wrong while one apply changes entries, and the way out",
        description="Plays a change through in Terraform's order, and says where Consul or traffic would not follow.",
        epilog="Exit code: 0 one apply does it, 1 it does not, 2 the input cannot be read or is not ok by itself.",
    )
    hazards.add_argument("--form", choices=["authored", "api"], default="authored", help="as for check")
    hazards.add_argument("file", nargs=2, metavar=("BEFORE", "AFTER"), help="JSON, as for check")
    hazards.set_defaults(run=_command("hazards", "show"))
    for verb in (check, adopt, hazards):
        verb.add_argument("--edition", choices=["community", "enterprise"], default="community")


if __name__ == "__main__":
    sys.exit(main())
