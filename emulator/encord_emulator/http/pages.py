"""The page at ``/``, which says what this is and what it serves."""

from __future__ import annotations

from starlette.responses import Response

from ..requests.operations import Operation
from ..routes import OPERATIONS

NOT_ENCORD = (
    "This is encord-emulator, a local stand-in for tests and demos. It is NOT Encord, is not made by Encord, and keeps "
    "nothing safe: do not send it data or keys that matter."
)


def answer(method: str, path: str) -> Response:
    """The landing page, or a 404 that says where things are."""
    if path == "/" and method == "GET":
        lines = [NOT_ENCORD, "", "Controls: /_emulator/    Operations served:", "", *map(_line, OPERATIONS), ""]
        return Response("\n".join(lines), 200, None, "text/plain; charset=utf-8")
    return Response(f"{NOT_ENCORD}\nNothing is served at {path}.\n", 404, None, "text/plain; charset=utf-8")


def _line(operation: Operation) -> str:
    key = "no API key" if operation.api_key is None else f"API key: {' or '.join(operation.api_key) or 'any'}"
    return f"  {operation.place:75} {operation.name}; {'changes' if operation.changes else 'reads'}; {key}"
