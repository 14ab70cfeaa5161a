"""Parse and check the arguments of operators after templates are rendered.

A rendered template is a string, also for a number, a list or a boolean. With ``render_template_as_native_obj``, a title
such as ``2026`` becomes a number. The functions here accept both.
"""

from __future__ import annotations

import ast
import math
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.client.times import write_time
from airflow_provider_encord.object_storage import object_storage_path

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

FAIL, SKIP = "fail", "skip"
ON_ERROR = (FAIL, SKIP)
"""The values of `on_error` in most operators: fail the task, or skip what failed and continue."""
_MOST_SECONDS = 10 * 365 * 86400.0
_HALF = re.compile("[\ud800-\udfff]")
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def blank_to_none(value: Any) -> Any:
    """Return None for an empty or blank string, as a template may render one; else the value."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def parse_bool(value: Any, name: str, *, empty: bool | None = None) -> bool:
    """Parse a boolean, which may be a string.

    :param empty: The result for None or an empty string. If it is None, an empty value is an error: an empty template
        must not decide whether something is removed or changed.
    :raises InvalidArgumentError: The value is neither true nor false.
    """
    word = str(value).strip().lower()
    if word in ("", "none"):
        if empty is not None:
            return empty
        raise InvalidArgumentError(f"{name}: it is empty. Pass True or False, and check the rendered template.")
    if word not in (*_TRUE, *_FALSE):
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is neither true nor false. Pass True or False.")
    return word in _TRUE


def parse_list(value: Any, name: str) -> list[Any]:
    """Parse a list. It may be a list, the string that a template renders for a list, or a single item.

    :raises InvalidArgumentError: A string begins like a list but is not one.
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
        raise InvalidArgumentError(
            f"{name}: {value[:80]!r} is not a list. In a template, write {{{{ ... | tojson }}}}."
        )
    if any(item is None or isinstance(item, bool) for item in items):
        raise InvalidArgumentError(
            f"{name}: {value[:80]!r} holds a value that is not text. Check the rendered template."
        )
    return list(items)


def _listed(written: str) -> Any:
    """Parse the text of a list, as JSON or as Python; None for other text.

    JSON is tried first: ``tojson`` writes an emoji as two surrogate escapes, and only JSON joins them.
    """
    from airflow_provider_encord.plain_json import read_json

    try:
        return read_json(written)
    except ValueError:
        pass
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _joined(value: Any) -> Any:
    """Join surrogate pairs into single characters.

    ``tojson`` writes such a character as two escapes. Native rendering reads them as Python, which does not join them.
    """
    if type(value) is str and _HALF.search(value):
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:  # half of a pair; the code that uses the text raises an error
            return value
    try:
        if type(value) in (list, tuple):
            return type(value)(map(_joined, value))
        if type(value) is dict:
            return {_joined(key): _joined(inner) for key, inner in value.items()}
    except RecursionError:  # the code that uses the value raises an error
        pass
    return value


def parse_mapping(value: Any, name: str) -> Mapping[str, Any] | None:
    """Parse a dictionary, which may be JSON text.

    :raises InvalidArgumentError: It is neither a dictionary nor JSON of one.
    """
    value = _joined(blank_to_none(value))
    if isinstance(value, str):
        from airflow_provider_encord.plain_json import read_json

        try:
            value = read_json(value)
        except ValueError as error:
            raise InvalidArgumentError(
                f"{name}: it is not JSON ({error}). In a template, write {{{{ ... | tojson }}}}."
            ) from None
    if value is not None and not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name}: it must be a dictionary, not a {type(value).__name__}.")
    return value


def json_mapping(value: Any, name: str) -> dict[str, Any] | None:
    """Parse a dictionary, and convert its values to JSON types with `plain_json`.

    :raises InvalidArgumentError: It is not a dictionary, or a value cannot be converted to JSON.
    """
    from airflow_provider_encord.plain_json import plain_json

    found = parse_mapping(value, name)
    return None if found is None else plain_json(found, name)


def text_or_mapping(value: Any, name: str) -> str | Mapping[str, Any] | None:
    """Parse an argument that is either a string or a dictionary, which may be JSON text; None for an empty value.

    :raises InvalidArgumentError: It begins like JSON but is not valid, or has another type.
    """
    value = blank_to_none(value)
    return value if isinstance(value, str) and not value.lstrip().startswith("{") else parse_mapping(value, name)


def parse_datetime(value: Any, name: str) -> str | None:
    """Parse a time, and return it in the format of Encord's API; None for an empty string.

    :raises InvalidArgumentError: It is not a time.
    """

    try:
        return write_time(blank_to_none(value))
    except (ValueError, TypeError, AttributeError):
        raise InvalidArgumentError(
            f"{name}: {str(value)[:80]!r} is not a time. Pass one such as 2026-11-23T08:00:00+00:00. If the value may "
            "be missing, let the template render to an empty string: {{ ... or '' }}."
        ) from None


def parse_positive_int(value: Any, name: str, *, most: int | None = None) -> int:
    """Parse an integer of at least 1.

    :param most: The maximum.
    :raises InvalidArgumentError: It is not an integer, or out of range.
    """
    number = _number(value)
    if not number.is_integer() or number < 1 or (most and number > most):
        wanted = f"from 1 to {most}" if most else "of at least 1"
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not a whole number {wanted}.")
    return int(number)


def parse_count(value: Any, name: str) -> int:
    """Parse an integer of at least 0.

    :raises InvalidArgumentError: It is not an integer, or negative.
    """
    number = _number(value)
    if not number.is_integer() or number < 0:
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not a whole number of at least 0.")
    return int(number)


