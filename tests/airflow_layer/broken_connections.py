"""Connections that are broken on purpose, one for each mistake that people make, and what its message must say.

One table for every way of trying a connection: the hook, the command line, the REST API and the form in a browser.
A case is made by breaking something on an emulator, on a scripted server of the loopback, or in the connection itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from airflow_provider_encord.client.api.keys import PROJECT_SCOPES
from tests.airflow_layer.breaking_connections import API_KEY, PASSPHRASE, Around, Broken
from tests.airflow_layer.lines import running_line
from tests.client import keys
from tests.client.misbehaving import drip, raw
from tests.client.scripted_server import answer, cut, hang

US, EU = "https://api.us.encord.com", "https://api.encord.com"


@dataclasses.dataclass(frozen=True)
class Case:
    """One mistake.

    :param says: Words of the message: the field (or the machine's variable) and the fix, distinct among all cases.
    :param never: Words that would mislead here.
    :param hook_only: Airflow asks another hook, or refuses it before the hook is asked; or it takes another user.
    """

    name: str
    make: Callable[[Around], Broken]
    says: tuple[str, ...]
    never: tuple[str, ...] = ()
    hook_only: bool = False


def _clock(around: Around, seconds: float) -> Broken:
    around.emulator.clock(advance_s=seconds)
    return around.ssh()


def _fault(around: Around, **do: Any) -> Broken:
    around.emulator.faults([{"match": {}, "do": do}])
    return around.ssh()


def _scoped(around: Around, kind: str, scope: str) -> Broken:
    resource = around.account.project()[f"{kind}_id"]
    return around.api_key(around.account.api_key(resource, kind, [scope]), resource)


def _of_another_resource(around: Around) -> Broken:
    seeded = around.account.project()
    return around.api_key(around.account.api_key(seeded["project_id"]), seeded["dataset_id"])


def _expired(around: Around) -> Broken:
    url, bundle = around.authority(days=-1)
    return around.ssh(url, ca_bundle=bundle)


def _other_name(around: Around) -> Broken:
    url, bundle = around.authority(address="127.0.0.2")
    return around.ssh(url, ca_bundle=bundle)


def _unreadable(around: Around) -> Broken:
    path = around.file("locked", around.account.private_key, mode=0)
    return Broken(extra={"ssh_key_path": path}, not_root=True)


def _directory(around: Around) -> Broken:
    (around.folder / "keys").mkdir()
    return Broken(extra={"ssh_key_path": str(around.folder / "keys")})


def _locked() -> str:
    return keys.openssh(keys.new_key(), PASSPHRASE)


_PAGE = {"text": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}

CASES: tuple[Case, ...] = (
    # the key and Encord
    Case(
        "an unregistered key",
        lambda around: around.key(keys.openssh(keys.new_key())),
        ("Register its public half (ssh-ed25519 AAAA", "region", f"host to {EU} or {US}"),
    ),
    Case(
        "a key of the US region, asked for in the default one",
        lambda around: around.region("api.encord.com"),
        ("api.encord.com does not accept", "https://app.encord.com/settings/public-keys", f"host to {US}"),
    ),
    Case(
        "a key of the default region, asked for in the US one",
        lambda around: around.region("api.us.encord.com"),
        ("api.us.encord.com does not accept", "https://app.us.encord.com/settings/public-keys", f"host to {EU}"),
    ),
    Case("a clock that is ahead", lambda around: _clock(around, -7200), ("s ahead of", "Set the clock")),
    Case("a clock that is behind", lambda around: _clock(around, 7200), ("s behind", "Set the clock")),
    # the key itself
    Case(
        "a passphrase that is missing",
        lambda around: around.key(_locked()),
        ("private_key:", "protected by a passphrase", "Fill in", "private_key_passphrase"),
    ),
    Case(
        "a wrong passphrase",
        lambda around: around.key(_locked(), private_key_passphrase="sesame"),
        ("private_key_passphrase", "does not open this key", "Enter it again"),
    ),
    Case(
        "an API key in private_key",
        lambda around: around.key(API_KEY),
        ("private_key:", "not a private key", "belongs into api_key", "resource_id"),
    ),
    Case(
        "a public key in private_key",
        lambda around: around.key(around.account.public_key),
        ("private_key:", "public half", "without .pub"),
    ),
    Case(
        "an RSA key",
        lambda around: around.key(keys.openssh(keys.rsa_key())),
        ("private_key:", "RSA", "ssh-keygen -t ed25519"),
    ),
    Case(
        "the fingerprint of a key in private_key",
        lambda around: around.key(keys.public_hex(keys.new_key())),
        ("private_key:", "fingerprint", "Put the private key here"),
    ),
    Case(
        "half a key",
        lambda around: around.key(around.account.private_key[:180]),
        ("private_key:", "end of the key is missing", "Copy the whole file again"),
    ),
    Case(
        "the JSON of a Google service account in private_key",
        lambda around: around.key(keys.google_account()),
        ("private_key:", "Google service account", "is an SSH key"),
    ),
    Case(
        "the path of a key in private_key",
        lambda around: around.key("~/.ssh/id_ed25519"),
        ("private_key:", "path of a file", "ssh_key_path"),
    ),
    # the file of the key
    Case(
        "a key file that does not exist",
        lambda around: Broken(extra={"ssh_key_path": str(around.folder / "nowhere")}),
        ("ssh_key_path:", "no file", "every worker and triggerer", "API server"),
    ),
    Case(
        "a key file that may not be read",
        _unreadable,
        ("ssh_key_path:", "may not read", "chmod"),
        hook_only=True,
    ),
    Case("a directory as key file", _directory, ("ssh_key_path:", "is a directory", "Name the file")),
    Case(
        "a public key as key file",
        lambda around: Broken(extra={"ssh_key_path": around.file("id.pub", around.account.public_key)}),
        ("ssh_key_path", "id.pub", "public half"),
    ),
    Case(
        "a key in ssh_key_path",
        lambda around: Broken(extra={"ssh_key_path": around.account.private_key}),
        ("ssh_key_path:", "not a path", "Put the text of a key into private_key"),
    ),
    # the API key
    Case(
        "an unknown API key",
        lambda around: around.api_key("w" * 43),
        ("does not accept the API key", "Check api_key", "resource_id", EU, US),
    ),
    Case(
        "an API key of another resource",
        _of_another_resource,
        ("resource_id: ", "knows this API key", "does not belong to this id", "Enter the id"),
    ),
    Case(
        "an API key of a project that may not read",
        lambda around: _scoped(around, "project", PROJECT_SCOPES[-1]),
        ("scopes do not allow it to read label rows", "scope label.read", "api_key"),
    ),
    Case(
        "an API key of a dataset that may not read",
        lambda around: _scoped(around, "dataset", "dataset.write"),
        ("scopes do not allow it to read its data", "scope dataset.read", "api_key"),
    ),
    Case(
        "an SSH key in api_key",
        lambda around: Broken(extra={"api_key": around.account.private_key}),
        ("api_key:", "SSH key", "Put it into private_key"),
    ),
    Case(
        "an API key without resource_id",
        lambda around: Broken(extra={"api_key": API_KEY}),
        ("resource_id: it is empty", "URL of the project or dataset"),
    ),
    Case(
        "a title for resource_id",
        lambda around: around.api_key(API_KEY, "street"),
        ("resource_id:", "not a UUID", "Enter the id"),
    ),
    # which credential
    Case("no credential", lambda around: Broken(extra={}), ("has no credential", "Fill private_key or ssh_key_path")),
    Case(
        "a misspelt field",
        lambda around: Broken(extra={"privat_key": around.account.private_key}),
        ("unknown fields: privat_key", "Fill private_key"),
    ),
    Case(
        "fields of both methods",
        lambda around: around.ssh(api_key=API_KEY),
        ("fields of both methods: private_key, api_key", "Set auth_method"),
    ),
    Case(
        "a method whose fields are empty",
        lambda around: around.ssh(auth_method="api_key"),
        ("auth_method api_key", "Fill api_key and resource_id"),
    ),
    Case(
        "an extra field that is not JSON",
        lambda around: Broken(extra='"private_key"'),
        ("isn't defined",) if running_line() == "3.1" else ("extra: it is not a JSON object", "use the form"),
        hook_only=True,
    ),
    Case(
        "a connection of another type",
        lambda around: dataclasses.replace(around.ssh(), conn_type="ssh"),
        ("conn_type", "type ssh, not encord", "encord_conn_id"),
        hook_only=True,
    ),
    # hidden secrets
    Case(
        "*** for the key", lambda around: around.key("***"), ("private_key: this is Airflow's mask", "Enter it again")
    ),
    Case(
        "*** for the API key",
        lambda around: around.api_key("***"),
        ("api_key: this is Airflow's mask", "Enter it again"),
    ),
    Case(
        "*** for the passphrase",
        lambda around: around.key(_locked(), private_key_passphrase="***"),
        ("private_key_passphrase: this is Airflow's mask", "Enter it again"),
    ),
    # the way to Encord
    Case(
        "a host name that does not exist",
        lambda around: around.ssh("no-such-host.invalid"),
        ("no-such-host.invalid", "not known to DNS", "Check the spelling of the connection's host"),
    ),
    Case(
        "a port without a listener",
        lambda around: around.ssh(f"http://127.0.0.1:{around.closed_port()}"),
        ("refused", "Check the connection's host and port"),
    ),
    Case(
        "a host that swallows connections",
        lambda around: around.ssh(f"http://127.0.0.1:{around.silent_port()}", connect_timeout=0.3),
        ("within the connect_timeout", "firewall", "HTTPS_PROXY"),
    ),
    Case(
        "a server that never answers",
        lambda around: around.ssh(around.server(hang()).url, read_timeout=0.3),
        ("within the read_timeout", "try again"),
    ),
    Case(
        "a server whose answer drips",
        lambda around: around.ssh(
            around.server(drip(b"HTTP/1.1 200 OK\r\n", b"X: " * 99, pause=0.1)).url, read_timeout=0.3
        ),
        ("within the total_timeout", "try again"),
    ),
    Case(
        "a server that speaks no HTTP",
        lambda around: around.ssh(around.server(raw(b"+OK POP3 ready\r\n\r\n")).url),
        ("not valid HTTP", "try again"),
    ),
    Case(
        "a server that hangs up",
        lambda around: around.ssh(around.server(cut()).url),
        ("connection was cut", "try again"),
    ),
    Case(
        "a certificate of an unknown authority",
        lambda around: around.ssh(around.authority()[0]),
        ("authority that this machine does not trust", "ca_bundle"),
    ),
    Case("a certificate for another name", _other_name, ("made for another name", "connection's host")),
    Case("an expired certificate", _expired, ("has expired", "clock", "renew")),
    Case(
        "https where plain http is spoken",
        lambda around: around.ssh(around.emulator.url.replace("http:", "https:")),
        ("does not use TLS", "port", "write http:// in front of host"),
    ),
    Case(
        "plain http to another machine",
        lambda around: around.ssh("http://encord.example.com"),
        ("host: plain http", "Use https, or set allow_http"),
    ),
    Case(
        "a web app without a scheme",
        lambda around: around.ssh(web_app_url="app.example.com"),
        ("web_app_url: it is not the address of a web app", "https://app.example.com"),
    ),
    Case(
        "a CA bundle that does not exist",
        lambda around: around.ssh(ca_bundle="/nowhere/ca.pem"),
        ("ca_bundle: there is no file /nowhere/ca.pem", "every worker and triggerer"),
    ),
    Case(
        "a CA bundle without certificates",
        lambda around: around.ssh(around.authority()[0], ca_bundle=around.file("empty.pem", "nothing")),
        ("certificates to trust cannot be read", "ca_bundle"),
    ),
    Case(
        "a proxy that is not there",
        lambda around: around.ssh("", environment={"HTTPS_PROXY": f"http://127.0.0.1:{around.closed_port()}"}),
        ("proxy of this machine was not reached", "HTTPS_PROXY", "NO_PROXY"),
    ),
    Case(
        "a proxy that wants a password",
        lambda around: around.proxy(answer(407)),
        ("proxy of this machine asks for a user name", "HTTPS_PROXY", "NO_PROXY"),
    ),
    Case(
        "a proxy that forbids Encord",
        lambda around: around.proxy(answer(403)),
        ("proxy of this machine refuses to connect", "HTTP 403", "NO_PROXY"),
    ),
    # who answers
    Case(
        "the host of the web app",
        lambda around: around.ssh("https://app.encord.com"),
        ("host: app.encord.com is a website, not the API", "https://api.encord.com"),
    ),
    Case(
        "a page of the web app",
        lambda around: around.ssh("https://app.us.encord.com/projects/view/x/summary"),
        ("host: app.us.encord.com is a website, not the API", US),
    ),
    Case(
        "a host with a path",
        lambda around: around.ssh("https://api.encord.com/v2"),
        ("host: only scheme, host and port", "Remove the path, so that https://api.encord.com is left"),
    ),
    Case(
        "a web server",
        lambda around: around.ssh(around.server(answer(404, **_PAGE)).url),
        ("web page (HTTP 404)", "not Encord's API", "connection's host"),
    ),
    Case(
        "a portal to log in",
        lambda around: around.ssh(around.server(answer(200, **_PAGE)).url),
        ("web page (HTTP 200)", "not Encord's API", "connection's host"),
        never=("may be correct", "wait"),
    ),
    Case(
        "a gateway that forbids",
        lambda around: around.ssh(around.server(answer(403, **_PAGE)).url),
        ("proxy or gateway", "HTTP 403", "Encord did not see it"),
    ),
    Case(
        "the API of something else",
        lambda around: around.ssh(around.server(answer(404, json={"detail": "Not Found"})).url),
        ("host: ", "not an Encord API (HTTP 404)"),
    ),
    Case(
        "an API with other answers",
        lambda around: around.ssh(around.server(answer(json={"ok": True})).url),
        ("not valid for this operation", "connection's host"),
    ),
    Case(
        "a server that redirects",
        lambda around: around.ssh(around.server(answer(302, headers={"Location": "https://elsewhere.test/"})).url),
        ("redirects (HTTP 302)", "connection's host"),
    ),
    # Encord is there
    Case(
        "a rate limit",
        lambda around: _fault(around, status=429, headers={"Retry-After": "20"}),
        ("fewer requests", "HTTP 429", "wait for 20 s", "try again"),
    ),
    Case(
        "an Encord that is down",
        lambda around: _fault(around, status=503, json={"message": "maintenance"}),
        ("HTTP 503: maintenance", "try again"),
    ),
)
