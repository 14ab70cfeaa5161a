"""What users pass, after templates are rendered: a template gives text, also for a number, a list or a truth value.

With ``render_template_as_native_obj`` it is the other way round: a title such as ``2026`` arrives as a number. Each
function takes both.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off", "none", "")


def text(value: Any) -> Any:
    """A title or description: numbers become text, all else stays for the client to check."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def given(value: Any) -> Any:
    """None for what a template rendered to nothing, else the value."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def flag(value: Any, name: str) -> bool:
    """A truth value, perhaps as text.

    :raises InvalidRequestError: It is neither true nor false.
    """
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise _invalid(f"{name}: {str(value)[:80]!r} is neither true nor false.")
    return word in _TRUE


def several(value: Any, name: str) -> list[Any]:
    """A list: as it is, as the text that a template makes of one, or one item that stands for a list.

    :raises InvalidRequestError: It is the text of something that begins like a list and is none.
    """
    if not isinstance(value, str):
        return list(value or [])
    value = value.strip()
    if not value.startswith(("[", "(")):
        return [value] if value else []
    try:
        items = ast.literal_eval(value)  # what str() makes of a list, and JSON of texts
    except (ValueError, SyntaxError):
        items = None
    if not isinstance(items, list | tuple):
        raise _invalid(f"{name}: {value[:80]!r} is not a list. In a template, write {{{{ ... | tojson }}}}.")
    return list(items)


def mapping(value: Any, name: str) -> Mapping[str, Any] | None:
    """A dictionary: as it is, or as JSON.

    :raises InvalidRequestError: It is neither.
    """
    value = given(value)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _invalid(f"{name}: it is not JSON. In a template, write {{{{ ... | tojson }}}}.") from None
    if value is not None and not isinstance(value, Mapping):
        raise _invalid(f"{name}: it must be a dictionary, not a {type(value).__name__}.")
    return value


def moment(value: Any, name: str) -> str | None:
    """A time as Encord is asked for it; None for what a template rendered to nothing.

    :raises InvalidRequestError: It is no time.
    """
    from airflow_provider_encord.client.times import write_time

    try:
        return write_time(given(value))
    except (ValueError, TypeError, AttributeError):
        raise _invalid(f"{name}: {str(value)[:80]!r} is not a time. Write it as 2026-11-23T08:00:00+00:00.") from None


def _invalid(message: str) -> Exception:
    from airflow_provider_encord.client.errors import InvalidRequestError

    return InvalidRequestError(message)
