"""What an operator with jobs at Encord does at each step; see `operators.jobs`, which takes the steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.flows.jobs import Answer, Job
    from airflow_provider_encord.job_parts import JobPart


class JobSteps(EncordBaseOperator):
    """The steps. Operators implement `prepare`, `parts`, `start_part`, `part_result`, `add`, `finish`."""

    @abstractmethod
    def prepare(self, context: Context) -> None:
        """Check the arguments. Called at every start, also after a deferral, so it must be fast."""

    def reserve(self) -> None:
        """Claim the files that the attempt writes. Called once in an attempt, before it sends or waits."""

    def begin(self, context: Context) -> dict[str, Any]:
        """Prepare the attempt. Called once, before its first job.

        :return: The initial totals for `add`.
        """
        return {}

    @abstractmethod
    def parts(self, after: Any) -> Iterator[JobPart]:
        """Yield the parts that remain.

        :param after: `JobPart.after` of the last finished part; None to begin with the first part.
        """

    @abstractmethod
    def start_part(self, part: JobPart) -> Job:
        """Start the job of a part.

        :raises StartAgainError: Encord's response was lost. The caller gets this part from `parts` again.
        """

    @abstractmethod
    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Return the result of a part whose job has ended, as a small JSON object.

        :param part: The part. After a deferral, it has no `content`.
        :raises EncordError: The whole part failed.
        """

    @abstractmethod
    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Add the result of a part to the totals. Their size must not grow with the number of parts."""

    @abstractmethod
    def finish(self, context: Context, totals: Mapping[str, Any]) -> Any:
        """Finish the task, after all parts.

        :return: The XCom value.
        """

    def before_poll(self) -> None:
        """Check that the claims of the attempt are still valid. Called before each poll of a running job."""

    def before_deferral(self, seconds: float) -> None:
        """Extend the claims of the attempt. Called before the task is deferred, for at most this many seconds."""

    def left_a_start(self) -> bool:
        """Whether an earlier attempt started a job without a result. Called if Airflow cannot store task state."""
        return False

    def settle(self) -> None:
        """Release the claims of the attempt. Called when it has ended, but not when it is deferred."""

    def carry(self) -> dict[str, Any]:
        """Return small JSON that the operator needs after a deferral. `take_over` receives it."""
        return {}

    def take_over(self, carried: Mapping[str, Any]) -> None:
        """Restore what `carry` returned before the deferral."""
