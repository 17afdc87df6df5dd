"""String types whose error says what is expected, instead of showing a regular expression."""

import re

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def matching(pattern: str, what: str, *, example: str) -> AfterValidator:
    """Validates that a string matches ``pattern`` as a whole.

    Args:
        pattern: Regular expression.
        what: What the string should be, with its article: ``"a container image"``.
        example: A valid value.
    """
    whole = re.compile(pattern)

    def validate(value: str) -> str:
        if not whole.fullmatch(value):
            raise PydanticCustomError(
                "form", '"{value}" is not {what}', {"value": value, "what": what, "fix": f'write it like "{example}"'}
            )
        return value

    return AfterValidator(validate)
