"""Whose jobspec a text of HCL is, found by a parser of HCL: which is only loaded for that.

The parser knows HCL's syntax, not Nomad's keys. It refuses one thing that Nomad reads: white space behind the word that
ends a heredoc.
"""

from typing import Final

_REST_LENGTH: Final = 40


class HclError(Exception):
    """A text is no HCL; the message says where."""


def job_ids(text: str) -> tuple[str, ...]:
    """The ids of the jobs in a jobspec, as they are written: ``a`` of ``job "a"``.

    An ``id`` in the block wins over its label (nomad@1.11.3 ``jobspec2/parse_job.go``, ``normalizeJob``).

    Raises:
        HclError: the text is no HCL.
    """
    from hcl2 import parses
    from hcl2.query import AttributeView, BlockView, DocumentView
    from lark.exceptions import UnexpectedInput

    try:
        document = DocumentView(parses(text))
    except UnexpectedInput as error:
        raise HclError(_why(text, error.line, error.column)) from error
    except RecursionError as error:
        raise HclError("it is nested too deeply") from error
    found: list[str] = []
    for block in document.blocks("job"):
        if isinstance(block, BlockView):  # always
            id_ = block.attribute("id")
            found.append(str(id_.value).strip('"') if isinstance(id_, AttributeView) else " ".join(block.name_labels))
    return tuple(found)


def _why(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :].strip() if line <= len(lines) else ""
    if not rest:
        return f"it ends too early, on line {min(line, len(lines))}"
    return f"line {line} is not understood from {rest[:_REST_LENGTH]!r} on"
