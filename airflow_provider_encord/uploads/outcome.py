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

    :param result: `CREATED`, `UNCHANGED` if it existed before, or `FAILED`.
    :param sha256: SHA-256 (hexadecimal) of the bytes that were sent; None if they were not sent now.
    :param error: Why it failed, and what to do.
    :param retryable: Whether a retry may succeed.
    :param matched_by: How an `UNCHANGED` file was recognised; see `uploads.plan`.
    :param pending: Whether its job still runs at Encord, so that it must not be sent again.
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
"""A function that is called with the outcomes of files when they are known."""


def failed(
    file: SourceFile, error: str, *, retryable: bool, sha256: str | None = None, pending: bool = False
) -> FileOutcome:
    """The outcome of a file that was not uploaded."""
    return FileOutcome(file=file, result=FAILED, error=error, retryable=retryable, sha256=sha256, pending=pending)
