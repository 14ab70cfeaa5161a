"""Downloading the file of a task: its signed URL is the only credential that is sent."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import pytest

from airflow_provider_encord.agents.assets import local_copy
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from tests.client import keys


def test_a_netrc_file_adds_no_credential_to_a_signed_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage refuses a request that has a second credential, and it is of no concern to the storage."""
    seen: list[str | None] = []

    class Storage(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"file")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with http.server.HTTPServer(("127.0.0.1", 0), Storage) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/a.png?signature=abc"
        credential = SshKey.parse(keys.openssh(keys.new_key()))
        client = EncordClient(credential, Settings(base_url="http://127.0.0.1:1"))
        with client, local_copy(client, url, "a.png") as path:
            assert path.read_bytes() == b"file"
        thread.join()
    assert seen == [None]
