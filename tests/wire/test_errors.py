"""Which error each failure is, whether a repeat can help, and what of the server's words reaches the user."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.client.api.core.reading import ignored, v2_reader
from airflow_provider_encord.client.call import Call, Request
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    ConflictError,
    EncordError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    RefusedError,
    TransientError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.transport.responses import clock_skew, retry_after
from airflow_provider_encord.client.transport.results import result
from airflow_provider_encord.client.transport.retry import may_repeat
from tests.wire.answers import TRACE_ID, answer_of, make_answer
from tests.wire.arguments import call_of
from tests.wire.subjects import operation_of
from tests.wire.vectors import Exchange, vector, vectors

READ = Call(request=Request("GET", "projects/x"), read=v2_reader(dict), operation="project.get")
CHANGE = Call(
    request=Request("POST", "datasets"), read=ignored, changes=True, repeatable=False, operation="dataset.create"
)


def _read_v1() -> Call[Any]:
    exchange = vector("error-v1-not-found").exchanges[0]
    return call_of(exchange, ("project.get", "v1"))


def _change_v1() -> Call[Any]:
    exchange = vector("project-add-datasets").exchanges[0]
    return call_of(exchange, ("project.add_datasets", "v1"))


def error_of(call: Call[Any], body: Any, status: int = 200, headers: dict[str, str] | None = None) -> EncordError:
    with pytest.raises(EncordError) as caught:
        result(call, make_answer(body, status, headers))
    return caught.value


V1_CODES = {
    "AUTHENTICATION_ERROR": AuthenticationError,
    "SSH_KEY_NOT_FOUND_ERROR": AuthenticationError,
    "DUPLICATE_SSH_KEY_ERROR": AuthenticationError,
    "AUTHORISATION_ERROR": PermissionDeniedError,
    "OPERATION_NOT_ALLOWED": PermissionDeniedError,
    "RESOURCE_NOT_FOUND_ERROR": NotFoundError,
    "RESOURCE_EXISTS_ERROR": ConflictError,
    "INVALID_ARGUMENTS_ERROR": InvalidRequestError,
    "INVALID_DATE_FORMAT_ERROR": InvalidRequestError,
    "WRONG_PROJECT_TYPE_ERROR": InvalidRequestError,
    "MULTI_LABEL_LIMIT_ERROR": PayloadTooLargeError,
    "RATE_LIMIT_ERROR": RateLimitedError,
    "METHOD_NOT_ALLOWED_ERROR": InvalidRequestError,
    "UNKNOWN_ERROR": UnavailableError,
    "ANSWER_DICTIONARY_ERROR": InvalidRequestError,
    "CORRUPTED_LABEL_ERROR": InvalidRequestError,
    "FEATURE_DOES_NOT_EXIST_ERROR": InvalidRequestError,
    "FILE_TYPE_NOT_SUPPORTED_ERROR": InvalidRequestError,
    "FILE_SIZE_NOT_SUPPORTED_ERROR": InvalidRequestError,
    "UPLOAD_OPERATION_NOT_SUPPORTED_ERROR": InvalidRequestError,
    "MODEL_WEIGHTS_INCONSISTENT_ERROR": InvalidRequestError,
    "MODEL_FEATURES_INCONSISTENT_ERROR": InvalidRequestError,
    "DETECTION_RANGE_INVALID_ERROR": InvalidRequestError,
    "MUST_SET_DETECTION_RANGE_ERROR": InvalidRequestError,
}
"""Protocol, section 5.1, of a read."""


@pytest.mark.parametrize("http_status", [200, 400, 500])
@pytest.mark.parametrize("inner_status", [400, 401, 500])
@pytest.mark.parametrize(("code", "error"), V1_CODES.items())
def test_the_code_in_the_envelope_decides_whatever_the_statuses_are(code, error, inner_status, http_status):
    got = error_of(_read_v1(), {"status": inner_status, "response": [code]}, http_status)
    assert type(got) is error
    assert got.retryable == issubclass(error, TransientError)
    assert code in str(got)
    assert (got.operation, got.trace_id) == ("project.get", TRACE_ID)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, RefusedError),
        (429, RateLimitedError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
@pytest.mark.parametrize("response", [["BRAND_NEW_ERROR"], ["BRAND_NEW"], "BRAND_NEW", [], None, {}, [None], 7])
def test_an_envelope_without_a_code_that_we_know_counts_as_its_status(status, error, response):
    got = error_of(_read_v1(), {"status": status, "response": response, "payload": "details"})
    assert type(got) is error


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, RefusedError),
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, RefusedError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, InvalidRequestError),
        (408, UnavailableError),
        (409, ConflictError),
        (413, PayloadTooLargeError),
        (422, InvalidRequestError),
        (429, RateLimitedError),
        (500, UnavailableError),
        (502, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (507, UnavailableError),
    ],
)
def test_an_http_status_is_one_error_on_both_apis(api, status, error):
    """Protocol, section 5.2; on v1 of what intermediaries write."""
    call = READ if api == "v2" else _read_v1()
    for body in ({"message": "Words of the server"}, {"status": status, "message": "Words of the server"}, b"<html>"):
        got = error_of(call, body, status)
        assert type(got) is error
        assert str(status) in str(got)
        assert ("Words of the server" in str(got)) == (body != b"<html>" and status != 302)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": "m"}, 500),
        ({"message": "m"}, 503),
        (b"<html>", 504),
        (b"<html>", 408),
        ({"status": 500, "response": ["UNKNOWN_ERROR"]}, 200),
        (b"<html>", 200),
        (b"", 200),
        (b'{"status": 2', 200),
    ],
)
def test_a_change_whose_outcome_is_unknown_may_have_happened(body, status):
    got = error_of(_change_v1(), body, status)
    assert type(got) is OutcomeUnknownError
    assert not may_repeat(got)
    assert "is not known" in str(got)
    assert type(error_of(_read_v1(), body, status)) is UnavailableError


@pytest.mark.parametrize("status", [200, 201, 202])
def test_json_that_is_no_envelope_is_an_unexpected_answer(status):
    for body in ([], 7, {"response": {}}, {"status": "200"}, None):
        assert type(error_of(_read_v1(), body, status)) is UnexpectedResponseError


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_the_statuses_that_come_without_an_envelope_win_over_a_body_that_looks_like_one(status):
    body = {"status": status, "response": ["RESOURCE_NOT_FOUND_ERROR"]}
    assert type(error_of(_read_v1(), body, 429)) is RateLimitedError
    assert type(error_of(_read_v1(), body, 413)) is PayloadTooLargeError


def test_a_success_in_the_envelope_is_one_whatever_http_says():
    good = {"status": 200, "response": {"project_hash": "x", "title": "t"}}
    assert result(_read_v1(), make_answer(good, 500)).title == "t"


@pytest.mark.parametrize(
    ("payload", "maximum"),
    [
        ({"maximum_labels_allowed": 500}, 500),
        (None, 100),
        ({}, 100),
        ("a text", 100),
        ({"maximum_labels_allowed": "7"}, 100),
        ({"maximum_labels_allowed": 0}, 100),
        ({"maximum_labels_allowed": True}, 100),
        ([], 100),
    ],
)
def test_a_label_limit_carries_how_many_rows_are_possible(payload, maximum):
    got = error_of(_read_v1(), {"status": 400, "response": ["MULTI_LABEL_LIMIT_ERROR"], "payload": payload})
    assert isinstance(got, PayloadTooLargeError)
    assert got.maximum == maximum


def test_too_large_by_http_names_no_maximum():
    got = error_of(READ, {"message": "limit 10 MB"}, 413)
    assert isinstance(got, PayloadTooLargeError)
    assert got.maximum is None
    assert "limit 10 MB" in str(got)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("12", 12.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("١٢", None),
        ("9" * 400, 366 * 86_400.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30.0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Thu, 99 Jan 2026 00:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    headers = {} if header is None else {"Retry-After": header}
    assert retry_after(make_answer(b"", 429, headers)) == seconds
    got = error_of(READ, b"", 429, headers)
    assert isinstance(got, RateLimitedError)
    assert got.retry_after == seconds


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_wait_that_is_asked_for_is_carried_by_the_error(status):
    got = error_of(READ, b"", status, {"Retry-After": "40"})
    assert isinstance(got, TransientError)
    assert got.retry_after == 40.0
    assert may_repeat(got) is not isinstance(got, RateLimitedError)


def test_a_rate_limit_in_the_envelope_is_one_even_for_a_change():
    got = error_of(_change_v1(), {"status": 429, "response": ["RATE_LIMIT_ERROR"]}, 200, {"Retry-After": "3"})
    assert isinstance(got, RateLimitedError)
    assert got.retry_after == 3.0


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Thu, 01 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 00:00:29 GMT", None),
        ("Wed, 31 Dec 2025 23:55:00 GMT", "300 s ahead of"),
        ("Thu, 01 Jan 2026 00:02:00 GMT", "120 s behind"),
        ("nonsense", None),
        (None, None),
    ],
)
def test_a_refused_signature_shows_a_wrong_clock(date, said):
    headers = {"Date": date} if date else {}
    got = error_of(READ, {}, 401, headers)
    assert (said in str(got)) if said else "clock" not in str(got)
    without_time = error_of(_read_v1(), {"status": 401, "response": ["AUTHENTICATION_ERROR"]}, 200, headers)
    assert "clock" not in str(without_time)  # a signature of v1 carries no time, so a wrong clock explains nothing
    if said is None and date == "nonsense":
        assert clock_skew(make_answer(b"", 200, headers)) is None


ERRORS = [one for one in vectors() if one.raises and one.operation.startswith(("error:", "retry:", "api_key.lookup"))]

OURS = {
    "AuthenticationError": AuthenticationError,
    "SshKeyNotFound": AuthenticationError,
    "AuthorisationError": PermissionDeniedError,
    "OperationNotAllowed": PermissionDeniedError,
    "ResourceNotFoundError": NotFoundError,
    "ResourceExistsError": ConflictError,
    "InvalidArgumentsError": InvalidRequestError,
    "WrongProjectTypeError": InvalidRequestError,
    "MethodNotAllowedError": InvalidRequestError,
    "MultiLabelLimitError": PayloadTooLargeError,
    "PayloadTooLargeError": PayloadTooLargeError,
    "RateLimitExceededError": RateLimitedError,
    "GenericServerError": InvalidRequestError,  # recorded with status 400 and an unknown code
}
"""From the SDK's exception in a vector to ours."""

