"""The page ``emulator/OPERATIONS.md``: what the emulator serves, made from its own table.

``python -m tests.docs.pages.emulator_page`` writes it; a test checks that it is what the table says.
"""

from __future__ import annotations

from encord_emulator import routes
from encord_emulator.requests.operations import V1, Operation
from tests.docs.blocks import CHECKOUT

PAGE = CHECKOUT / "emulator" / "OPERATIONS.md"

_HEAD = """\
# What the emulator serves

Every operation of Encord's API that this version serves, from its own table. Every other request gets an error that
says that the emulator does not know it.

- *Request*: method and path of v2, below `/v2/public`; query type and verb of v1, and what the request may be about.
- *API key*: scopes of which an API key needs one. "any" is every key of the resource; without an entry, it needs an SSH
  key.
- *Changes*: whether it changes anything.
"""
_TABLE = """
| Operation | Request | API key | Changes |
|---|---|---|---|
"""


def page() -> str:
    """The page: a section for each subject of the table."""
    subjects = [(subject.__name__.rpartition(".")[2], subject.OPERATIONS) for subject in routes.SUBJECTS]
    return _HEAD + "".join(
        f"\n## {name.capitalize()}\n{_TABLE}{''.join(map(_row, operations))}" for name, operations in subjects
    )


def _row(operation: Operation) -> str:
    version = "v1" if isinstance(operation, V1) else "v2"
    request = operation.place.removeprefix(f"{version} ")
    changes = "yes" if operation.changes else ""
    return f"| `{operation.name}` ({version}) | `{request}` | {_keys(operation)} | {changes} |\n"


def _keys(operation: Operation) -> str:
    if operation.api_key is None:
        return ""
    return ", ".join(f"`{scope}`" for scope in operation.api_key) or "any"


if __name__ == "__main__":
    PAGE.write_text(page())
