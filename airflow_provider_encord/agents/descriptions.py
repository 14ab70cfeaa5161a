"""What a function raised, as text without secrets."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable

_MOST_CHARACTERS = 500
_QUERY = re.compile(r"((?:https?:/)?/[^\s\"'<>?#]*)\?[^\s\"'<>=]*=[^\s\"'<>]*")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # for a terminal, in errors of encord-agents
_LEAST_SECRET = 8  # characters; less is in any text


def described(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The type and message of an error, shortened and without signed URLs."""
    text = without_urls(str(error), secrets)
    return f"{type(error).__name__}: {text[:_MOST_CHARACTERS]}" if text else type(error).__name__


def traceback_of(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The traceback of an error, without signed URLs."""
    return without_urls("".join(traceback.format_exception(error)), secrets)


def without_urls(text: str, secrets: Iterable[str] = ()) -> str:
    """Remove signed URLs, the query of every other URL or path, because it may be a signature, and colours."""
    for secret in secrets:
        text = text.replace(secret, "<signed URL>")
        query = secret.partition("?")[2]
        if len(query) >= _LEAST_SECRET:
            text = text.replace(query, "...")
    return _QUERY.sub(r"\1?...", _COLOUR.sub("", text))
