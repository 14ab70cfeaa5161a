"""The report of a change of tasks: first the plan, then the outcomes as they arrive, and one file at the end.

The report belongs to one Airflow task of one DAG run. If this task is retried or cleared, its lines are added to the
earlier ones, so the state before the first change is never lost. The task of another run is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import FAILED, encode_lines
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors
from airflow_provider_encord.task_actions.lines import TaskLine, latest, read_lines

_PLAN = "plan"  # stem of the parts that were written before the change
_ARGUMENT = "report"


class TaskReport:
    """The report of one task.

    :param path: Path of the report.
    :param owner: The task that writes it.
    :raises InvalidArgumentError: The path has another file, or the report of another task or run.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(self, path: StoragePath, owner: Owner):
        self.path, self._owner = path, owner
        self._files = ReportFiles(path)
        require_writable(path, _ARGUMENT)
        self._claim = Claim(self._files.claim_path, owner, _ARGUMENT)
        self._claim.take()
        self._lines: dict[str, TaskLine] = {}
        try:
            self._read()
        except BaseException:
            self.release()
            raise

    @property
    def unsettled(self) -> list[TaskLine]:
        """Lines of earlier attempts that were planned, and failed or have no known outcome."""
        failed = [line for line in self._lines.values() if line.outcome == FAILED and line.id]
        return failed + [line for key, line in self._planned.items() if key not in self._lines]

    @property
    def lines(self) -> list[TaskLine]:
        """What is reported so far, of all attempts."""
        return list(self._lines.values())

    @property
    def data_hashes(self) -> set[str | None]:
        """The data units of the tasks that are reported so far."""
        return {line.data_hash for line in self._lines.values() if line.id}

    def plan(self, lines: Sequence[TaskLine]) -> None:
        """Write down what is going to be done, and what the tasks are before."""
        if lines:
            self._claim.check()
            stamped = [self._stamped(line) for line in lines]
            self._files.write(part_name(self._plans, _PLAN), encode_lines(stamped))
            self._plans += 1

    def take(self, lines: Iterable[TaskLine]) -> None:
        """Write outcomes."""
        stamped = [self._stamped(line) for line in lines]
        if stamped:
            self._claim.check()
            self._files.write(part_name(self._parts), encode_lines(stamped))
            self._parts += 1
            self._lines = latest([*self._lines.values(), *stamped])

    def check(self) -> None:
        """Check, before anything is sent, that no other attempt has taken the report.

        :raises InvalidArgumentError: Another attempt has taken it.
        """
        self._claim.check()

    def finish(self) -> dict[str, TaskLine]:
        """Write the report, and release the claim.

        :return: Its lines, by task.
        """
        self._claim.check()
        self._files.write_report(encode_lines(self._lines.values()))
        self._files.clear([*self._files.parts(_PLAN), *self._files.parts()])
        self.release()
        return self._lines

    def preview(self, lines: Sequence[TaskLine]) -> None:
        """Write a plan that is not carried out, and release the claim.

        :raises InvalidArgumentError: There is a report of a change at this path.
        """
        if self._lines or self._planned:
            raise InvalidArgumentError(
                f"{_ARGUMENT}: {self.path} is the report of a change, which is needed to undo it. Pass another path "
                "for the preview."
            )
        self._claim.check()
        self._files.write_report(encode_lines(self._stamped(line) for line in lines))
        self.release()

    def release(self) -> None:
        """Release the claim. The parts are kept for the next attempt."""
        self._claim.release()
        self._files.tidy()

    def _stamped(self, line: TaskLine) -> TaskLine:
        return msgspec.structs.replace(line, task_instance=self._owner.task)

    def _read(self) -> None:
        with storage_errors(_ARGUMENT, self.path):
            whole = [self.path] if self.path.exists() else []
        parts, plans = self._files.parts(), self._files.parts(_PLAN)
        self._parts, self._plans = len(parts), len(plans)
        known = [line for file in [*whole, *parts] for line in self._own(file)]
        self._lines = latest(line for line in known if not line.preview)
        self._planned = latest(line for file in plans for line in self._own(file))

    def _own(self, file: StoragePath) -> Iterable[TaskLine]:
        for line in read_lines(file, _ARGUMENT):
            if line.task_instance != self._owner.task and not line.preview:
                raise InvalidArgumentError(
                    f"{_ARGUMENT}: {self.path} is the report of the task {line.task_instance}. It holds what is needed "
                    "to undo that change, so it is not replaced. Pass a path that is different in each DAG run, such "
                    "as one with {{ run_id }}."
                )
            yield line


def read_report(path: StoragePath, argument: str) -> list[TaskLine]:
    """Read a report, or what a task that did not end has left of it.

    :param argument: Name of the operator argument for the path.
    :return: One line for each task. Lines of the plan have ``preview``.
    :raises InvalidArgumentError: There is no such file, or it is another file.
    """
    files = ReportFiles(path)
    with storage_errors(argument, path):
        whole = [path] if path.exists() else []
    plans, parts = files.parts(_PLAN), files.parts()
    if not whole and not plans:
        raise InvalidArgumentError(f"{argument}: {path} does not exist. Pass the report of an operator on tasks.")
    planned = [line for file in plans for line in read_lines(file, argument)]
    done = [line for file in [*whole, *parts] for line in read_lines(file, argument)]
    return list(latest([*planned, *done]).values())
