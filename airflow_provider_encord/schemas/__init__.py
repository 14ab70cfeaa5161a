"""JSON Schemas of the files that operators write.

``report.schema.json`` describes one line of a report, ``manifest.schema.json`` the manifest of an export. ``make
reference`` generates them from the classes that write the files.
"""

from __future__ import annotations

import importlib.resources

NAMES = ("report", "manifest")


def read_schema(name: str) -> str:
    """Return the text of a schema.

    :param name: One of `NAMES`.
    :raises FileNotFoundError: There is no schema with this name.
    """
    return (importlib.resources.files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8")
