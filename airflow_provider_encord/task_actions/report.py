"""The report of a change of tasks: first the plan, then the outcomes as they arrive, and one file at the end.

The report belongs to one Airflow task of one DAG run. A retry continues with its plan. If the task is cleared after its
end, its lines are added to the earlier ones, so the state before the first change is never lost. The task of another
run is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.web_app import label_editor_url
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import FAILED, UPDATED, encode_lines
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors
from airflow_provider_encord.task_actions.lines import (
    TaskLine,
    changes,
    key_of,
    latest,
    read_lines,
    stage_of,
    with_changes,
)

_PLAN = "plan"  # stem of the parts that are written before the change
_SENT = "sent"  # stem of the parts that are written right before a request
_ABOUT = "about.json"  # the fingerprint of the arguments that the plan was made with
_CHANGED = (
    "changed.json"  # whether the report has changes of attempts that failed, so Airflow created no event for them
)
_ARGUMENT = "report"


class TaskReport:
    """The report of one task.

    :param path: Path of the report.
    :param owner: The task that writes it.
    :param link_base: See `Settings.link_base`.
    :param source: The claim of a revert on the report that it reads. It is checked together with the own claim.
    :raises InvalidArgumentError: The path has another file, or the report of another task or run.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(self, path: StoragePath, owner: Owner, link_base: str, source: Claim | None = None):
        self.path, self._owner, self._link_base, self._source = path, owner, link_base, source
        self._files = ReportFiles(path)
        require_writable(path, _ARGUMENT)
        self._claim = Claim(self._files.claim_path, owner, _ARGUMENT)
        self._claim.take()
        self._all: list[TaskLine] = []
        self._planned: dict[str, TaskLine] = {}
        self._sent: set[str] = set()
        self._last: set[str] = set()
        self.was_sent: set[str] = set()
        """The tasks, by their keys, for which an earlier attempt sent a request whose outcome it may not know."""
        try:
            self._read()
        except BaseException:
            self.release()
            raise

    @property
    def is_unfinished(self) -> bool:
        """Whether an earlier attempt has made a plan, and did not end it."""
        return bool(self._planned)

    def is_about(self, about: str) -> bool:
        """Whether the plan of the earlier attempt was made with the same arguments.

        :param about: A `fingerprint` of the arguments.
        """
        return self._files.read(_ABOUT) == about.encode()

    @property
    def unsettled(self) -> list[TaskLine]:
        """The lines of the plan of an earlier attempt that have no outcome, or failed."""
        found = self._lines
        return [line for key, line in self._planned.items() if key not in self._settled or found[key].outcome == FAILED]

    @property
    def lines(self) -> list[TaskLine]:
        """What is reported so far, of all attempts."""
        return list(self._lines.values())

    @property
    def _lines(self) -> dict[str, TaskLine]:
        return latest(self._all)

    @property
    def in_doubt(self) -> bool:
        """Whether a request was sent whose outcome is not known."""
        return not (self.was_sent | self._sent) <= self._settled

    @property
    def changed(self) -> bool:
        """Whether tasks were changed since the last attempt that succeeded."""
        return any(line.outcome == UPDATED for line in self._all[self._announced :])

    def plan(self, lines: Sequence[TaskLine], about: str) -> None:
        """Write down what is going to be done, and what the tasks are before.

        :param about: A `fingerprint` of the arguments.
        """
        if lines:
            self._check()
            self._files.write(_ABOUT, [about.encode()])
            stamped = [self._stamped(line) for line in lines]
            self._files.write(part_name(self._plans, _PLAN), encode_lines(stamped))
            self._plans += 1
            self._planned |= latest(stamped)

    def drop_plan(self) -> None:
        """Remove the plan of an earlier attempt that had other arguments. Its known outcomes are kept."""
        self._check()
        self._files.remove([*self._files.parts(_PLAN), *self._files.parts(_SENT)])
        self._planned, self.was_sent, self._plans, self._requests = {}, set(), 0, 0

    def sending(self, lines: Sequence[TaskLine]) -> None:
        """Write down, right before a request, for which tasks it is."""
        self._check()
        self._files.write(part_name(self._requests, _SENT), encode_lines(self._stamped(line) for line in lines))
        self._requests += 1
        self._last = {key_of(line) for line in lines}
        self._sent |= self._last

    def withdraw(self) -> None:
        """Take the last call of `sending` back, because the request was certainly not carried out."""
        self._requests -= 1
        self._sent -= self._last
        name = part_name(self._requests, _SENT)
        self._files.remove([path for path in self._files.parts(_SENT) if path.name == name])

    def take(self, lines: Iterable[TaskLine]) -> None:
        """Write outcomes."""
        stamped = [self._stamped(line) for line in lines]
        if stamped:
            self._check()
            self._files.write(part_name(self._parts), encode_lines(stamped))
            self._parts += 1
            self._all += stamped
            self._settled |= {key_of(line) for line in stamped}

    def finish(self, *, failed: bool = False) -> dict[str, TaskLine]:
        """Write the report, and release the claim.

        :param failed: Whether the Airflow task fails now. It also fails if tasks failed.
        :return: Its latest lines, by task.
        """
        self._check()
        directory, lines = self._files.directory, self._lines
        done = [directory / _ABOUT]
        if self.changed and (failed or any(line.outcome == FAILED for line in lines.values())):
            self._files.write(_CHANGED, [b"true"])
        else:
            done.append(directory / _CHANGED)
        self._files.write_report(encode_lines(with_changes(self._all)))
        self._files.clear([*self._files.parts(_PLAN), *self._files.parts(_SENT), *self._files.parts(), *done])
        self.release()
        return lines

    def preview(self, lines: Sequence[TaskLine]) -> None:
        """Write a plan that is not carried out, and release the claim.

        :raises InvalidArgumentError: There is a report of a change at this path.
        """
        if self._all or self._planned:
            raise InvalidArgumentError(
                f"{_ARGUMENT}: {self.path} is the report of a change, which is needed to undo it. Pass another path "
                "for the preview."
            )
        self._check()
        self._files.write_report(encode_lines(self._stamped(line) for line in lines))
        self.release()

    def release(self) -> None:
        """Release the claim. The parts are kept for the next attempt."""
        self._claim.release()
        self._files.tidy()

    def _check(self) -> None:
        """Check that this attempt may still write, and that a revert still has its source for itself."""
        self._claim.check()
        if self._source is not None:
            self._source.check()

    def _stamped(self, line: TaskLine) -> TaskLine:
        if line.data_hash is None:
            return msgspec.structs.replace(line, task_instance=self._owner.task)
        url = label_editor_url(self._link_base, line.project_id, line.data_hash, stage_id=stage_of(line))
        return msgspec.structs.replace(line, task_instance=self._owner.task, url=url)

    def _read(self) -> None:
        with storage_errors(_ARGUMENT, self.path):
            whole = [self.path] if self.path.exists() else []
        parts, plans, sent = self._files.parts(), self._files.parts(_PLAN), self._files.parts(_SENT)
        self._parts, self._plans, self._requests = len(parts), len(plans), len(sent)
        ended = [line for file in whole for line in self._own(file, or_preview=True)]
        begun = [line for file in parts for line in self._own(file)]
        earlier = [line for line in ended if not line.preview]
        self._all = earlier + begun
        self._announced = 0 if self._files.read(_CHANGED) is not None else len(earlier)
        self._settled = {key_of(line) for line in begun}
        self._planned = latest(line for file in plans for line in self._own(file))
        self.was_sent = {key_of(line) for file in sent for line in self._own(file)} - self._settled

    def _own(self, file: StoragePath, *, or_preview: bool = False) -> Iterable[TaskLine]:
        for line in read_lines(file, _ARGUMENT):
            if line.task_instance != self._owner.task and not (or_preview and line.preview):
                raise InvalidArgumentError(
                    f"{_ARGUMENT}: {self.path} is the report of the task {line.task_instance}. It holds what is needed "
                    "to undo that change, so it is not replaced. Pass a path that is different in each DAG run, such "
                    "as one with {{ run_id }}."
                )
            yield line