def parse_fraction(value: Any, name: str) -> float:
    """Parse a fraction: more than 0, at most 1.

    :raises InvalidArgumentError: It is not such a number.
    """
    number = _number(value)
    if not 0 < number <= 1:
        raise InvalidArgumentError(
            f"{name}: {str(value)[:80]!r} is not a fraction. Pass a number over 0, up to 1 (for all)."
        )
    return number


def parse_share(value: Any, name: str) -> float:
    """Parse a number from 0 to 1.

    :raises InvalidArgumentError: It is not such a number.
    """
    number = _number(value)
    if not 0 <= number <= 1:
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not a number from 0 to 1.")
    return number


def parse_seconds(value: Any, name: str) -> float:
    """Parse a number of seconds: more than 0, at most ten years. Fractions are allowed.

    :raises InvalidArgumentError: It is not such a number.
    """
    number = _number(value)
    if not (math.isfinite(number) and number > 0):
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not a number of seconds over 0.")
    if number > _MOST_SECONDS:
        raise InvalidArgumentError(
            f"{name}: {str(value)[:80]} seconds is more than ten years ({_MOST_SECONDS:.0f} seconds)."
        )
    return number


def parse_url(value: Any, name: str) -> str:
    """Return the URL of a path. The file system is not accessed, so this is fast enough for DAG parsing.

    :raises InvalidArgumentError: The path is empty or relative.
    """
    written = _one_path(value, name)
    try:
        url = urllib.parse.urlsplit(written if "://" in written else f"file://{written}")
    except ValueError:  # brackets in the host name
        raise InvalidArgumentError(
            f"{name}: {written[:80]!r} is not a path. Pass one absolute path, or one URL such as "
            "s3://connection_id@bucket/path."
        ) from None
    if not written or (url.scheme in ("file", "local") and url.netloc.rpartition("@")[2]):
        raise InvalidArgumentError(
            f"{name}: {written!r} is not an absolute path; workers share no working directory. Pass an absolute path, "
            "or a URL such as s3://connection_id@bucket/path."
        )
    return written if "://" in written else f"file://{written}"


def parse_url_prefix(value: Any, name: str) -> str | None:
    """Parse the prefix of the URLs that Encord reads; None for an empty string.

    :raises InvalidArgumentError: It is not a URL.
    """
    prefix = parse_text(value, name)
    if prefix is not None and "://" not in prefix:
        raise InvalidArgumentError(
            f"{name}: {prefix[:80]!r} is not a URL. Pass the URL that Encord uses, such as s3://bucket/prefix."
        )
    return prefix


def _one_path(value: Any, name: str) -> str:
    """Return a path as text.

    :raises InvalidArgumentError: It has the wrong type, or contains characters that are not allowed in paths.
    """
    if not isinstance(value, str) and not hasattr(value, "parent"):
        raise InvalidArgumentError(f"{name}: it must be one path, not a {type(value).__name__}.")
    written = str(_joined(value)).strip()
    if "\0" in written or any("\ud800" <= character <= "\udfff" for character in written):
        raise InvalidArgumentError(
            f"{name}: {written[:80]!a} contains a character that is not allowed in paths. Remove it."
        )
    return written


def storage_path(value: Any, name: str) -> ObjectStoragePath:
    """Return the path on a disk or in an object store. Airflow provides the credentials.

    :raises InvalidArgumentError: The path is relative, no file system for its scheme is installed, or its Airflow
        connection does not exist.
    """

    uri = parse_url(value, name)
    return object_storage_path(value if hasattr(value, "protocol") else uri, name)


def parse_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Check that a value is one of the allowed choices.

    :raises InvalidArgumentError: It is not.
    """
    if value not in choices:
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not one of {', '.join(choices)}.")
    return str(value)


def parse_text(value: Any, name: str) -> str | None:
    """Parse a title, a name or a pattern; None for an empty string.

    Native rendering converts strings such as ``2026`` or ``True`` to other types; they are converted back.

    :raises InvalidArgumentError: It is a list, a dictionary, or the string ``None``, which a template renders for a
        missing value.
    """
    value = _joined(blank_to_none(value))
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise InvalidArgumentError(f"{name}: it must be text, not a {type(value).__name__}.")
    if value == "None":
        raise InvalidArgumentError(
            f"{name}: it is the string 'None'; a template renders a missing value to it. If the value may be missing, "
            "let the template render to an empty string: {{ ... or '' }}."
        )
    return str(value)


def literal_word(value: Any, name: str) -> str | None:
    """Like `parse_text`, for `check_literals`. A bool is an error here, because no template was rendered yet."""
    if isinstance(value, bool):
        raise InvalidArgumentError(f"{name}: it must be text, not a bool.")
    return parse_text(value, name)


def branch_name(value: Any, name: str) -> str | None:
    """Parse the name of a label branch; None for an empty string.

    :raises InvalidArgumentError: See `parse_text`; or the name begins or ends with white space.
    """
    branch = parse_text(value, name)
    if branch is not None and branch != branch.strip():
        raise InvalidArgumentError(f"{name}: {branch[:80]!r} begins or ends with white space. Remove the white space.")
    return branch


def parse_texts(value: Any, name: str) -> list[str] | None:
    """Parse a list of strings; None for an empty string.

    :raises InvalidArgumentError: See `parse_text`.
    """
    if blank_to_none(value) is None:
        return None
    texts = (parse_text(item, name) for item in parse_list(value, name))
    return [text for text in texts if text]


def parse_ids(value: Any, name: str) -> list[str] | None:
    """Parse a list of ids; None for an empty string.

    :raises InvalidArgumentError: It is not a list, or an element is not an id.
    """

    return None if blank_to_none(value) is None else require_ids(parse_list(value, name), name)


def _number(value: Any) -> float:
    """Parse a number, which may be a string; NaN if it is not a number."""
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
