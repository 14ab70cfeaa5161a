"""What is not the API: the page at ``/``, which says what this is and what it serves, and the pages for people."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..pages import serving
from ..pages.markup import NOT_ENCORD
from ..pages.start_page import start_page
from ..pages.visit import Visit
from ..requests.operations import Operation
from ..routes import OPERATIONS
from ..state.emulation import Emulation
from .request_origin import is_from_loopback


def answer(emulation: Emulation, request: Request) -> Response:
    """A page, or a 404 that says where things are. To programs, the first page is plain text."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    if request.method != "GET" or not serving.is_page(path):
        return _text(f"{NOT_ENCORD}\nNothing is served at {path}.\n", 404)
    if path == "/" and "text/html" not in request.headers.get("accept", ""):
        lines = [NOT_ENCORD, "", "Controls: /_emulator/    Operations served:", "", _operations(), ""]
        return _text("\n".join(lines), 200)
    if not is_from_loopback(request.scope):
        return _text(f"{NOT_ENCORD}\nThe pages are for the loopback only.\n", 403)
    if path == "/":
        return start_page(Visit(emulation, path, query), _operations())
    return serving.show(emulation, path, query)


def _text(content: str, status: int) -> Response:
    return Response(content, status, {"Vary": "Accept"}, "text/plain; charset=utf-8")


def _operations() -> str:
    return "\n".join(map(_line, OPERATIONS))


def _line(operation: Operation) -> str:
    key = "no API key" if operation.api_key is None else f"API key: {' or '.join(operation.api_key) or 'any'}"
    return f"  {operation.place:75} {operation.name}; {'changes' if operation.changes else 'reads'}; {key}"