def require_report(path: StoragePath, argument: str) -> None:
    """Check that there is a report, or what a task has left if it did not end.

    :raises InvalidArgumentError: Both are missing.
    """
    with storage_errors(argument, path):
        there = path.exists()
    if not there and not ReportFiles(path).parts(_PLAN):
        raise InvalidArgumentError(f"{argument}: {path} does not exist. Pass the report of an operator on tasks.")


def read_changes(path: StoragePath, argument: str) -> list[TaskLine]:
    """Read what a task changed, from its report, or from what it has left if it did not end.

    :param argument: Name of the operator argument for the path.
    :return: One line for each task that was changed, or may have been: these lines have ``preview``.
    :raises InvalidArgumentError: There is no such file, or it is another file.
    """
    require_report(path, argument)
    files = ReportFiles(path)
    with storage_errors(argument, path):
        whole = [path] if path.exists() else []
    plans, parts = files.parts(_PLAN), files.parts()
    begun = [line for file in parts for line in read_lines(file, argument)]
    settled = {key_of(line) for line in begun}
    sent = {key_of(line) for file in files.parts(_SENT) for line in read_lines(file, argument)} - settled
    planned = [line for file in plans for line in read_lines(file, argument) if key_of(line) in sent]
    ended = [line for file in whole for line in read_lines(file, argument) if not line.preview]
    return list(changes([*planned, *ended, *begun]).values())


def read_preview(path: StoragePath) -> list[TaskLine]:
    """Read the report of a preview, as a plan.

    :raises InvalidArgumentError: There is no such file, or it is the report of a change.
    """
    with storage_errors("plan", path):
        if not path.exists():
            raise InvalidArgumentError(f"plan: {path} does not exist. Pass the report of a task with preview=True.")
    lines = list(read_lines(path, "plan"))
    if any(not line.preview for line in lines):
        raise InvalidArgumentError(
            f"plan: {path} is the report of a change that was made. Pass the report of a task with preview=True."
        )
    return lines
