"""Encord's times: five forms on the way in, ISO 8601 on the way out; no offset means UTC (protocol, sections 3 and
4).
"""

from __future__ import annotations

import datetime
import email.utils

from airflow_provider_encord.client.errors import InvalidArgumentError, UnexpectedResponseError

_AGREEMENT = 1.1  # seconds that a clock which is right seems to be ahead: a `Date` has no fractions, and takes its way

_NO_TIME = (ValueError, TypeError, IndexError, OverflowError)


class NoTimeError(InvalidArgumentError, ValueError):
    """What is given as a time is none."""


def parse_time(text: str) -> datetime.datetime:
    """Read a time as Encord writes it, with or without an offset, ISO 8601 or ``Fri, 02 Jan 2026 03:04:05 UTC``.

    :return: The time, with its offset; UTC if none is written.
    :raises ValueError: It is in none of the known forms.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        moment = email.utils.parsedate_to_datetime(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def write_time(moment: datetime.datetime | str | None) -> str | None:
    """Write a time for a filter: ISO 8601 with an offset.

    :param moment: A time (no offset means UTC), the text of one, or None for no filter.
    :raises NoTimeError: It is not a time.
    """
    return None if moment is None else given_time(moment).isoformat()


def given_time(moment: datetime.datetime | str) -> datetime.datetime:
    """A time that a caller passes: no offset means UTC.

    :raises NoTimeError: It is not a time.
    """
    if isinstance(moment, str):
        try:
            moment = parse_time(moment)
        except _NO_TIME:
            raise NoTimeError(f"{str(moment)[:80]!r} is not a time, such as 2026-01-31T12:00:00Z.") from None
    if not isinstance(moment, datetime.datetime):
        raise NoTimeError(f"A time is wanted, such as 2026-01-31T12:00:00Z, and not a {type(moment).__name__}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def answered_time(text: str, field: str) -> datetime.datetime:
    """A time in an answer of Encord.

    :param field: Its name, for messages.
    :raises UnexpectedResponseError: It is in none of the known forms.
    """
    try:
        return parse_time(text)
    except _NO_TIME:
        raise UnexpectedResponseError(
            f"Encord answered with {text[:80]!r} in the field {field}, which is not a time in a known form."
        ) from None


def write_utc_time(moment: datetime.datetime | str | None) -> str | None:
    """As `write_time`, with ``Z`` for UTC, which is how some filters are sent."""
    text = write_time(moment)
    return f"{text.removesuffix('+00:00')}Z" if text and text.endswith("+00:00") else text


def by_encords_clock(moment: datetime.datetime, ahead: float | None) -> datetime.datetime:
    """The time that Encord's clock shows at a time of this machine's clock.

    :param ahead: Seconds by which this machine's clock is ahead of Encord's; None if unknown, which changes nothing.
    """
    if ahead is None or 0.0 <= ahead <= _AGREEMENT:
        return moment
    return moment - datetime.timedelta(seconds=ahead)
