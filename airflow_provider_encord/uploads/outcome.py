"""The outcome of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeAlias

from airflow_provider_encord.reports import FAILED, Outcome
from airflow_provider_encord.sources.files import SourceFile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The outcome of a file.

    :param result: `CREATED` now, `UNCHANGED` if it was there before, or `FAILED`.
    :param sha256: Of the bytes that were sent, in hexadecimal; None if they were not sent now.
    :param error: Why it failed, and what to do.
    :param retryable: Whether a failure may pass by itself.
    :param matched_by: What it was recognised by, if it is `UNCHANGED`; see `uploads.plan`.
    :param pending: Its job still runs at Encord, so it must not be sent again.
    """

    file: SourceFile
    result: Outcome
    data_hash: str | None = None
    backing_item_uuid: str | None = None
    sha256: str | None = None
    error: str | None = None
    retryable: bool = False
    pending: bool = False
    matched_by: str | None = None


OutcomeCallback: TypeAlias = Callable[[Sequence[FileOutcome]], None]
"""Called with the outcomes of files as they become known."""


def failed(
    file: SourceFile, error: str, *, retryable: bool, sha256: str | None = None, pending: bool = False
) -> FileOutcome:
    """The outcome of a file that did not reach Encord."""
    return FileOutcome(file=file, result=FAILED, error=error, retryable=retryable, sha256=sha256, pending=pending)
