"""The object store: signed URLs to put and get bytes, as a cloud provider would hand out.

An absolute URL under ``/object-store/`` names a key, says until when and for which method it holds, and is signed. Like
the real ones it takes no credentials: a client that sends its Encord credentials there is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import pathlib
import shutil
import tempfile
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from ..media import facts as media
from ..wire.answers import JSON, Answer
from ..wire.identifiers import new_uuid
from .clock import Clock
from .database_file import DatabaseFileError
from .store import Store

PREFIX = "/object-store/"
VALID_SECONDS = 3600
_CREDENTIALS = ("authorization", "signature", "signature-input", "resourceid", "resourcetype")


class ObjectStore:
    """Bytes by key: names in the database, contents in a folder beside it (or a temporary one)."""

    def __init__(self, store: Store, clock: Clock, database: pathlib.Path | None) -> None:
        self._store, self._clock = store, clock
        self._secret = store.secret("object_store_secret")
        self._temporary = database is None
        self._folder = pathlib.Path(
            tempfile.mkdtemp(prefix="encord-emulator-") if database is None else f"{database}.objects"
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise DatabaseFileError(f"{self._folder}: {problem.strerror}") from None

    def close(self) -> None:
        """Remove what was only temporary."""
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def new_key(self, kind: str) -> str:
        """A key for an object that is about to be uploaded."""
        return f"encord-emulator-{kind}/{new_uuid()}"

    def signed_url(self, base_url: str, key: str, method: str) -> str:
        """An absolute URL with which anyone may ``PUT`` or ``GET`` this key for an hour."""
        expires = str(int(self._clock.unix()) + VALID_SECONDS)
        query = urllib.parse.urlencode({"expires": expires, "signature": self._sign(method, key, expires)})
        return f"{base_url}{PREFIX}{urllib.parse.quote(key)}?{query}"

    def upload_places(self, base_url: str, kind: str, count: int) -> list[dict[str, Any]]:
        """Where files can be put: a signed URL for each, and the id that its item will have."""
        keys = [self.new_key(kind) for _ in range(count)]
        return [
            {
                "itemUuid": new_uuid(),
                "objectKey": key,
                "signedUrl": self.signed_url(base_url, key, "PUT"),
                "uploadHeaders": {},
            }
            for key in keys
        ]

    def refusal(self, method: str, key: str, query: str) -> str | None:
        """Why a signed URL does not hold, or ``None`` if it does."""
        fields = urllib.parse.parse_qsl(query, keep_blank_values=True)
        values = dict(fields)
        if len(fields) != 2 or values.keys() != {"expires", "signature"}:
            return "the URL is not signed"
        # Compared as bytes: compare_digest takes no text beyond ASCII, which a tampered URL may hold.
        expected = self._sign(method, key, values["expires"]).encode()
        if not hmac.compare_digest(expected, values["signature"].encode()):
            return "the signature of the URL does not hold for this method and object"
        if self._clock.unix() > int(values["expires"]):
            return "the URL has expired"
        return None

    def find(self, key: str) -> tuple[pathlib.Path, str | None] | None:
        """The file with an object's bytes and its content type, if it was uploaded."""
        row = self._store.one("SELECT file_name, media_type FROM objects WHERE object_key = ?", key)
        return None if row is None else (self._folder / row["file_name"], row["media_type"])

    def client_metadata(self, data_hash: str) -> str:
        """The client metadata of a data unit or of a storage item, as JSON text."""
        sql = (
            "SELECT client_metadata FROM data_units WHERE data_hash = ? UNION ALL"
            " SELECT client_metadata FROM items WHERE uuid = ?"
        )
        return self._store.value(sql, data_hash, data_hash) or "{}"

    async def put(self, key: str, media_type: str | None, request: Request) -> str:
        """Keep the bytes of a request; their MD5, as an entity tag. What was there is replaced when all has arrived."""
        name = hashlib.sha256(key.encode()).hexdigest()
        arriving = self._folder / f"{name}.{new_uuid()}"
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            with arriving.open("wb") as file:
                async for part in request.stream():
                    file.write(part)
                    digest.update(part)
                    size += len(part)
            os.replace(arriving, self._folder / name)  # noqa: PTH105 - atomic, and says so
        finally:
            arriving.unlink(missing_ok=True)
        self._store.run("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", key, media_type, size, name)
        return digest.hexdigest()

    def _sign(self, method: str, key: str, expires: str) -> str:
        return hmac.new(self._secret, f"{method}\n{key}\n{expires}".encode(), "sha256").hexdigest()


def work(
    store: ObjectStore, request: Request, headers: Mapping[str, str], query: str
) -> Callable[[], Awaitable[Answer]]:
    """What is to be done for a request under :data:`PREFIX`."""

    async def serve() -> Answer:
        return Answer(await _serve(store, request, headers, query))

    return serve


async def _serve(store: ObjectStore, request: Request, headers: Mapping[str, str], query: str) -> Response:
    key = request.scope["path"].removeprefix(PREFIX)  # percent-decoded already
    sent = [name for name in _CREDENTIALS if name in headers]
    if sent:
        return _no(400, f"credentials do not belong here: the URL is signed, leave out {', '.join(sent)}")
    if request.method not in ("GET", "PUT"):
        return _no(405, "only GET and PUT")
    problem = store.refusal(request.method, key, query)
    if problem is not None:
        return _no(403, problem)
    if request.method == "PUT":
        tag = await store.put(key, headers.get("content-type"), request)
        return Response(b"", 200, {"ETag": f'"{tag}"'})
    if key.startswith(media.MADE_UP):
        content = media.made_up(key)
        return Response(content, 200, None, "image/png")
    if key.startswith(METADATA):
        return _metadata(store, key)
    found = store.find(key)
    if found is None:
        return _no(404, "there is no such object")
    return FileResponse(found[0], media_type=found[1] or "application/octet-stream")


METADATA = "client-metadata/"
"""Keys under which the client metadata of a data unit can be fetched."""


def _metadata(store: ObjectStore, key: str) -> Response:
    text = store.client_metadata(key.removeprefix(METADATA))
    return Response(text, 200, None, JSON)


def _no(status: int, text: str) -> Response:
    return Response(text, status, None, "text/plain")
