"""The transport for workers: one pooled `requests` session, signed at each attempt.

`requests` normalises a target as it prepares it (it turns ``%7E`` into ``~``), so the signature is made from the
prepared request, inside `requests`' own authentication hook. That hook also keeps ``.netrc`` out: with it set,
`requests` does not look for other credentials. Redirects are never followed.
"""

from __future__ import annotations

import http.cookiejar
import platform
import time
import uuid
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import msgspec
import requests
import requests.adapters
import requests.auth
import tenacity

from airflow_provider_encord import __version__
from airflow_provider_encord.client.call import NO_BODY, Call, Envelope, Transfer
from airflow_provider_encord.client.credentials import Credential, SshKey
from airflow_provider_encord.client.errors import EncordError, InvalidRequestError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport import answers, retry
from airflow_provider_encord.client.transport.failures import NO_ANSWER, Failure, failure
from airflow_provider_encord.client.transport.files import SizedFile, require_safe
from airflow_provider_encord.client.transport.scrubbing import queries_unlogged
from airflow_provider_encord.client.transport.settings import Settings

T = TypeVar("T")

CONNECTIONS = 16  # kept open; enough for parallel reads and uploads of one task
_PROOFS = ("Authorization", "Signature")  # headers whose values must not come back in a message


class _Signature(requests.auth.AuthBase):
    """Signs a prepared request for one call."""

    def __init__(self, call: Call[Any], credential: Credential, created: int):
        self.call, self.credential, self.created = call, credential, created

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        body = prepared.body or b""
        prepared.headers.update(self._headers(prepared, body.encode() if isinstance(body, str) else body))
        return prepared

    def _headers(self, prepared: requests.PreparedRequest, body: bytes) -> dict[str, str]:
        request = self.call.request
        if isinstance(request, Envelope):
            resource = request.resource
            return self.credential.v1_headers(body, resource_type=resource.kind, resource_id=resource.id)
        method = (prepared.method or "").upper()
        return self.credential.v2_headers(method=method, target=prepared.path_url, body=body, created=self.created)


