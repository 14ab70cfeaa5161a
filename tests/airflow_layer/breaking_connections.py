"""What connections are broken with: accounts, files, servers of the loopback that do one wrong thing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import ssl
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_encord.hooks.connection import secret_values
from tests.airflow_layer.bench import Account
from tests.client.scripted_server import Act, ScriptedServer, answer, closed_port
from tests.client.transport.test_tls import Authority

PASSPHRASE = "open sesame, please"
API_KEY = "Zm9v-a-legacy-api-key_0123456789"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broken:
    """A connection that does not work, and what it needs of the process that tries it.

    :param extra: The connection's extra fields; a text is taken as it is.
    :param environment: Variables of the process that tries it (the API server, for the Test button).
    :param not_root: That process must not be root's.
    """

    host: str = ""
    extra: Mapping[str, Any] | str
    conn_type: str = "encord"
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    not_root: bool = False

    def body(self, connection_id: str = "encord_default") -> dict[str, Any]:
        """As the REST API takes it."""
        extra = self.extra if isinstance(self.extra, str) else json.dumps(self.extra)
        return {"connection_id": connection_id, "conn_type": self.conn_type, "host": self.host, "extra": extra}

    def as_variable(self) -> str:
        """As an environment variable holds it."""
        return json.dumps({"conn_type": self.conn_type, "host": self.host, "extra": self.extra})

    def secrets(self) -> list[str]:
        """What no message may hold: each secret, and each line of a key."""
        extra = json.loads(self.extra) if isinstance(self.extra, str) else self.extra
        stored = secret_values(extra) if isinstance(extra, Mapping) else []
        lines = [line for one in stored for line in one.splitlines() if len(line) > 8 and "-----" not in line]
        return [one for one in (*stored, *lines) if one.strip("*")]


class Around:
    """What the cases are made with. Close it, and the servers of the cases are gone.

    :param account: An account on the emulator.
    :param folder: For files.
    """

    def __init__(self, account: Account, folder: Path):
        self.account, self.emulator, self.folder = account, account.emulator, folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Around:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def ssh(self, host: str | None = None, *, environment: Mapping[str, str] | None = None, **extra: Any) -> Broken:
        """A connection with the account's key, which works unless host or extra break it."""
        extra = {"private_key": self.account.private_key, **extra}
        return Broken(host=self.emulator.url if host is None else host, extra=extra, environment=environment or {})

    def key(self, text: str, **extra: Any) -> Broken:
        """A connection to the emulator with another text for the key."""
        return self.ssh(private_key=text, **extra)

    def api_key(self, text: str, resource_id: str | None = None) -> Broken:
        """A connection to the emulator with an API key."""
        extra = {"api_key": text, "resource_id": str(uuid.uuid4()) if resource_id is None else resource_id}
        return Broken(host=self.emulator.url, extra=extra)

    def file(self, name: str, text: str, mode: int = 0o600) -> str:
        """Path of a new file."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def server(self, act: Act, *, tls: ssl.SSLContext | None = None) -> ScriptedServer:
        """A server that does the same at each request."""
        return self._stack.enter_context(ScriptedServer(tls=tls)).always(act)

    def authority(self, **options: Any) -> tuple[str, str]:
        """URL of a server with a certificate of an own authority, and path of that authority's certificate."""
        authority = Authority(self.folder, uuid.uuid4().hex, **options)
        return self._stack.enter_context(authority.server()).url, str(authority.bundle)

    def closed_port(self) -> int:
        """A port on which no process listens."""
        return self._stack.enter_context(closed_port())

    def silent_port(self) -> int:
        """A port where connections are neither made nor refused: its queue is full."""
        listener = self._stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = self._stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        return int(listener.getsockname()[1])

    def region(self, host: str) -> Broken:
        """A connection to one of Encord's regions; a proxy of the loopback answers for it that it knows no such key."""
        stranger = self.server(answer(401, json={"message": "Authentication failed"}))
        extra = {"private_key": self.account.private_key, "allow_http": True}
        return Broken(host=f"http://{host}", extra=extra, environment={"HTTP_PROXY": stranger.url})

    def proxy(self, act: Act) -> Broken:
        """A connection that is right, on a machine whose proxy is not."""
        return self.ssh("", environment={"HTTPS_PROXY": self.server(act).url})
