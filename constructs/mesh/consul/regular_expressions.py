"""Regular expressions as Envoy reads them: RE2's syntax."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def why_not(expression: str) -> str | None:
    """Why ``expression`` does not compile, or none if it does."""
    import re2  # only where there is an expression to look at

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0]
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None
