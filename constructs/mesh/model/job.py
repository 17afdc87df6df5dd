"""A Nomad job that does not follow from a service."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from mesh.matching import matching
from mesh.model.types import STRICT

_JobName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_-]{1,128}", "a job's name: at most 128 letters, digits, dashes and underscores", example="legacy"
    ),
]


@dataclass(frozen=True, slots=True)
class HclJob:
    """A job as a jobspec of HCL, which Nomad gets as it is.

    What is in it is neither judged nor changed, but for its name: Terraform's plan refuses a key that Nomad does not
    know, and the server what it refuses, in the middle of an apply.

    Attributes:
        name: Name of the job, as in the text.
        text: The jobspec, with one ``job`` block.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: _JobName
    text: Annotated[str, Field(min_length=1)]
