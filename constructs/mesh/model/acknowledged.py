"""Saying that something is meant, although the judge would not have it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from mesh.model.types import STRICT

_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A finding about a directly written config entry that is meant.

    Only what Consul accepts and the judge does not can be acknowledged (``mesh rules`` calls it stricter).

    Attributes:
        rule: The rule, as the finding names it.
        entry: Kind and name of the entry: ``"service-router/api"``.
        reason: Why it is meant.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    rule: _Text
    entry: _Text
    reason: _Text
