"""The app ``/encord-projects`` of the API server: it reads the history, and sends nothing to Encord.

Every request needs a user of Airflow, by the cookie of the web interface or a bearer token. A project that the user may
not see is answered as one that does not exist.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import logging
import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI
from starlette.responses import HTMLResponse, Response

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.history.records import Task
from airflow_provider_encord.hooks.history import history_path
from airflow_provider_encord.project_pages.absent import page_of_absent_project
from airflow_provider_encord.project_pages.access import permitted_to
from airflow_provider_encord.project_pages.catalog import Catalog, Shown
from airflow_provider_encord.project_pages.overview import overview_of
from airflow_provider_encord.project_progress.page import page_of

_log = logging.getLogger(__name__)
# Airflow shows the page in a frame that may not open other pages. A link of the page around it may.
_SCRIPT = """
addEventListener("click", function (event) {
  var link = event.target.closest("a[href]");
  if (!link || window === window.parent || new URL(link.href).pathname.includes("/encord-projects/")) return;
  event.preventDefault();
  var outside = window.parent.document.createElement("a");
  outside.href = link.href;
  if (link.origin !== location.origin) { outside.target = "_blank"; outside.rel = "noopener"; }
  window.parent.document.body.append(outside);
  outside.click();
  outside.remove();
});
"""
_HEAD = f"<script>{_SCRIPT}</script>"
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SCRIPT_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ABOVE = '<nav aria-label="Encord"><a href="../">All projects</a></nav>'

User = Annotated[Any, Depends(get_user)]


def create_app() -> FastAPI:
    """Make the app. The option ``[encord] history`` is read at the first request."""
    app, pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None), _Pages()
    app.get("/")(pages.overview)
    app.get("/projects/{project_id}")(pages.project)
    app.get("/projects/{project_id}/progress.json")(pages.progress)
    return app


class _Pages:
    """The endpoints; Starlette runs them in threads, because they read files."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None

    def overview(self, user: User) -> Response:
        """All projects that the user may see."""
        permitted = permitted_to(user)
        try:
            shown = list(self._opened().all(_now()))
        except EncordError as error:
            return _unreadable(error)
        mine = [one.glance for one in shown if permitted(one.dag_ids)]
        return HTMLResponse(overview_of(mine, head=_HEAD, hidden=len(mine) < len(shown)), headers=dict(HEADERS))

    def project(self, project_id: str, user: User) -> Response:
        """The page of a project."""
        found = self._found(project_id, user)
        if isinstance(found, Response):
            return found
        page = page_of(found.progress, head=_HEAD, above=_ABOVE, address=task_address)
        return HTMLResponse(page, headers=dict(HEADERS))

    def progress(self, project_id: str, user: User) -> Response:
        """The numbers of the page."""
        found = self._found(project_id, user)
        if isinstance(found, Response):
            return found
        return Response(msgspec.json.encode(found.progress), media_type="application/json", headers=dict(HEADERS))

    def _found(self, project_id: str, user: Any) -> Shown | Response:
        permitted = permitted_to(user)
        try:
            shown = self._opened().one(project_id, _now())
        except InvalidArgumentError:
            shown = None
        except EncordError as error:
            return _unreadable(error)
        if shown is None or not permitted(shown.dag_ids):
            return HTMLResponse(page_of_absent_project(head=_HEAD, above=_ABOVE), 404, headers=dict(HEADERS))
        return shown

    def _opened(self) -> Catalog:
        """:raises EncordError: The option cannot be used."""
        if self._catalog is None:
            self._catalog = Catalog(history_path())
        return self._catalog


def task_address(task: Task) -> str:
    """Airflow's page about a task instance, as seen from the page of a project."""
    dag, run, name = (urllib.parse.quote(text, safe="") for text in (task.dag_id, task.run_id, task.task_id))
    mapped = f"/mapped/{task.map_index}" if task.map_index >= 0 else ""
    return f"../../dags/{dag}/runs/{run}/tasks/{name}{mapped}"


def _unreadable(error: EncordError) -> Response:
    _log.error("The history of Encord's projects cannot be read: %s", error)
    return _refusal(503, "The history cannot be read. The log of the API server has the reason.")


def _refusal(status: int, text: str) -> Response:
    return HTMLResponse(f"<!doctype html><title>Encord</title><p>{text}</p>", status, headers=dict(HEADERS))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
