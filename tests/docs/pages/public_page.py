"""The page ``docs/reference/public.md``, made from `airflow_provider_encord.public` and the docstrings.

``python -m tests.docs.pages.public_page`` writes it.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from airflow_provider_encord.public import COMMANDS, FIXTURES, MODULES, PROVISIONAL, PublicModule
from tests.docs.blocks import DOCS
from tests.docs.pages.arguments_page import PIPE

PAGE = DOCS / "reference" / "public.md"

_HEAD = f"""# What is public

These are the names that you may import, and the commands that you may run. Everything else in the package is internal
and may change in any version. This page is generated from `airflow_provider_encord/public.py` (`make reference`).

- A public name, its arguments and what it returns are removed or renamed only in a major version, and only after two
  minor versions in which they still work and warn. Before version 1.0.0, a minor version takes the place of a major
  one.
- New arguments, new fields of records and new names come with minor versions. So pass arguments by name, and do not
  compare whole records.
- The [arguments and results of operators](arguments.md), the fields of the [connection](../connection/index.md), the
  [fields of files](../formats.md) and the URIs of assets are public in the same way.
- Functions below `{PROVISIONAL}` are provisional: both clients send these
  [operations](../api/operations.md), and they may change in a minor version.

"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(
        [*map(_section, MODULES), _table_of("Commands", COMMANDS), _table_of("Fixtures", FIXTURES)]
    )


def _section(module: PublicModule) -> str:
    rows = {name: summary(name, getattr(importlib.import_module(module.path), name)) for name in module.names}
    return _table_of(f"`{module.path}`", rows, module.about)


def _table_of(title: str, rows: dict[str, str], about: str = "") -> str:
    lines = [f"| `{name}` | {text.replace('|', PIPE)} |" for name, text in rows.items()]
    return "\n".join([f"## {title}", "", *([about, ""] if about else []), "| name | |", "|---|---|", *lines, ""])


def summary(name: str, value: Any) -> str:
    """The first sentence of a docstring; what a constant or an alias is."""
    if inspect.isclass(value) or inspect.isfunction(value):
        text = inspect.cleandoc(value.__doc__ or "").partition("\n\n")[0]
        return re.sub(r":\w+:`", "`", " ".join(text.split()).replace("``", "`"))
    return "A constant." if name.upper() == name or name == "__version__" else "A type."


if __name__ == "__main__":
    PAGE.write_text(page())