BY_FILE = {
    "error-v1-not-json": UnavailableError,
    "error-v2-not-json": UnavailableError,
    "error-v2-unexpected-204": UnexpectedResponseError,
    "error-v2-422": InvalidRequestError,
    "error-v2-500": OutcomeUnknownError,
    "retry-v1-read-exhausted": UnavailableError,
    "retry-v1-write-not-retried": OutcomeUnknownError,
    "retry-v2-504-not-retried": UnavailableError,
    "retry-v2-create-not-retried": OutcomeUnknownError,
    "retry-v2-patch-not-retried": OutcomeUnknownError,
}
"""Where the SDK's exception says too little: depends on what was asked."""

NO_ERROR = {"apikey-meta-other", "apikey-meta-dataset-client-with-project-key"}
"""The SDK raises at a sound answer; our client too, but above the reading: `tests/client/handles/test_client.py`."""


def _call(exchange: Exchange) -> Call[Any]:
    """Ours, or, where the operation is not ours yet, one that asks and reads the same."""
    key = operation_of(exchange.request)
    if key:
        return call_of(exchange, key)
    method = exchange.request["method"]
    path = exchange.request["path"].removeprefix("/v2/public/")
    reads = method == "GET"
    return Call(
        request=Request(method, path),
        read=v2_reader(dict) if reads else ignored,
        changes=not reads,
        repeatable=reads,
        operation="storage.folder.get",
    )


