"""The parts of a task's work, one long job for each; see `operators.jobs`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobPart:
    """The work of one job.

    :param about: The `fingerprint` of its target, options and content.
    :param note: Small JSON that describes it to `part_result`, also after a deferral in another process.
    :param after: Small JSON that `parts` takes to continue after it.
    :param content: What `start_part` needs; not available after a deferral.
    :param result: Its result, if it needs no job.
    """

    about: str
    note: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Any = None
    content: Any = dataclasses.field(default=None, repr=False, compare=False)
    result: Mapping[str, Any] | None = None


class StartAgainError(Exception):
    """Whether the job of a part was started is not known. The part is to be made again from what is there by now."""
