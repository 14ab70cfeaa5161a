"""What the operators on tasks call: change, preview, carry out a plan, or undo; with a report in each case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Claim, Owner, fingerprint
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.report_files import ReportFiles
from airflow_provider_encord.reports import FAILED, SKIPPED
from airflow_provider_encord.storage_paths import StoragePath
from airflow_provider_encord.task_actions.changing import TaskChanger
from airflow_provider_encord.task_actions.lines import TaskLine, counts, key_of, with_outcome
from airflow_provider_encord.task_actions.planning import Change
from airflow_provider_encord.task_actions.present_state import present_states
from airflow_provider_encord.task_actions.report import TaskReport, read_changes, read_preview, require_report
from airflow_provider_encord.task_actions.selection import TaskSelection, with_source
from airflow_provider_encord.task_actions.undoing import undo_lines

_NAMED = 20
_NOT_SELECTED = "It failed before, and is no longer selected."
_ARGUMENTS = {"assignees": "assignee", "overwrite": "if_assigned"}  # fields of `Change` with another name
_STILL_RUNS = (
    "It may still change tasks, or another revert undoes them now. This task can begin when that one has ended."
)
Planner = Callable[[TaskChanger], Sequence[TaskLine]]


class TasksResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an operator on tasks ended.

    :param counts: The number of tasks by outcome, over all attempts.
    :param changed: Whether tasks were changed since the last attempt of the Airflow task that succeeded.
    """

    counts: dict[str, int]
    changed: bool = False


class ChangeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator is asked for.

    :param stage: Title or id; None with `plan`.
    :param source: A file that names the tasks; see `selection.named_in`.
    :param plan: The report of a preview, to carry out.
    """

    project_id: str
    change: Change
    stage: str | None
    selection: TaskSelection
    source: StoragePath | None = None
    source_classes: Sequence[str] | None = None
    plan: StoragePath | None = None
    preview: bool = False
    batch_size: int


def change_spec(*, change: Mapping[str, Any], selection: Mapping[str, Any], **rest: Any) -> ChangeSpec:
    """Make the specification from the arguments of an operator.

    :raises InvalidArgumentError: An e-mail address is wrong.
    """
    return ChangeSpec(change=Change(**change), selection=TaskSelection(**selection), **rest)


class TasksFailedError(EncordError):
    """Some tasks could not be changed; the others were. A retry of the task tries these again."""


def change_tasks(client: EncordClient, spec: ChangeSpec, path: StoragePath, owner: Owner) -> TasksResult:
    """Change the tasks of a stage, or preview it.

    :param path: Path of the report.
    :raises TasksFailedError: Encord refused some of the tasks. The report has the reasons.
    :raises EncordError: Encord cannot be reached, or refuses the change.
    """
    if spec.plan is not None:
        if str(spec.plan) == str(path):
            raise InvalidArgumentError("report: it is the same file as the plan. Pass another path.")
        planned = _plan_of(spec, spec.plan)
        return _run(client, spec, path, owner, _about(spec), lambda changer: changer.refreshed(planned))
    selection = with_source(spec.selection, spec.source, spec.source_classes)

    def plan(changer: TaskChanger) -> Sequence[TaskLine]:
        return changer.planned(changer.place(spec.stage or ""), spec.change, selection)

    return _run(client, spec, path, owner, _about(spec), plan)


def undo_tasks(
    client: EncordClient, source: StoragePath, path: StoragePath, owner: Owner, *, batch_size: int, preview: bool
) -> tuple[str | None, TasksResult]:
    """Undo a change.

    The source is claimed meanwhile, so that neither the task that wrote it nor another revert changes the same tasks.

    :param source: Its report.
    :return: The project, None if nothing was changed; and how it ended.
    :raises UnavailableError: The task that writes the source still runs.
    """
    if str(source) == str(path):
        raise InvalidArgumentError("report: it is the same file as the source. Pass another path.")
    require_report(source, "source")
    files = ReportFiles(source)
    claim = Claim(files.claim_path, owner, "source", advice=_STILL_RUNS)
    if preview:
        claim.require_free()
        return _undo(client, source, path, owner, None, batch_size=batch_size, preview=True)
    claim.take()
    try:
        return _undo(client, source, path, owner, claim, batch_size=batch_size, preview=False)
    finally:
        claim.release()
        files.tidy()


def _undo(
    client: EncordClient,
    source: StoragePath,
    path: StoragePath,
    owner: Owner,
    claim: Claim | None,
    *,
    batch_size: int,
    preview: bool,
) -> tuple[str | None, TasksResult]:
    changed = read_changes(source, "source")
    projects = {line.project_id for line in changed}
    if not changed:
        return None, _nothing(client, path, owner, preview=preview)
    if len(projects) != 1:
        raise InvalidArgumentError(f"source: {source}: it is about several projects. Pass the report of one operator.")
    (project,) = projects
    spec = ChangeSpec(
        project_id=project,
        change=Change(action="move"),
        stage=None,
        selection=TaskSelection(),
        preview=preview,
        batch_size=batch_size,
    )

    def plan(changer: TaskChanger) -> Sequence[TaskLine]:
        states = client.run(present_states(project, changed))
        return changer.refreshed(list(undo_lines(changed, states)))

    return project, _run(client, spec, path, owner, fingerprint(source=str(source)), plan, claim)


def _about(spec: ChangeSpec) -> str:
    """A fingerprint of what is to be changed, and how."""
    return fingerprint(
        project=spec.project_id,
        change=msgspec.to_builtins(spec.change),
        stage=spec.stage,
        selection=msgspec.to_builtins(spec.selection),
        source=str(spec.source),
        classes=spec.source_classes,
        plan=str(spec.plan),
    )


def _run(
    client: EncordClient,
    spec: ChangeSpec,
    path: StoragePath,
    owner: Owner,
    about: str,
    plan: Planner,
    source: Claim | None = None,
) -> TasksResult:
    report = TaskReport(path, owner, client.settings.link_base, source)
    try:
        changer = TaskChanger(client, spec.project_id, report, batch_size=spec.batch_size)
        if spec.preview:
            lines = plan(changer)
            report.preview(lines)
            return TasksResult(counts=counts(lines))
        _change(changer, report, about, plan)
    except EncordError as error:
        if error.retryable or not report.lines or report.in_doubt:
            report.release()
        else:
            report.finish(failed=True)
        raise
    except BaseException:
        report.release()
        raise
    done = report.finish()
    failed = [line for line in done.values() if line.outcome == FAILED]
    if failed:
        raise TasksFailedError(_failures(failed, counts(done)))
    return TasksResult(counts=counts(done), changed=report.changed)


def _change(changer: TaskChanger, report: TaskReport, about: str, plan: Planner) -> None:
    """Continue with the plan of an earlier attempt; or make a plan, also if the arguments are different now."""
    if report.is_unfinished:
        left = changer.resumed()
        if report.is_about(about):
            changer.carry_out(left, None)
            return
        report.drop_plan()
    changer.carry_out(_with_failed(report, plan(changer)), about)


def _with_failed(report: TaskReport, lines: Sequence[TaskLine]) -> list[TaskLine]:
    """Add tasks that failed before and are no longer selected: they are skipped now."""
    selected = {key_of(line) for line in lines}
    failed = [line for line in report.lines if line.outcome == FAILED and key_of(line) not in selected]
    return [
        *lines,
        *(with_outcome(line, SKIPPED, _NOT_SELECTED) for line in failed),
    ]


def _nothing(client: EncordClient, path: StoragePath, owner: Owner, *, preview: bool) -> TasksResult:
    """Write the report of an undo that has nothing to undo."""
    report = TaskReport(path, owner, client.settings.link_base)
    if preview:
        report.preview([])
        return TasksResult(counts=counts([]))
    return TasksResult(counts=counts(report.finish()), changed=report.changed)


def _plan_of(spec: ChangeSpec, plan: StoragePath) -> list[TaskLine]:
    """Read a plan, and check that it is one for this operator."""
    change = spec.change
    default, values = msgspec.structs.asdict(Change(action=change.action)), msgspec.structs.asdict(change)
    given = [_ARGUMENTS.get(name, name) for name, value in values.items() if value not in (default[name], [])]
    if given:
        raise InvalidArgumentError(
            f"plan: it says what is done with each task. Do not pass {', '.join(given)} together with it."
        )
    lines = read_preview(plan)
    for line in lines:
        if line.project_id != spec.project_id or line.action != change.action:
            raise InvalidArgumentError(
                f"plan: {plan} is the plan to {line.action} tasks of project {line.project_id}, and this task is "
                f"to {change.action} tasks of project {spec.project_id}. Pass the plan to the operator that made it."
            )
    return lines


def _failures(failed: Sequence[TaskLine], found: dict[str, int]) -> str:
    listed = "\n".join(f"- {line.data_title[:80]!r} ({line.id}): {line.error}" for line in failed[:_NAMED])
    more = f"\n(and {len(failed) - _NAMED} more; see the report)" if len(failed) > _NAMED else ""
    others = "; the others were" if len(failed) < found["tasks"] else ""
    return f"{len(failed)} of {found['tasks']} tasks could not be changed{others}.\n{listed}{more}"