@pytest.mark.parametrize("recorded", [one for one in ERRORS if one.name not in NO_ERROR], ids=lambda one: one.name)
def test_a_recorded_failure_is_the_error_that_it_should_be(recorded):
    exchange = recorded.exchanges[-1]
    with pytest.raises(EncordError) as caught:
        result(_call(exchange), answer_of(exchange))
    error = caught.value
    assert type(error) is (BY_FILE.get(recorded.name) or OURS[recorded.raises["type"]])
    assert error.trace_id == TRACE_ID
    if recorded.raises.get("server_text_is_shown"):
        assert _words(exchange) in str(error)
    if "maximum_labels_allowed" in recorded.raises:
        assert getattr(error, "maximum", None) == recorded.raises["maximum_labels_allowed"]
    if recorded.raises.get("retry_after") is not None:
        assert getattr(error, "retry_after", None) == recorded.raises["retry_after"]


def _words(exchange: Exchange) -> str:
    body = exchange.response["json"]
    return str(body.get("message") or body.get("detail") or body.get("payload"))


def test_a_date_in_retry_after_is_understood_where_the_sdk_reports_nothing():
    exchange = vector("error-v2-429-http-date").exchanges[0]
    got = retry_after(answer_of(exchange))
    assert got is not None
    assert got > 86_400  # months ahead of the clock of these tests


def test_a_list_of_details_reaches_the_user_as_it_is():
    got = error_of(READ, {"detail": [{"loc": ["query", "x"], "msg": "field required"}]}, 422)
    assert "field required" in str(got)


def test_a_long_text_of_the_server_is_cut():
    assert len(str(error_of(READ, {"message": "word " * 10_000}, 400))) < 1000
