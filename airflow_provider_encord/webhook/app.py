"""The app ``/encord``: it takes Encord's deliveries at ``POST /encord/webhook``.

Airflow does not authenticate requests to a plugin's app, so the signature is the only door. Refused in this order, and
before anything is parsed: too long (413), not signed with a secret of ours, or signed too long ago (401). Then what is
not JSON, or not what Encord documents (400).

Genuine deliveries that are not for this deployment are acknowledged, and nothing is done: unknown events, versions,
reasons, assets, and also projects. Encord records any other response than 2xx as a failed delivery and sends it again,
so a 403 for a project that another deployment handles would keep both sides busy and change nothing. It would not
protect anything either: the sender has proved that it knows the secret.
"""

from __future__ import annotations

import asyncio
import logging
import time

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from airflow_provider_encord.webhook.deliveries import MalformedError, Unknown, read_delivery
from airflow_provider_encord.webhook.intake import Intake, UnavailableError
from airflow_provider_encord.webhook.lookup import Lookup
from airflow_provider_encord.webhook.settings import ReceiverSettings
from airflow_provider_encord.webhook.signature import UnverifiedError, verify
from airflow_provider_encord.webhook.storing import EventStore

PATH = "/webhook"
IGNORED = "ignored"
BODY_SECONDS = 30.0
"""How long the body may take to arrive."""
_QUIET_SECONDS = 60.0
_log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """A delivery is not accepted.

    :param status: HTTP status.
    :param message: What the sender gets to know.
    :param why: For the log, if it is not the same.
    """

    def __init__(self, status: int, message: str, why: str = ""):
        super().__init__(message)
        self.status, self.message, self.why = status, message, why or message


class _Receiver:
    """The endpoint.

    :param intake: Stores what is accepted.
    """

    def __init__(self, settings: ReceiverSettings, intake: Intake):
        self._settings, self._intake = settings, intake
        self._refusals = _RefusalLog()

    async def receive(self, request: Request) -> Response:
        """Answer a delivery."""
        try:
            body = await _read_body(request, self._settings.max_body_bytes)
            return await self._act(request, body)
        except _RefusedError as refusal:
            self._refusals.note(refusal.why)
            return JSONResponse({"message": refusal.message}, refusal.status, {"Connection": "close"})
        except MalformedError as error:
            _log.warning("A signed delivery was refused: %s", error)
            return JSONResponse({"message": str(error)}, 400)
        except UnavailableError as error:
            _log.warning("A delivery could not be stored, and Encord will send it again: %s", error)
            return JSONResponse({"message": "Not stored. Send it again."}, 503, {"Retry-After": "60"})
        except ClientDisconnect:
            return Response(status_code=400)

    async def _act(self, request: Request, body: bytes) -> Response:
        now = time.time()
        delivery = read_delivery(body, self._verify(request, body, now), now)
        if isinstance(delivery, Unknown):
            _log.info("A webhook was ignored: %s is not known.", delivery.why)
            return JSONResponse({"status": IGNORED})
        if delivery.project_id not in self._settings.project_ids:
            _log.info("A webhook was ignored: [encord] webhook_projects has no project %s.", delivery.project_id)
            return JSONResponse({"status": IGNORED})
        return JSONResponse({"status": await self._intake.take(delivery)})

    def _verify(self, request: Request, body: bytes, now: float) -> str:
        settings = self._settings
        try:
            return verify(
                request.headers.raw,
                body,
                secrets=settings.secrets,
                tolerance_seconds=settings.tolerance_seconds,
                now=now,
            )
        except UnverifiedError as error:
            why = str(error)
        message = "This is not a delivery that Encord signed for this receiver within the last minutes."
        raise _RefusedError(401, message, why)


class _RefusalLog:
    """Logs refusals, at most one in a minute: anybody can send what is refused."""

    def __init__(self) -> None:
        self._next_at, self._since = 0.0, 0

    def note(self, why: str) -> None:
        """Count a refusal, and log it if it is time."""
        self._since += 1
        if time.monotonic() >= self._next_at:
            _log.warning("%d requests to the webhook receiver were refused; the last one: %s", self._since, why)
            self._next_at, self._since = time.monotonic() + _QUIET_SECONDS, 0


async def _read_body(request: Request, maximum: int) -> bytes:
    """Read the body, and stop where it is too long, whatever ``Content-Length`` says.

    :raises _RefusedError: It is too long, or takes too long to arrive.
    """
    too_long = _RefusedError(413, f"The body has more than {maximum} bytes.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > maximum:
        raise too_long
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > maximum:
                    raise too_long
                parts.append(part)
    except TimeoutError:
        raise _RefusedError(408, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.") from None
    return b"".join(parts)


def create_app(settings: ReceiverSettings) -> FastAPI:
    """Create the app, which Airflow mounts."""
    lookup = None if settings.encord_conn_id is None else Lookup(settings.encord_conn_id)
    receiver = _Receiver(settings, Intake(EventStore(settings.tolerance_seconds), lookup))
    app = FastAPI(title="Encord webhooks", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_route(PATH, receiver.receive, methods=["POST"], include_in_schema=False)
    return app
