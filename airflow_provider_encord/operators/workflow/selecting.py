"""Select tasks for other tasks: a sample, or parts of a stage for mapped tasks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.defaults import MOST_PARTITIONS, TASKS_PER_PARTITION
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    literal_word,
    parse_fraction,
    parse_positive_int,
    parse_text,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import owner_of
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals, is_literal
from airflow_provider_encord.operators.workflow.base import TaskSelectionOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordSampleTasksOperator(TaskSelectionOperator):
    """Draw a random sample of the tasks of a stage, which is the same at every attempt.

    Only reads, and writes the sample to a file. Pass it as `source` to other operators on tasks, or its ids to
    ``.expand(task_ids=...)``. The same seed draws the same tasks from the same tasks, on any worker. A retry or a clear
    of the task finds the file and returns the sample again, also if its tasks have left the stage. Encord API:
    ``tasks`` GET (v2), for some strata ``labelrow`` listing (v1). The other arguments are those of
    `TaskSelectionOperator`.

    :param report: Path or URI of the JSON Lines file to write, with one line for each sampled task (templated). The
        sample of another DAG run is not replaced, so use ``{{ run_id }}`` in the path.
    :param size: Number of tasks (templated). If the stage has fewer, all are sampled.
    :param fraction: Instead of `size`: the share of the tasks, over 0 up to 1, rounded up to whole tasks (templated).
    :param seed: Any text or number (templated). Default: the logical date of the run, or its id if it has none.
    :param stratify_by: Sample each group of tasks in proportion to its size (templated): by ``"assignee"``,
        ``"dataset_id"``, ``"client_metadata.<key>"``, ``"class"`` (the most frequent object or classification of the
        data unit) or ``"annotator"`` (who created most of its labels). Default: one group.
    :param labels: Path or URI of the manifest of an export of the project, for ``"class"`` and ``"annotator"``
        (templated). Of an incremental export, the earlier exports are read, too.
    :return: ``{"project_id", "sampled", "strata", "task_ids", "report"}``: the number of sampled tasks, in all and in
        each group; the ids of at most 1000 of them; and the URI of the file.
    :raises AirflowFailException: An argument is wrong, or the stage does not exist.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        *("report", "size", "fraction", "seed", "stratify_by", "labels"),
        *TaskSelectionOperator.template_fields,
    )

    def __init__(
        self,
        *,
        report: str | os.PathLike[str] | ObjectStoragePath,
        size: int | str | None = None,
        fraction: float | str | None = None,
        seed: str | int | None = None,
        stratify_by: str | None = None,
        labels: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.report = report
        self.size = size
        self.fraction = fraction
        self.seed = seed
        self.stratify_by = stratify_by
        self.labels = labels
        check_literals(
            report=(report, parse_url),
            size=(size, parse_positive_int),
            fraction=(fraction, parse_fraction),
            stratify_by=(stratify_by, literal_word),
            labels=(labels, parse_url),
        )
        if is_literal(size) and is_literal(fraction):
            _require_one(size, fraction, InvalidLiteralError)

    def _execute(self, context: Context) -> dict[str, Any]:
        """Draw the sample."""
        from airflow_provider_encord.task_actions import selecting

        self.require_selection()
        _require_one(self.size, self.fraction, AirflowFailException)
        path = storage_path(self.report, "report")
        project = self.client.project(blank_to_none(self.project_id)).id
        self.push_link(context, queue_url, project)
        size, fraction = blank_to_none(self.size), blank_to_none(self.fraction)
        labels = blank_to_none(self.labels)
        spec = selecting.SampleSpec(
            seed=parse_text(self.seed, "seed") or _seed_of(context),
            size=None if size is None else parse_positive_int(size, "size"),
            fraction=None if fraction is None else parse_fraction(fraction, "fraction"),
            stratify_by=parse_text(self.stratify_by, "stratify_by"),
            labels=None if labels is None else storage_path(labels, "labels"),
        )
        query = selecting.TaskQuery(
            project_id=project,
            stage=parse_text(self.stage, "stage") or "",
            selection=self.selection(),
            source=self.source_path(),
            source_classes=self.classes(),
        )
        found = selecting.sample_tasks(self.client, query, spec, path, owner_of(context))
        self.log.info("The sample has %d tasks (seed %r).", found["sampled"], spec.seed)
        return {"project_id": project, **found, "report": str(path)}


class EncordPartitionTasksOperator(TaskSelectionOperator):
    """Divide the tasks of a stage into files for mapped tasks.

    Only reads, and writes the files. Pass them as `source` to mapped operators on tasks. A retry or a clear of the task
    returns the same files. Encord API: ``tasks`` GET (v2). The other arguments are those of `TaskSelectionOperator`::

        parts = EncordPartitionTasksOperator(
            task_id="parts", project_id="...", stage="QA", destination="s3://aws_default@work/{{ run_id }}/qa"
        )
        EncordMoveTasksOperator.partial(task_id="move", ...).expand(source=parts.output)

    :param destination: Directory for the files (templated). The files of another DAG run are not replaced, so use
        ``{{ run_id }}`` in the path.
    :param tasks_per_partition: Maximum number of tasks in a file (templated). The number is raised if there would be
        more than 1000 files. Default: 100.
    :return: URIs of the files, in order; an empty list if there are no tasks, so that mapped tasks are skipped.
    :raises AirflowFailException: An argument is wrong, or the stage does not exist.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = ("destination", "tasks_per_partition", *TaskSelectionOperator.template_fields)

    def __init__(
        self,
        *,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        tasks_per_partition: int | str = TASKS_PER_PARTITION,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.destination = destination
        self.tasks_per_partition = tasks_per_partition
        check_literals(
            destination=(destination, parse_url), tasks_per_partition=(tasks_per_partition, parse_positive_int)
        )

    def _execute(self, context: Context) -> list[str]:
        """Write the files."""
        from airflow_provider_encord.task_actions import selecting

        self.require_selection()
        directory = storage_path(self.destination, "destination")
        project = self.client.project(blank_to_none(self.project_id)).id
        self.push_link(context, queue_url, project)
        query = selecting.TaskQuery(
            project_id=project,
            stage=parse_text(self.stage, "stage") or "",
            selection=self.selection(),
            source=self.source_path(),
            source_classes=self.classes(),
        )
        files = selecting.partition_tasks(
            self.client,
            query,
            directory,
            owner_of(context),
            size=parse_positive_int(self.tasks_per_partition, "tasks_per_partition"),
            most=MOST_PARTITIONS,
        )
        self.log.info("Wrote %d files of tasks to %s.", len(files), directory)
        return files


def _require_one(size: Any, fraction: Any, error: type[Exception]) -> None:
    if (blank_to_none(size) is None) == (blank_to_none(fraction) is None):
        raise error("Pass exactly one of `size` and `fraction`.")


def _seed_of(context: Context) -> str:
    """The logical date of the run; its id if it has no date."""
    date = context.get("logical_date")
    return date.isoformat() if date is not None else str(getattr(context.get("ti"), "run_id", ""))
