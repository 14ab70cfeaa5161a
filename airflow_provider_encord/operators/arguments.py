"""What users pass, after templates are rendered: a template gives text, also for a number, a list or a truth value.

With ``render_template_as_native_obj`` it is the other way round: a title such as ``2026`` arrives as a number. Each
function takes both.
"""

from __future__ import annotations

import ast
import math
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

FAIL, SKIP = "fail", "skip"
ON_ERROR = (FAIL, SKIP)
"""What most operators take for `on_error`: fail, or go on without what cannot be done."""
_MOST_SECONDS = 10 * 365 * 86400.0
_HALF = re.compile("[\ud800-\udfff]")
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def blank_to_none(value: Any) -> Any:
    """None for what a template rendered to nothing, else the value."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def parse_bool(value: Any, name: str, *, empty: bool | None = None) -> bool:
    """A truth value, perhaps as text.

    :param empty: What nothing stands for, where nothing is removed or changed. None refuses it: a template that
        rendered to nothing must not decide about that.
    :raises InvalidArgumentError: It is neither true nor false.
    """
    word = str(value).strip().lower()
    if word in ("", "none"):
        if empty is not None:
            return empty
        raise _invalid(f"{name}: it is empty; write True or False, and check the rendered template.")
    if word not in (*_TRUE, *_FALSE):
        raise _invalid(f"{name}: {str(value)[:80]!r} is neither true nor false.")
    return word in _TRUE


def parse_list(value: Any, name: str) -> list[Any]:
    """A list: as it is, as the text that a template makes of one, or one item that stands for a list.

    :raises InvalidArgumentError: It is the text of something that begins like a list and is none.
    """
    if value is None:
        return []
    if not isinstance(value, str):
        return [_joined(item) for item in value] if isinstance(value, Iterable) else [value]
    value = value.strip()
    if not value.startswith(("[", "(")):
        return [value] if value else []
    items = _listed(value)
    if not isinstance(items, list | tuple):
        raise _invalid(f"{name}: {value[:80]!r} is not a list. In a template, write {{{{ ... | tojson }}}}.")
    if any(item is None or isinstance(item, bool) for item in items):
        raise _invalid(f"{name}: {value[:80]!r} holds a value that is not text. Check the rendered template.")
    return list(items)


def _listed(written: str) -> Any:
    """A list out of its text: JSON, or what `str` makes of a list; None for other text.

    JSON comes first: ``tojson`` writes an emoji as two halves, which only JSON puts together.
    """
    from airflow_provider_encord.client.malformed import NOT_JSON
    from airflow_provider_encord.client.strict_json import loads

    try:
        return loads(written)
    except NOT_JSON:
        pass
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _joined(value: Any) -> Any:
    """The value, in which the halves of surrogate pairs are one character.

    ``tojson`` writes them as two escapes. Native rendering reads these as Python, which leaves them apart.
    """
    if type(value) is str and _HALF.search(value):
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:  # one without the other, which is refused where it is used
            return value
    try:
        if type(value) in (list, tuple):
            return type(value)(map(_joined, value))
        if type(value) is dict:
            return {_joined(key): _joined(inner) for key, inner in value.items()}
    except RecursionError:  # refused where it is used, too
        pass
    return value


def parse_mapping(value: Any, name: str) -> Mapping[str, Any] | None:
    """A dictionary: as it is, or as JSON.

    :raises InvalidArgumentError: It is neither.
    """
    value = _joined(blank_to_none(value))
    if isinstance(value, str):
        from airflow_provider_encord.client.malformed import NOT_JSON
        from airflow_provider_encord.client.strict_json import loads

        try:
            value = loads(value)
        except NOT_JSON as error:
            raise _invalid(f"{name}: it is not JSON ({error}). In a template, write {{{{ ... | tojson }}}}.") from None
    if value is not None and not isinstance(value, Mapping):
        raise _invalid(f"{name}: it must be a dictionary, not a {type(value).__name__}.")
    return value


def json_mapping(value: Any, name: str) -> dict[str, Any] | None:
    """A dictionary as JSON has it: times, `Decimal` and `UUID` values as `plain_json` writes them.

    :raises InvalidArgumentError: It is not a dictionary, or holds a value that has no form in JSON.
    """
    from airflow_provider_encord.plain_json import plain_json

    found = parse_mapping(value, name)
    return None if found is None else plain_json(found, name)


def text_or_mapping(value: Any, name: str) -> str | Mapping[str, Any] | None:
    """A word, a path or a pattern as it is; a dictionary as it is, or as JSON; None for nothing.

    :raises InvalidArgumentError: It looks like JSON and is none, or is neither.
    """
    value = blank_to_none(value)
    return value if isinstance(value, str) and not value.lstrip().startswith("{") else parse_mapping(value, name)


def parse_datetime(value: Any, name: str) -> str | None:
    """A time as Encord is asked for it; None for what a template rendered to nothing.

    :raises InvalidArgumentError: It is not a time.
    """
    from airflow_provider_encord.client.times import write_time

    try:
        return write_time(blank_to_none(value))
    except (ValueError, TypeError, AttributeError):
        raise _invalid(
            f"{name}: {str(value)[:80]!r} is not a time. Write it as 2026-11-23T08:00:00+00:00; where a template may "
            "have none, let it render to nothing: {{ ... or '' }}."
        ) from None


def parse_positive_int(value: Any, name: str, *, most: int | None = None) -> int:
    """A number of at least 1.

    :param most: The largest that is taken.
    :raises InvalidArgumentError: It is not a whole number, or out of its bounds.
    """
    number = _number(value)
    if not number.is_integer() or number < 1 or (most and number > most):
        wanted = f"from 1 to {most}" if most else "of at least 1"
        raise _invalid(f"{name}: {str(value)[:80]!r} is not a whole number {wanted}.")
    return int(number)


def parse_seconds(value: Any, name: str) -> float:
    """A number of seconds over 0, at most ten years, perhaps with a fraction.

    :raises InvalidArgumentError: It is none.
    """
    number = _number(value)
    if not (math.isfinite(number) and number > 0):
        raise _invalid(f"{name}: {str(value)[:80]!r} is not a number of seconds over 0.")
    if number > _MOST_SECONDS:
        raise _invalid(f"{name}: {str(value)[:80]} seconds are more than ten years ({_MOST_SECONDS:.0f}).")
    return number


def parse_url(value: Any, name: str) -> str:
    """The URL of a path, which is not looked at; cheap enough for the parsing of a DAG.

    :raises InvalidArgumentError: It is empty or relative.
    """
    written = _one_path(value, name)
    try:
        url = urllib.parse.urlsplit(written if "://" in written else f"file://{written}")
    except ValueError:  # brackets where the name of a host stands
        raise _invalid(
            f"{name}: {written[:80]!r} is not a path. Give one absolute path, or one URL such as "
            "s3://connection_id@bucket/path."
        ) from None
    if not written or (url.scheme in ("file", "local") and url.netloc.rpartition("@")[2]):
        raise _invalid(
            f"{name}: {written!r} is not absolute, and workers share no working directory. Give an absolute path, or "
            "a URL such as s3://connection_id@bucket/path."
        )
    return written if "://" in written else f"file://{written}"


def parse_url_prefix(value: Any, name: str) -> str | None:
    """The beginning of URLs as Encord reads them; None for what a template rendered to nothing.

    :raises InvalidArgumentError: It is not a URL.
    """
    prefix = parse_text(value, name)
    if prefix is not None and "://" not in prefix:
        raise _invalid(
            f"{name}: {prefix[:80]!r} is not a URL. Write the place as Encord reads it, such as s3://bucket/prefix."
        )
    return prefix


def _one_path(value: Any, name: str) -> str:
    """The text of a path.

    :raises InvalidArgumentError: It is of another type, or has characters that no path has.
    """
    if not isinstance(value, str) and not hasattr(value, "parent"):
        raise _invalid(f"{name}: it must be one path, not a {type(value).__name__}.")
    written = str(_joined(value)).strip()
    if "\0" in written or any("\ud800" <= character <= "\udfff" for character in written):
        raise _invalid(f"{name}: {written[:80]!a} has a character that a path cannot have. Remove it.")
    return written


def storage_path(value: Any, name: str) -> ObjectStoragePath:
    """A path of a disk or an object store, as Airflow finds the credentials for it.

    :raises InvalidArgumentError: It is relative, or of a scheme that this deployment has no file system for, or its
        connection is not there.
    """
    from airflow_provider_encord.object_storage import object_storage_path

    uri = parse_url(value, name)
    return object_storage_path(value if hasattr(value, "protocol") else uri, name)


def parse_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """One of some words.

    :raises InvalidArgumentError: It is another.
    """
    if value not in choices:
        raise _invalid(f"{name}: {str(value)[:80]!r} is not one of {', '.join(choices)}.")
    return str(value)


def parse_text(value: Any, name: str) -> str | None:
    """A title, a name or a pattern; None for what a template rendered to nothing.

    Native rendering makes other types of texts such as ``2026`` or ``True``, which become text again.

    :raises InvalidArgumentError: It is a list or a dictionary; or the text ``None``, which a template makes of a value
        that is not there.
    """
    value = _joined(blank_to_none(value))
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise _invalid(f"{name}: it must be text, not a {type(value).__name__}.")
    if value == "None":
        raise _invalid(
            f"{name}: it is the text 'None', which a template makes of a value that is not there. Where there may be "
            "none, let it render to nothing: {{ ... or '' }}."
        )
    return str(value)


def literal_word(value: Any, name: str) -> str | None:
    """As `parse_text`, for `check_literals`: a bool is refused, as no template made it of a text such as ``True``."""
    if isinstance(value, bool):
        raise _invalid(f"{name}: it must be text, not a bool.")
    return parse_text(value, name)


def branch_name(value: Any, name: str) -> str | None:
    """The name of a label branch; None for what a template rendered to nothing.

    :raises InvalidArgumentError: See `parse_text`; or white space stands around it, which would name another branch.
    """
    branch = parse_text(value, name)
    if branch is not None and branch != branch.strip():
        raise _invalid(f"{name}: {branch[:80]!r} begins or ends with white space. Remove it.")
    return branch


def parse_texts(value: Any, name: str) -> list[str] | None:
    """Several of them; None for what a template rendered to nothing.

    :raises InvalidArgumentError: See `parse_text`.
    """
    if blank_to_none(value) is None:
        return None
    texts = (parse_text(item, name) for item in parse_list(value, name))
    return [text for text in texts if text]


def parse_ids(value: Any, name: str) -> list[str] | None:
    """Several ids; None for what a template rendered to nothing.

    :raises InvalidArgumentError: One is not an id, or it is not a list.
    """
    from airflow_provider_encord.client.resources.identifiers import require_ids

    return None if blank_to_none(value) is None else require_ids(parse_list(value, name), name)


def _number(value: Any) -> float:
    """A number, perhaps as text; not-a-number for all else."""
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _invalid(message: str) -> Exception:
    from airflow_provider_encord.client.errors import InvalidArgumentError

    return InvalidArgumentError(message)
