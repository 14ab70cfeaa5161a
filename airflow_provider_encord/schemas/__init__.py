"""JSON Schemas of the files that operators write, and of nothing else.

``report.schema.json`` is about one line of a report, ``manifest.schema.json`` about the manifest of an export. They are
made from the classes that write the files, by ``make reference``.
"""

from __future__ import annotations

import importlib.resources

NAMES = ("report", "manifest")


def read_schema(name: str) -> str:
    """The text of a schema.

    :param name: Of `NAMES`.
    :raises FileNotFoundError: There is no schema of this name.
    """
    return (importlib.resources.files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8")
