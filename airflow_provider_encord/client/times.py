"""Encord's times: five formats in responses, ISO 8601 in requests. No offset means UTC (protocol, sections 3 and 4)."""

from __future__ import annotations

import datetime
import email.utils

from airflow_provider_encord.client.errors import InvalidArgumentError, UnexpectedResponseError

_AGREEMENT = 1.1  # seconds that a correct clock can seem ahead: `Date` has no fractions, and takes time to arrive

_NO_TIME = (ValueError, TypeError, IndexError, OverflowError)


class NoTimeError(InvalidArgumentError, ValueError):
    """The given value is not a time."""


def parse_time(text: str) -> datetime.datetime:
    """Read a time in one of Encord's formats: ISO 8601 or ``Fri, 02 Jan 2026 03:04:05 UTC``, with or without an offset.

    :return: The time with its offset; UTC if it has no offset.
    :raises ValueError: The text is not in a known format.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        moment = email.utils.parsedate_to_datetime(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def write_time(moment: datetime.datetime | str | None) -> str | None:
    """Write a time for a filter: ISO 8601 with an offset.

    :param moment: A time, or a time as text (no offset means UTC); None for no filter.
    :raises NoTimeError: It is not a time.
    """
    return None if moment is None else given_time(moment).isoformat()


def given_time(moment: datetime.datetime | str) -> datetime.datetime:
    """Convert a time that a caller passes. No offset means UTC.

    :raises NoTimeError: It is not a time.
    """
    if isinstance(moment, str):
        try:
            moment = parse_time(moment)
        except _NO_TIME:
            raise NoTimeError(f"{str(moment)[:80]!r} is not a time, such as 2026-01-31T12:00:00Z.") from None
    if not isinstance(moment, datetime.datetime):
        raise NoTimeError(f"A {type(moment).__name__} is not a time. Pass a time, such as 2026-01-31T12:00:00Z.")
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def answered_time(text: str, field: str) -> datetime.datetime:
    """Read a time from a response of Encord.

    :param field: Name of the field, for messages.
    :raises UnexpectedResponseError: The text is not in a known format.
    """
    try:
        return parse_time(text)
    except _NO_TIME:
        raise UnexpectedResponseError(
            f"Encord returned {text[:80]!r} in the field {field}, which is not a time in a known format."
        ) from None


def write_utc_time(moment: datetime.datetime | str | None) -> str | None:
    """Do the same as `write_time`, but write ``Z`` for UTC. Some filters need this form."""
    text = write_time(moment)
    return f"{text.removesuffix('+00:00')}Z" if text and text.endswith("+00:00") else text


def by_encords_clock(moment: datetime.datetime, ahead: float | None) -> datetime.datetime:
    """Convert a time of this machine's clock to the time of Encord's clock.

    :param ahead: Seconds by which this machine's clock is ahead of Encord's; None if unknown, then the time is not
        converted.
    """
    if ahead is None or 0.0 <= ahead <= _AGREEMENT:
        return moment
    return moment - datetime.timedelta(seconds=ahead)
