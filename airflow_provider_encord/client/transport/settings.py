"""The settings of a client: Encord's address, time-outs and certificates. They are checked before anything is sent."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
import re
import unicodedata
import urllib.parse

from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.regions import api_instead_of
from airflow_provider_encord.client.web_app import WebApp

_PATH = re.compile(r"^(~|\.{0,2}/|[A-Za-z]:\\)|\.(pem|crt|cer|bundle)$")
DEFAULT_BASE_URL = "https://api.encord.com"
DEFAULT_CONNECT_TIMEOUT = 30.0  # seconds
DEFAULT_READ_TIMEOUT = 180.0  # seconds; the same as in the vendor's SDK
LONGEST_TIMEOUT = 86_400.0  # seconds; sockets do not support arbitrarily long time-outs
TOTAL_BY_READ = 2  # default of the total time-out, as a multiple of the read time-out


_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*")


def _version(text: str) -> int | None:
    """The version (4 or 6) of an IP address; None for other text."""
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(host: str | None, port: int | None = None, *, allow_http: bool = False) -> str:
    """Make the base URL of the API from the fields of a connection.

    :param host: A host name, or a URL with scheme, host and port; empty for Encord's default region.
    :param port: The port, used unless `host` contains one. 0 counts as empty.
    :param allow_http: Accept plain http to other machines.
    :return: Scheme, host and port, without a slash at the end.
    :raises CredentialError: The host is not valid, has a path or a user name, or would send credentials over plain
        http.
    """
    text = (host or "").strip().rstrip("/") or DEFAULT_BASE_URL
    if any(character.isspace() or not character.isprintable() for character in text):
        raise CredentialError(
            "Connection field host: it is no host name, because it contains blanks, line ends or invisible characters. "
            "Enter only the name, such as api.encord.com."
        )
    if _version(text) == 6:  # Airflow removes the brackets when it reads a connection's URI
        text = f"[{text}]"
    try:
        parts = urllib.parse.urlsplit(text if "://" in text or text in ("http:", "https:") else f"https://{text}")
        host_name = (parts.hostname or "").removesuffix(".")  # certificates contain no final dot
    except ValueError:
        raise CredentialError(
            "Connection field host: it is neither a host name nor a URL. Enter the name, such as api.encord.com."
        ) from None
    try:
        own_port = parts.port
    except ValueError:
        raise CredentialError(
            "Connection field host: the port in it is not a number up to 65535. Correct it, or leave it out for 443, "
            "the port of https."
        ) from None
    if parts.scheme not in ("http", "https"):
        raise CredentialError(
            f"Connection field host: the scheme {parts.scheme!r} is neither https nor http. Enter the name, such as "
            "api.encord.com."
        )
    if "@" in parts.netloc:
        raise CredentialError("Connection field host: it contains a user name or password. Remove them.")
    if not host_name.isascii():
        raise CredentialError(_outside_ascii(host_name))
    if not host_name or not (_HOST_NAME.fullmatch(host_name) or _version(host_name) == 6):
        raise CredentialError(
            "Connection field host: it contains no host name. Enter the name, such as api.encord.com."
        )
    if api := api_instead_of(host_name):
        raise CredentialError(
            f"Connection field host: {host_name} is a website, not the API. Enter the address of the API: {api}."
        )
    if host_name in ("http", "https"):
        raise CredentialError(
            "Connection field host: the scheme is there twice. Enter it once, or enter only the name."
        )
    if parts.path or parts.query or parts.fragment:
        raise CredentialError(
            "Connection field host: only scheme, host and port are allowed. Remove the path, so that "
            f"{_origin(parts.scheme, host_name, own_port)} is left. (The client adds the paths of the API.)"
        )
    if parts.scheme == "http" and not (allow_http or is_loopback(host_name)):
        raise CredentialError(
            f"Connection field host: plain http to {host_name} would send credentials unencrypted. Use https, or set "
            "allow_http if you accept the risk."
        )
    port = own_port or port or None
    if port and not 0 < port < 65536:
        raise CredentialError(
            f"Connection field port: {port} is not a number from 1 to 65535. Leave it empty for 443, the port of https."
        )
    return _origin(parts.scheme, host_name, port)


def web_app_url(text: str) -> str:
    """Check the address of a web app.

    :return: The address, without a slash at the end.
    :raises CredentialError: It is not a plain http or https address. It becomes a link in Airflow's pages, so that it
        must not be a script.
    """
    # Not quoted: it may be a key that was pasted into the wrong field.
    address = text.strip().rstrip("/")
    try:
        parts = urllib.parse.urlsplit(address)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        is_plain = is_plain and not (parts.query or parts.fragment) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_plain = False
    if not is_plain or any(character.isspace() or not character.isprintable() for character in address):
        raise CredentialError(
            "Connection field web_app_url: it is not the address of a web app. Enter scheme and host, such as "
            "https://app.example.com, without user name, query and fragment; or leave it empty for Encord's own."
        )
    return address


def _origin(scheme: str, host_name: str, port: int | None) -> str:
    where = f"[{host_name}]" if ":" in host_name else host_name
    return f"{scheme}://{where}" + (f":{port}" if port else "")


def _outside_ascii(host_name: str) -> str:
    """The message about a host name with letters outside ASCII: a mistyped letter, or an international name."""
    letter = next(character for character in host_name if not character.isascii())
    named = f"the letter {letter} ({unicodedata.name(letter, 'without a name')})"
    try:
        form = host_name.encode("idna").decode()
    except UnicodeError:
        form = ""
    meant = f", or enter its ASCII form {form}" if _HOST_NAME.fullmatch(form) else ""
    return (
        f"Connection field host: it contains {named}, which is not ASCII, so it is no host name that can be used. Some "
        f"letters only look like Latin ones. Type the name again, such as api.encord.com{meant}."
    )


def _is_there(path: str) -> bool:
    """Whether a path exists. False for text that cannot be a path."""
    try:
        return pathlib.Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long; a zero byte or half of a surrogate pair; ~unknown-user
        return False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach Encord.

    :param base_url: Base URL of the API, as `base_url` returns it.
    :param connect_timeout: Seconds to wait for a connection.
    :param read_timeout: Seconds to wait for a response. For a long poll, the time that Encord may hold it is added.
    :param total_timeout: Seconds that one attempt may take in total, not counting the time for its bytes (see
        `deadline.SLOWEST`). Default: twice the `read_timeout`.
    :param ca_bundle: Path of a file or directory with the certificates to trust instead of the default ones.
    :param allow_http: Accept plain http to other machines, also for uploads.
    :param web_app_url: Address of the web app, for links, if the host is not one of Encord's own; as `web_app_url`
        returns it.
    :param user_agent_suffix: Added to the ``User-Agent``, such as ``apache-airflow/3.3.2``.
    """

    base_url: str = DEFAULT_BASE_URL
    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT
    read_timeout: float = DEFAULT_READ_TIMEOUT
    total_timeout: float | None = None
    ca_bundle: str | None = None
    allow_http: bool = False
    web_app_url: str | None = None
    user_agent_suffix: str = ""

    def __post_init__(self) -> None:
        for field in ("connect_timeout", "read_timeout", "total_timeout"):
            seconds = getattr(self, field)
            if seconds is not None and not 0 < seconds <= LONGEST_TIMEOUT:
                raise CredentialError(
                    f"Connection field {field}: {seconds} is not a number of seconds over 0 and up to "
                    f"{LONGEST_TIMEOUT:.0f} (a day)."
                )
        if self.ca_bundle and "-----BEGIN" in self.ca_bundle:
            raise CredentialError(
                "Connection field ca_bundle: this is the text of a PEM file, not the path of one. Save the text to a "
                "file on every worker and triggerer, and enter the path of that file."
            )
        if self.ca_bundle and not _is_there(self.ca_bundle):
            # Quoted only if it looks like a path, because it may be a key that was pasted into the wrong field.
            path = f" {self.ca_bundle}" if _PATH.match(self.ca_bundle) else ""
            raise CredentialError(
                f"Connection field ca_bundle: there is no file{path} on this machine. Put the PEM file on every "
                "worker and triggerer (and on the API server for the Test button), or leave the field empty."
            )

    @property
    def total_seconds(self) -> float:
        """Seconds that one attempt may take in total, not counting the time for its bytes."""
        return TOTAL_BY_READ * self.read_timeout if self.total_timeout is None else self.total_timeout

    @property
    def link_base(self) -> str:
        """What the functions of `client.web_app` need: the web app if it is known, else the base URL of the API."""
        return WebApp(self.web_app_url) if self.web_app_url else self.base_url

    @property
    def trusted(self) -> str | None:
        """Path of the certificates to trust; None for the default ones."""
        return str(pathlib.Path(self.ca_bundle).expanduser()) if self.ca_bundle else None

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urllib.parse.urlsplit(self.base_url).netloc
