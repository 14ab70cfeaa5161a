"""Import labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.defaults import IF_LABELS_EXIST
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    ON_ERROR,
    blank_to_none,
    branch_name,
    parse_bool,
    parse_choice,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.client.api.labels import LabelRowMetadata
    from airflow_provider_encord.prelabels.report import ImportReport
    from airflow_provider_encord.prelabels.rows import ImportSpec
    from airflow_provider_encord.prelabels.sources import Prelabel

MAIN = "main"


class EncordImportLabelsOperator(EncordBaseOperator):
    """Import labels into a project: pre-labels of a model, or labels from an export.

    Changes the project. Label rows of data units that have none are created, which moves their tasks to "label in
    progress". Each row is read whole, the labels are put in, and it is saved if that changes anything; Encord's own
    check against the ontology is asked for, and everything is checked before anything is sent.

    The source has a line for each data unit: a label row as `EncordExportLabelsOperator` writes it (``jsonl``), whose
    ids are replaced by those of the row that it goes to; or the short form
    (`airflow_provider_encord.prelabels.build`)::

        {"data_hash": "...", "objects": [{"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}],
         "classifications": [{"feature": "Weather", "answer": "Rain"}]}

    Safe to repeat: the same pre-labels give the same hashes, rows that have the labels already are not sent, and a
    retry after a kill does what is left. People win: a row that has labels is left alone, unless the report shows that
    they are those of an earlier import and were not edited since (`if_exists`). Right before a row is saved it is
    listed again, and read and merged again if it was saved meanwhile. Works with an SSH key and with the API key of
    a project (without `promote_to`). Encord API: ``labelrow`` GET, PUT, POST (v1), ``labels/copy-branch`` (v2).

    :param project_id: Id of the project (templated). With an API key it may be left out.
    :param source: Path or URI of a ``.jsonl``, ``.jsonl.gz`` or ``.jsonl.zst`` file, or of a directory of them
        (templated). It must have lines. Of the directory of an export, the files that its manifest names are imported;
        an unfinished or incomplete export is refused.
    :param python_callable: Instead of `source`, a function: it takes the metadata of a label row
        (`airflow_provider_encord.client.LabelRowMetadata`), and returns its labels in the short form, or None for
        none. Not templated.
    :param match_by: How a line says its data unit (templated): ``"data_hash"``, ``"title"``, or
        ``"client_metadata.<key>"``.
    :param branch: Label branch to import to (templated).
    :param promote_to: Afterwards copy the labels of these rows from `branch` to this branch, such as ``"main"``
        (templated). SSH keys only.
    :param overwrite: With `promote_to`: replace labels that are there (templated); else such rows stay.
    :param if_exists: What to do with rows that have labels (templated). ``"skip"`` (default) leaves them alone, unless
        the report shows that an earlier import saved all their labels and that no one edited them since. ``"merge"``
        adds to them, frame by frame. It changes only labels that an earlier import with this report saved; any other
        label that is there with another content stays, and the report counts it as ``kept``. A row that somebody
        edited since is a conflict and is left alone. Without a report, merging never changes a label that is there,
        but cannot see that somebody deleted a label, and adds it again. ``"overwrite"`` replaces all labels, also
        those of people.
    :param create_missing: Create label rows where there are none (templated); else such data units are skipped.
    :param on_error: ``"fail"``: if a line is wrong, nothing is sent (of what a function makes: the others are imported,
        and the task fails); ``"skip"``: the others are imported (templated).
    :param report: Path or URI of a file to write (templated): JSON Lines, one for each row, with its outcome; the
        schema ``report`` of `airflow_provider_encord.schemas` lists its fields. One task at a time may write it. Name
        the same one at every run, so that imports can update their own labels: what it has about other rows is kept
        beside it, in a file of its name with ``.known`` after it. It must not be among the files of `source`. None
        writes none.
    :return: ``{"project_id", "branch", "created", "updated", "unchanged", "skipped", "conflict", "failed", "promoted",
        "report"}``: numbers of rows by outcome, which add up to the lines of the source, and the URI of the report.
        ``created`` are rows whose label row was created. Conflicts are rows that were left alone because
        somebody edited them, or because all that differs are labels that merging does not change.
    :raises AirflowFailException: A line or an argument is wrong, or Encord refuses; the message names it.
    :raises AirflowException: Encord was not reached; a retry does what is left.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "source",
        "match_by",
        "branch",
        "promote_to",
        "overwrite",
        "if_exists",
        "create_missing",
        "on_error",
        "report",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str | None = None,
        source: str | os.PathLike[str] | ObjectStoragePath | None = None,
        python_callable: Callable[[LabelRowMetadata], Mapping[str, Any] | None] | None = None,
        match_by: str = "data_hash",
        branch: str = MAIN,
        promote_to: str | None = None,
        overwrite: bool | str = False,
        if_exists: str = "skip",
        create_missing: bool | str = True,
        on_error: str = "fail",
        report: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.source = source
        self.python_callable = python_callable
        self.match_by = match_by
        self.branch = branch
        self.promote_to = promote_to
        self.overwrite = overwrite
        self.if_exists = if_exists
        self.create_missing = create_missing
        self.on_error = on_error
        self.report = report
        check_literals(
            source=(source, parse_url),
            branch=(branch, branch_name),
            promote_to=(promote_to, branch_name),
            if_exists=(if_exists, one_of(*IF_LABELS_EXIST)),
            create_missing=(create_missing, parse_bool),
            on_error=(on_error, one_of(*ON_ERROR)),
            overwrite=(overwrite, parse_bool),
            report=(report, parse_url),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Import the labels."""
        from airflow_provider_encord.assets import labels_uri
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.prelabels.importing import FAIL, import_labels
        from airflow_provider_encord.prelabels.report import OUTCOMES_OF_IMPORTS, ImportReport
        from airflow_provider_encord.reports import CONFLICT, FAILED

        prelabels = self._prelabels()
        spec = self._spec()
        overwrite = parse_bool(self.overwrite, "overwrite")
        path = storage_path(self.report, "report") if blank_to_none(self.report) else None
        self.push_link(context, project_url, spec.project_id)
        report = ImportReport(path, owner_of(context))
        try:
            done = import_labels(
                self.client,
                spec,
                prelabels,
                report,
                check_first=spec.on_error == FAIL and self.python_callable is None,
            )
        except Exception:
            if report.begun:  # else the report of an earlier import stays
                report.finish()
            else:
                report.release()
            raise
        report.finish()
        if report.counts[CONFLICT]:
            self.log.warning(
                "%d rows were left alone, as somebody edited them; %s.",
                report.counts[CONFLICT],
                "the report names them" if path else "with the argument report, a file would name them",
            )
        self._warn_of_merging(spec, report)
        if report.counts[FAILED] and spec.on_error == FAIL:
            raise InvalidArgumentError(_failures(report))
        promoted = self._promote(spec, done, overwrite=overwrite)
        result: dict[str, Any] = {
            "project_id": spec.project_id,
            "branch": spec.branch,
            **{outcome: report.counts[outcome] for outcome in OUTCOMES_OF_IMPORTS},
            "promoted": promoted,
            "report": str(path) if path else None,
        }
        for branch in (spec.branch, branch_name(self.promote_to, "promote_to") if promoted else None):
            if branch:
                self.record_asset_event(
                    context, labels_uri(self.client.settings.base_url, spec.project_id, branch), result
                )
        return result

    def _warn_of_merging(self, spec: ImportSpec, report: ImportReport) -> None:
        from airflow_provider_encord.prelabels.report import KEPT
        from airflow_provider_encord.prelabels.rows import MERGE

        if report.counts[KEPT]:
            self.log.warning(
                "%d rows have some of the labels with another content. These were not changed.", report.counts[KEPT]
            )
        if spec.if_exists == MERGE and not blank_to_none(self.report):
            self.log.warning(
                "Labels were merged without the argument report: if somebody deletes them, the next import adds them "
                "again, and it cannot update its own labels. Name the same report at every run."
            )

    def _spec(self) -> ImportSpec:
        from airflow_provider_encord.client.api.label_actions import copy_labels_to_branch
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.prelabels.importing import FAIL, SKIP_ERRORS
        from airflow_provider_encord.prelabels.matching import require_key
        from airflow_provider_encord.prelabels.rows import IF_EXISTS, ImportSpec

        require_key(self.match_by)
        parse_choice(self.if_exists, "if_exists", IF_EXISTS)
        parse_choice(self.on_error, "on_error", (FAIL, SKIP_ERRORS))
        branch = branch_name(self.branch, "branch") or MAIN
        target = branch_name(self.promote_to, "promote_to")
        project = self.client.project(self.project_id or None).id
        if target is not None:
            if target == branch:
                raise InvalidArgumentError(f"promote_to: {branch!r} is the branch that is imported to.")
            self.client.require_possible(copy_labels_to_branch(project, [], target=target))
        return ImportSpec(
            project_id=project,
            branch=branch,
            match_by=self.match_by,
            if_exists=self.if_exists,
            create_missing=parse_bool(self.create_missing, "create_missing"),
            on_error=self.on_error,
        )

    def _prelabels(self) -> Callable[[Sequence[LabelRowMetadata]], Iterable[Prelabel]]:
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.exports.whole_shards import whole_shards
        from airflow_provider_encord.prelabels.sources import SUFFIXES, prelabels_of, require_apart

        source = blank_to_none(self.source)
        if (source is None) == (self.python_callable is None):
            raise InvalidArgumentError("Pass exactly one of `source` and `python_callable`.")
        if source is None:
            return self._made
        path = storage_path(source, "source")
        if blank_to_none(self.report):
            require_apart(path, storage_path(self.report, "report"))

        def lines(rows: Sequence[LabelRowMetadata]) -> Iterator[Prelabel]:  # noqa: ARG001 - a function needs the rows
            return prelabels_of(path, whole_shards(path, "source", SUFFIXES))

        return lines

    def _made(self, rows: Sequence[LabelRowMetadata]) -> Iterator[Prelabel]:
        from airflow_provider_encord.prelabels.sources import Prelabel

        for row in rows:
            content = self._call_labels(row)
            if content is None:
                continue
            about = {"data_hash": row.data_hash, "title": row.data_title}
            if isinstance(content, Mapping):
                yield Prelabel(place=row.data_title, content={**content, **about})
            else:
                problem = (
                    f"python_callable: the function returned a {type(content).__name__}; return a dictionary or None."
                )
                yield Prelabel(place=row.data_title, content=about, problem=problem)

    def _call_labels(self, row: LabelRowMetadata) -> Any:
        """What the user's function returns; its errors name the data unit. Like any task's code, it may be retried."""
        try:
            return self.python_callable(row) if self.python_callable else None
        except AirflowException:
            raise
        except Exception as error:
            raise AirflowException(
                f"python_callable: the function raised {type(error).__name__} for the data unit "
                f"{row.data_title[:80]!r}; see the traceback in this log."
            ) from error

    def _promote(self, spec: ImportSpec, label_hashes: Sequence[str], *, overwrite: bool) -> int:
        target = branch_name(self.promote_to, "promote_to")
        if target is None or not label_hashes:
            return 0
        rows = self.client.project(spec.project_id).rows
        return rows.copy_to_branch(label_hashes, target=target, source=spec.branch, overwrite=overwrite)


def _failures(report: ImportReport) -> str:
    from airflow_provider_encord.reports import FAILED

    named = " ".join(f"{failure.source}: {failure.error}" for failure in report.failures)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()) if count)
    return f"{report.counts[FAILED]} rows were not imported ({counts}). {named}"
