"""Encord's own host names, answered by the emulator, without leaving the loopback.

A proxy on the loopback accepts a tunnel to Encord's hosts and to no others, ends the encryption itself with a
certificate in their names, and passes each request on to the emulator. The client is the one that users have: it
believes that it talks to Encord, given the proxy in ``HTTPS_PROXY`` and the certificate in ``ca_bundle``.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import io
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from encord_emulator.process import Emulator

HOSTS = ("api.encord.com", "api.us.encord.com", "encord.example.com")
"""The two regions, and an installation of somebody's own."""
_OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")


@contextlib.contextmanager
def proxy(emulator: Emulator, certificate: Path) -> Iterator[str]:
    """Run the proxy.

    :param emulator: Who answers.
    :param certificate: Where to write the certificate and its key; also the bundle for the client.
    :return: URL of the proxy.
    """
    _write_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(_Handler):
        tls = context
        behind = urllib.parse.urlsplit(emulator.url).netloc

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tls: ssl.SSLContext
    behind: str

    def do_CONNECT(self) -> None:
        if self.path not in {f"{host}:443" for host in HOSTS}:
            self.send_error(403)
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")  # what comes next on this connection are the client's requests
        self.wfile = _Unbuffered(self.connection.makefile("wb"))
        self.close_connection = False

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        behind = http.client.HTTPConnection(self.behind, timeout=60)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            behind.putheader(name, value)
        behind.putheader("X-Forwarded-Proto", "https")  # so that the URLs that the emulator signs lead here, too
        behind.endheaders(body or None)
        with contextlib.closing(behind), behind.getresponse() as answer:
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - named by http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
        """Tell nothing."""


class _Unbuffered(io.RawIOBase):
    """What is written is sent at once, as `http.server` expects of its file."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._file.write(data)
        self._file.flush()
        return len(data)


def _write_certificate(path: Path) -> None:
    """A certificate that vouches for itself, in the names of all hosts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
