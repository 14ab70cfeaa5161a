"""Removing secrets from texts about a response.

A server or a proxy may quote the request in its error text: headers, body or URL, escaped or cut off. So the text is
searched for parts of the secret, and not only for the whole secret.
"""

from __future__ import annotations

import base64
import contextlib
import contextvars
import logging
import re
from collections.abc import Iterable, Iterator

from airflow_provider_encord.client.masking import secret_forms

MASK = "***"
_RUN = 12  # characters; a shorter part of a key is useless
_URL_QUERY = re.compile(r"""(https?:(?:\\?/){2}[^\s"'<>?]+)\?[^\s"'<>]*""")

_signed = contextvars.ContextVar("signed", default=False)  # whether this thread is sending to a signed URL


class _WithoutQuery(logging.Filter):
    """Removes the query from lines that are logged while a signed URL is used. Other lines are not changed."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _signed.get() and isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition("?")[0] + "?***" if isinstance(arg, str) and "?" in arg else arg for arg in record.args
            )
        return True


_WITHOUT_QUERY = _WithoutQuery()


@contextlib.contextmanager
def queries_unlogged() -> Iterator[None]:
    """Keep the query of a signed URL out of the log of `urllib3`.

    `urllib3` logs whole URLs at level DEBUG, and at any level if the headers of a response are malformed.
    """
    for name in ("urllib3.connectionpool", "urllib3.connection"):
        logging.getLogger(name).addFilter(_WITHOUT_QUERY)  # adding the same filter again has no effect
    token = _signed.set(True)
    try:
        yield
    finally:
        _signed.reset(token)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Remove secrets and the queries of URLs, which may be signed, from a text.

    :param secrets: Values of the headers that signed or authorised the request.
    """
    text = _URL_QUERY.sub(rf"\1?{MASK}", text)
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted((form for form in forms if len(form) < _RUN), key=len, reverse=True):
        text = text.replace(form, MASK)
    return _without_runs(text, {run for form in forms for run in _runs(form)})


def _forms(secret: str) -> Iterator[str]:
    yield from secret_forms(secret)
    raw = secret.encode("utf-8", "surrogateescape")
    yield raw.hex()
    yield base64.b64encode(raw).decode().rstrip("=")


def _runs(form: str) -> Iterator[str]:
    for start in range(len(form) - _RUN + 1):
        yield form[start : start + _RUN]


def _without_runs(text: str, runs: set[str]) -> str:
    hidden = bytearray(len(text))
    for start in range(len(text) - _RUN + 1):
        if text[start : start + _RUN] in runs:
            hidden[start : start + _RUN] = b"\1" * _RUN
    kept: list[str] = []
    for character, hide in zip(text, hidden, strict=True):
        if not hide:
            kept.append(character)
        elif not kept or kept[-1] != MASK:
            kept.append(MASK)
    return "".join(kept)