class _NoCredentials(requests.auth.AuthBase):
    """For signed URLs: their query is all the permission there is to send."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class SyncTransport:
    """Sends calls over `requests`. One instance may serve several threads.

    :param credential: Signs the requests.
    :param settings: Where Encord is, and how to reach it.
    :param sleep: Waits between attempts, in seconds; tests pass their own.
    :param clock: The time in seconds since 1970, for v2 signatures.
    :param attempts: How often to send a call at most; 1 where somebody waits for the answer.
    """

    def __init__(
        self,
        credential: Credential,
        settings: Settings,
        *,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
    ):
        self._credential = credential
        self._settings = settings
        self._sleep = sleep
        self._attempts = attempts
        self._clock = clock
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))  # takes none
        self._user_agent = user_agent(settings.user_agent_suffix)

    def close(self) -> None:
        """Give the pooled connections back."""
        self._session.close()

    def send(self, call: Call[T]) -> T:
        """Send a call, again if the retry policy says so, and read its result.

        :raises EncordError: What it came to in the end.
        """
        answer: T = tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._attempt, call)
        return answer

    def transfer(self, transfer: Transfer) -> None:
        """Send a file to a signed URL, without credentials.

        :raises EncordError: It was refused, or not reached after all attempts, or the file changed while it was read.
        """
        require_safe(transfer.url, transfer.title, allow_http=self._settings.allow_http)
        tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._transfer_once, transfer)

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self._clock()

    def _attempt(self, call: Call[T]) -> T:
        trace_id = uuid.uuid4().hex
        method, url, headers, body, query = self._parts(call, trace_id)
        read_timeout = self._settings.read_timeout + call.hold_seconds
        try:
            response = self._session.request(
                method,
                url,
                params=query,
                headers=headers,
                data=body,
                auth=_Signature(call, self._credential, int(self._clock())),
                timeout=(self._settings.connect_timeout, read_timeout),
                verify=self._settings.trusted or True,
                allow_redirects=False,
            )
        except NO_ANSWER as error:
            what = failure(error, self._settings.host)
        else:
            return answers.result(call, self._answer(response, trace_id))
        # Raised here and not in the handler: requests' own exceptions hold the prepared request, with its credentials.
        raise _error(call, what, trace_id)

    def _parts(
        self, call: Call[Any], trace_id: str
    ) -> tuple[str, str, dict[str, str], bytes | None, list[tuple[str, str]] | None]:
        request = call.request
        url = self._settings.base_url + request.path
        headers = {
            "User-Agent": self._user_agent,
            "X-Cloud-Trace-Context": f"{trace_id}/1;o=1",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        if isinstance(request, Envelope):
            headers["Content-Type"] = "application/json"
            return "POST", url, headers, msgspec.json.encode(request.body()), None
        body = None if request.json is NO_BODY else msgspec.json.encode(request.json)
        if body is not None:
            headers["Content-Type"] = "application/json"
        return request.method, url, headers, body, request.parameters() or None

    def _answer(self, response: requests.Response, trace_id: str) -> answers.Answer:
        return answers.Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
            host=self._settings.host,
            trace_id=trace_id,
            now=self._clock(),
            credential_kind=self._credential.kind,
            public_key=self._credential.openssh_public_key() if isinstance(self._credential, SshKey) else "",
            proofs=tuple(str(response.request.headers[name]) for name in _PROOFS if name in response.request.headers),
        )

    def _transfer_once(self, transfer: Transfer) -> None:
        what: Failure | None = None
        with _opened(transfer) as file:
            sized = SizedFile(file, transfer.size, transfer.title)
            try:
                response = self._put(transfer, sized)
            except NO_ANSWER as error:
                what = failure(error, "the object store")
            else:
                sized.require_whole()
        if what:
            class_ = RefusedError if what.hopeless else UnavailableError
            raise class_(f"{transfer.title} was not uploaded. {what.what}")
        if not response.ok or response.is_redirect:
            raise _refused_transfer(transfer, response)

    def _put(self, transfer: Transfer, file: SizedFile) -> requests.Response:
        with queries_unlogged():
            return self._session.put(
                transfer.url,
                data=file if transfer.size else b"",  # `requests` would send an empty stream in chunks
                headers={"User-Agent": self._user_agent, **transfer.headers},
                auth=_NoCredentials(),
                timeout=(self._settings.connect_timeout, self._settings.read_timeout),
                verify=self._settings.trusted or True,
                allow_redirects=False,
            )


def user_agent(suffix: str = "") -> str:
    """Who we are: not the vendor's SDK."""
    own = f"airflow-provider-encord/{__version__} python/{platform.python_version()} requests/{requests.__version__}"
    return f"{own} {suffix}".strip()


def _refused_transfer(transfer: Transfer, response: requests.Response) -> EncordError:
    what = f"The object store answered HTTP {response.status_code} to the upload of {transfer.title}"
    if response.status_code in (408, 429) or response.status_code >= 500:
        return UnavailableError(f"{what}.")
    return RefusedError(f"{what}; the signed URL may have expired. Run the task again to get a new one.")


def _opened(transfer: Transfer) -> BinaryIO:
    """The file, open.

    :raises InvalidRequestError: It is not there, or may not be read.
    :raises UnavailableError: It cannot be read just now.
    """
    try:
        return transfer.open()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InvalidRequestError(f"{transfer.title} cannot be uploaded: {error.strerror or 'not readable'}.") from None
    except OSError as error:
        raise UnavailableError(f"{transfer.title} cannot be read: {error.strerror or type(error).__name__}.") from None


def _error(call: Call[Any], what: Failure, trace_id: str) -> EncordError:
    """The error for a request without an answer. Where no connection was made, any call may be repeated."""
    if what.hopeless:
        return RefusedError(what.what, operation=call.operation)
    if not what.connected:
        return UnavailableError(what.what, operation=call.operation)
    return answers.transient(call, what.what, trace_id=trace_id)
