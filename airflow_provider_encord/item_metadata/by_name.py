"""Tables that name files: a mapping from a name to a dictionary, or a file with the same.

The file is JSON (``{"a.png": {...}}``), JSON Lines or CSV. In JSON Lines and CSV, each line names its file in
``source`` or ``title``, and all other fields are its values. Empty cells of CSV are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import same_json
from airflow_provider_encord.sources import rows
from airflow_provider_encord.sources.files import composed

log = logging.getLogger(__name__)

_SHOWN = 5  # how many names without a file the log shows
_NAMES = ("source", "title")


def read_table(
    what: Mapping[str, Any] | str, open_uri: Callable[[str], Any], argument: str
) -> Mapping[str, Mapping[str, Any]]:
    """Read metadata by name from a dictionary or a file.

    :param argument: Name of the argument, for messages.
    :raises InvalidArgumentError: The metadata cannot be read, or is not valid.
    """
    table = what if isinstance(what, Mapping) else _table(str(what), open_uri, argument)
    unfit = next((name for name, value in table.items() if not isinstance(value, Mapping)), None)
    if unfit is not None:
        raise InvalidArgumentError(f"{argument}: the metadata of {str(unfit)[:200]!r} is not a dictionary.")
    return table


def by_composed_name(table: Mapping[str, Mapping[str, Any]], argument: str) -> dict[str, Mapping[str, Any]]:
    """The table with its names in the composed Unicode form (NFC), because macOS writes file names decomposed."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, value in table.items():
        key = composed(str(name))
        if key in found and not same_json(found[key], value):
            raise InvalidArgumentError(
                f"{argument}: {key[:80]!r} is there twice, in composed and decomposed Unicode form, with "
                "different metadata. Keep one."
            )
        found[key] = value
    return found


def warn_of_unused(argument: str, table: Collection[str], used: Collection[str]) -> None:
    """Log the names of a table that match no file."""
    if unused := [name for name in table if name not in used]:
        log.warning(
            "%s: %d of its %d names match no file of source, such as %s.",
            argument,
            len(unused),
            len(table),
            ", ".join(repr(name[:80]) for name in unused[:_SHOWN]),
        )


def _table(uri: str, open_uri: Callable[[str], Any], argument: str) -> dict[str, Mapping[str, Any]]:
    path, where = open_uri(uri), f"{argument}: {uri}"
    suffix = rows.format_of(uri)
    if suffix == rows.JSON:
        return dict(rows.require_object(rows.json_whole(path, argument), where))
    if suffix in rows.JSON_LINES:
        lines = rows.json_lines(path, argument)
    elif suffix == rows.CSV:
        lines = rows.csv_rows(path, argument)
    else:
        raise InvalidArgumentError(f"{where} is neither .json, .jsonl nor .csv. Pass such a file.")
    table: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        place = f"{where}, {line.where}"
        name, metadata = _named(dict(rows.require_object(line.fields, place)), place)
        if name in table and not same_json(table[name], metadata):
            raise InvalidArgumentError(f"{place}: {name[:200]!r} is there a second time, with different metadata.")
        table[name] = metadata
    return table


def _named(line: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    given = [line.pop(name, None) for name in _NAMES]
    names = [name for name in given if name is not None and name != ""]
    if not names:
        raise InvalidArgumentError(f"{where} names no file. Add a field 'source' or 'title'.")
    if not isinstance(names[0], str):
        raise InvalidArgumentError(f"{where}: the name of the file is not text.")
    return names[0], line
