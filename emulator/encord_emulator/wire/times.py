"""The forms of time on the wire, and the one in which the emulator stores them.

Stored: ISO 8601 in UTC, always with six decimals and without an offset, so that text order is time order. Answered:
v2 ends in ``Z``; label-row metadata is ISO as stored; v1 projects and data rows take ``YYYY-MM-DD HH:MM:SS`` only;
label rows say ``Fri, 02 Jan 2026 03:04:05 UTC``.
"""

from __future__ import annotations

import datetime
import functools

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stored(moment: datetime.datetime) -> str:
    """The form in which the emulator keeps a moment; one without an offset is taken as UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def read(text: str) -> str:
    """A time of a client, in the stored form.

    :raises ValueError: The text is not an ISO 8601 time.
    """
    return stored(datetime.datetime.fromisoformat(text))


def v2(text: str) -> str:
    """A stored time as v2 gives it."""
    return text + "Z"


def v1_project(text: str) -> str:
    """A stored time as v1 projects, datasets and data rows give it: the vendor's SDK refuses any other form there."""
    return f"{text[:10]} {text[11:19]}"


@functools.lru_cache(maxsize=4096)
def label_row(text: str) -> str:
    """A stored time as label rows give it. Not ``strftime``, which follows the locale."""
    moment = datetime.datetime.fromisoformat(text)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year} {moment:%H:%M:%S} UTC"
    )


def http(moment: datetime.datetime) -> str:
    """A moment as the ``Date`` header gives it."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d} {month} {moment.year} {moment:%H:%M:%S} GMT"


def moment(text: str) -> datetime.datetime:
    """A stored time as a moment."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
