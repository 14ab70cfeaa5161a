"""Samples of tasks: the same seed draws the same tasks, on any worker."""

from __future__ import annotations

import collections
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.reports import LineReader, encode_lines
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors, write_whole
from airflow_provider_encord.task_actions.lines import SELECTION
from airflow_provider_encord.task_actions.selected import SelectedLine, TaskQuery, selected_line
from airflow_provider_encord.task_actions.selection import ChosenTask
from airflow_provider_encord.task_actions.strata import groups_of

_MOST_NAMED = 1000  # task ids in the result: Airflow maps a task at most 1024 times
_LINE = LineReader(SelectedLine, SELECTION)


class SampleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a sample is drawn.

    :param size: Number of tasks; None with `fraction`.
    :param fraction: Share of the tasks, rounded up to whole tasks; None with `size`.
    :param stratify_by: How the tasks are grouped; see `strata.groups_of`. Each group gets its share of the sample.
    :param labels: Path object of the manifest of an export, for strata that depend on labels.
    """

    seed: str
    size: int | None = None
    fraction: float | None = None
    stratify_by: str | None = None
    labels: Any = None


def sample_tasks(
    client: EncordClient, query: TaskQuery, spec: SampleSpec, path: StoragePath, owner: Owner
) -> dict[str, Any]:
    """Draw a sample of the tasks of a stage, and write it to a file.

    :return: ``{"sampled", "strata", "task_ids"}``.
    :raises InvalidArgumentError: The path has another file, or the sample of another task or run.
    """
    about = query.about(**{name: str(value) for name, value in msgspec.structs.asdict(spec).items()})
    require_writable(path, "report")
    there = _own_lines(path, owner, about)
    if there:
        return _result(there)
    stage, tasks = query.run(client)
    groups = groups_of(client, query.project_id, tasks, spec.stratify_by, spec.labels)
    lines = [
        selected_line(query.project_id, stage, task, owner, about, stratum)
        for stratum, drawn in draw(groups, spec).items()
        for task in drawn
    ]
    if not lines:
        lines = [selected_line(query.project_id, stage, None, owner, about)]
    with storage_errors("report", path):
        write_whole(path, encode_lines(sorted(lines, key=lambda line: str(line.id))))
    return _result(lines)


def draw(groups: Mapping[str | None, Sequence[ChosenTask]], spec: SampleSpec) -> dict[str | None, list[ChosenTask]]:
    """Draw tasks from each group.

    A task is drawn because of a hash of the seed and its data hash. So the sample does not depend on the order of the
    tasks, and changes little if a few tasks come or leave.
    """
    total = sum(map(len, groups.values()))
    wanted = spec.size if spec.size is not None else math.ceil(round(total * (spec.fraction or 0.0), 9))
    shares = _shares({name: len(tasks) for name, tasks in groups.items()}, min(total, wanted))
    drawn = {}
    for name, tasks in groups.items():
        ranked = sorted(tasks, key=lambda task: (_rank(spec.seed, task.data_hash), task.id))
        drawn[name] = ranked[: shares[name]]
    return drawn


def _shares(sizes: Mapping[str | None, int], wanted: int) -> dict[str | None, int]:
    """Divide a number in proportion to the sizes, by largest remainder. The parts add up to it."""
    total = sum(sizes.values()) or 1
    exact = {name: wanted * size / total for name, size in sizes.items()}
    shares = {name: math.floor(share) for name, share in exact.items()}
    order = sorted(sizes, key=lambda name: (shares[name] - exact[name], str(name)))
    for name in order[: wanted - sum(shares.values())]:
        shares[name] += 1
    return shares


def _rank(seed: str, data_hash: str) -> str:
    return hashlib.sha256(f"{seed}|{data_hash}".encode()).hexdigest()


def _own_lines(path: StoragePath, owner: Owner, about: str) -> list[SelectedLine]:
    """The sample that this task drew before with the same arguments; empty without it.

    :raises InvalidArgumentError: The file has something else.
    """
    with storage_errors("report", path):
        if not path.exists():
            return []
    lines = []
    for row in json_lines(path, "report"):
        try:
            lines.append(_LINE.convert(row.fields))
        except msgspec.ValidationError:
            raise InvalidArgumentError(f"report: {path} is not a sample of tasks. Pass another path.") from None
    if any(line.task_instance != owner.task for line in lines):
        raise InvalidArgumentError(
            f"report: {path} is the sample of the task {lines[0].task_instance}, which other tasks may still read. "
            "Pass a path that is different in each DAG run, such as one with {{ run_id }}."
        )
    return lines if all(line.about == about for line in lines) else []


def _result(lines: Iterable[SelectedLine]) -> dict[str, Any]:
    listed = sorted((line for line in lines if line.id is not None), key=lambda line: str(line.id))
    strata = collections.Counter(line.stratum for line in listed if line.stratum is not None)
    return {
        "sampled": len(listed),
        "strata": dict(sorted(strata.items())),
        "task_ids": [line.id for line in listed[:_MOST_NAMED]],
    }
