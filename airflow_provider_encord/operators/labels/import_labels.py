"""Import labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.assets import MAIN_BRANCH, labels_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import IF_LABELS_EXIST, PRELABEL_COORDINATES, PRELABEL_FORMATS
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    ON_ERROR,
    blank_to_none,
    branch_name,
    parse_bool,
    parse_choice,
    parse_mapping,
    parse_share,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.client.api.labels import LabelRowMetadata
    from airflow_provider_encord.prelabels.forms.spec import FormSpec
    from airflow_provider_encord.prelabels.whole_import import Prelabels


class EncordImportLabelsOperator(EncordBaseOperator):
    """Import labels into a project: pre-labels of a model, or labels from an export.

    Changes the project. If a data unit has no label row, the task creates it; this moves the Encord task to "label in
    progress". The task checks all lines before it sends anything. Then it reads each row, adds the labels, and saves
    the row if that changes it. Encord validates the saved labels against the ontology.

    The source is JSON Lines, or has another `format`. JSON Lines have one line for each data unit. A line is a label
    row as `EncordExportLabelsOperator` writes it (``jsonl``); its ids are replaced by the ids of the target row. Or it
    has this short form (`airflow_provider_encord.prelabels.build`)::

        {"data_hash": "...", "objects": [{"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}],
         "classifications": [{"feature": "Weather", "answer": "Rain"}]}

    Safe to repeat: the same pre-labels get the same hashes, rows that already have the labels are not sent, and a
    retry continues with the remaining rows. Labels that people made are protected: by default, a row with labels is
    skipped, unless the report shows that an earlier import made them and that they were not edited since (see
    `if_exists`). Before a row is saved, the task checks whether somebody saved it in the meantime; if so, it reads the
    row again and repeats the merge. Works with an SSH key, or with the API key of a project (without `promote_to`).
    Encord API: ``labelrow`` GET, PUT, POST (v1), ``labels/copy-branch`` (v2).

    :param project_id: Id of the project (templated). Optional with an API key.
    :param source: Path or URI of a ``.jsonl``, ``.jsonl.gz`` or ``.jsonl.zst`` file, or of a directory with such files
        (templated); or of files in the `format`. It must not be empty. From the directory of an export, the files that
        its manifest lists are imported; an incomplete export is an error.
    :param python_callable: A function, instead of `source`. It gets the metadata of a label row
        (`airflow_provider_encord.client.LabelRowMetadata`), and returns the labels in the short form, or None for no
        labels. Not templated.
    :param format: Format of the source (templated): ``"coco"``, ``"yolo"``, ``"csv"``, ``"parquet"``, ``"cvat"``,
        ``"label_studio"`` or ``"masks"``. Default: JSON Lines. The guide "Import pre-labels from files" says what is
        read of each. ``"parquet"`` and ``"masks"`` need the extra of the same name.
    :param class_map: With `format`, the name or feature hash of the ontology's feature for each class of the source
        (templated). None leaves a class out. A class without an entry must have the name of a feature; the task fails
        before anything is sent if it has not, and names all such classes.
    :param score_threshold: With `format`, leave out annotations with a lower score, from 0 to 1 (templated). Then all
        annotations need a score. The score of the others becomes Encord's confidence. Default: all come in.
    :param coordinates: Unit of the coordinates of a table (templated): ``"pixels"`` or ``"fractions"`` of width and
        height. Required for ``"csv"`` and ``"parquet"``.
    :param images_source: With ``"coco"`` and a list of results, the path or URI of the file with its images and
        categories (templated).
    :param match_by: How a line names its data unit (templated): by ``"data_hash"`` (default), ``"title"``, or
        ``"client_metadata.<key>"``. With `format`, the default is ``"title"``, and the name of a file also matches
        without its folders, or without its suffix.
    :param branch: Label branch to import to (templated). Default: ``"main"``.
    :param promote_to: After the import, copy the labels of these rows from `branch` to this branch, such as ``"main"``
        (templated). Needs an SSH key. Default: no copy.
    :param overwrite: With `promote_to`, replace the labels that rows of that branch already have (templated). Default:
        False; such rows are not changed.
    :param if_exists: What to do with rows that have labels (templated). ``"skip"`` (default) skips them, unless the
        report shows that an earlier import saved all their labels and that they were not edited since. ``"merge"``
        adds the new labels, frame by frame. It changes only labels that an earlier import with this report saved. A
        label that somebody else made is not changed; if the source has it with different content, the report counts it
        as ``kept``. A row that somebody edited since the earlier import is a conflict and is not changed. Without a
        report, merging never changes an existing label, but it adds labels again that somebody deleted.
        ``"overwrite"`` replaces all labels, also those that people made.
    :param create_missing: Create missing label rows (templated). Default: True. If False, data units without a label
        row are skipped.
    :param on_error: What to do about wrong lines (templated). ``"fail"`` (default): if a line of the source is wrong,
        nothing is sent. If labels of `python_callable` are wrong, the other rows are imported, and then the task
        fails. ``"skip"``: the other lines are imported, and the task succeeds.
    :param report: Path or URI of a JSON Lines file to write, with one line for each row and its outcome (templated).
        The schema ``report`` of `airflow_provider_encord.schemas` lists the fields. Only one task at a time may write
        it. Use the same report at every run, so that imports can update their own labels: its lines about other rows
        are kept in a second file, whose name is the name of the report and ``.known``. The report must not be one of
        the files of `source`. Default: no report.
    :return: ``{"project_id", "branch", "created", "updated", "unchanged", "skipped", "conflict", "failed", "promoted",
        "dropped", "report"}``: the number of rows with each outcome, and the URI of the report. ``dropped`` has the
        number of annotations of the source that were left out, by reason. The outcomes add up to the number
        of lines. ``created`` counts the rows that the task created in Encord. ``conflict`` counts the rows that were
        not changed because somebody edited them, or because they differ only in labels that merging does not change.
    :raises AirflowFailException: A line or an argument is wrong, or Encord rejects the request; the message names it.
    :raises AirflowException: Encord could not be reached; a retry continues with the remaining rows.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "source",
        "format",
        "class_map",
        "score_threshold",
        "coordinates",
        "images_source",
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
        format: str | None = None,  # noqa: A002
        class_map: Mapping[str, str | None] | str | None = None,
        score_threshold: float | str | None = None,
        coordinates: str | None = None,
        images_source: str | os.PathLike[str] | ObjectStoragePath | None = None,
        match_by: str | None = None,
        branch: str = MAIN_BRANCH,
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
        self.format = format
        self.class_map = class_map
        self.score_threshold = score_threshold
        self.coordinates = coordinates
        self.images_source = images_source
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
            format=(format, one_of(*PRELABEL_FORMATS)),
            score_threshold=(score_threshold, parse_share),
            coordinates=(coordinates, one_of(*PRELABEL_COORDINATES)),
            images_source=(images_source, parse_url),
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
        from airflow_provider_encord.prelabels.whole_import import import_and_promote, specify_import

        path = storage_path(self.report, "report") if blank_to_none(self.report) else None
        form = self._form()
        prelabels = self._prelabels(path, form)
        parse_choice(self.if_exists, "if_exists", IF_LABELS_EXIST)
        parse_choice(self.on_error, "on_error", ON_ERROR)
        target = branch_name(self.promote_to, "promote_to")
        spec = specify_import(
            self.client,
            self.project_id or None,
            branch=branch_name(self.branch, "branch") or MAIN_BRANCH,
            promote_to=target,
            match_by=self._match_by,
            list_images=form is not None,
            if_exists=self.if_exists,
            create_missing=parse_bool(self.create_missing, "create_missing"),
            on_error=self.on_error,
        )
        overwrite = parse_bool(self.overwrite, "overwrite")
        self.push_link(context, project_url, spec.project_id)
        result = import_and_promote(
            self.client,
            spec,
            prelabels,
            report_path=path,
            owner=owner_of(context),
            check_first=self.python_callable is None,
            promote_to=target,
            overwrite=overwrite,
        )
        for branch in (spec.branch, target if result["promoted"] else None):
            if branch:
                uri = labels_uri(self.client.settings.base_url, spec.project_id, branch)
                self.record_asset_event(context, uri, result)
        self.remember_event(spec.project_id, "import", result, uri=result.get("report"))
        return result

    @property
    def _match_by(self) -> str:
        return self.match_by or ("title" if blank_to_none(self.format) else "data_hash")

    def _form(self) -> FormSpec | None:
        """The form of the source; None for JSON Lines and functions."""
        from airflow_provider_encord.prelabels.whole_import import specify_form

        images = blank_to_none(self.images_source)
        score = blank_to_none(self.score_threshold)
        return specify_form(
            blank_to_none(self.format),
            class_map=parse_mapping(self.class_map, "class_map"),
            score_threshold=None if score is None else parse_share(score, "score_threshold"),
            coordinates=blank_to_none(self.coordinates),
            images_source=None if images is None else storage_path(images, "images_source"),
        )

    def _prelabels(self, report: ObjectStoragePath | None, form: FormSpec | None) -> Prelabels:
        from airflow_provider_encord.prelabels.whole_import import lines_of_files, lines_of_form, lines_of_function

        source = blank_to_none(self.source)
        if (source is None) == (self.python_callable is None):
            raise InvalidArgumentError("Pass exactly one of `source` and `python_callable`.")
        if source is None and form is not None:
            raise InvalidArgumentError("format: it applies only to `source`. Leave it out with `python_callable`.")
        if source is None:
            return lines_of_function(self._call_labels)
        path = storage_path(source, "source")
        return lines_of_files(path, report) if form is None else lines_of_form(path, form, self._match_by, report)

    def _call_labels(self, row: LabelRowMetadata) -> Any:
        """Call the user's function. If it fails, the error names the data unit and, as for other tasks, is retried."""
        try:
            return self.python_callable(row) if self.python_callable else None
        except AirflowException:
            raise
        except Exception as error:
            raise AirflowException(
                f"python_callable: the function raised {type(error).__name__} for the data unit "
                f"{row.data_title[:80]!r}; see the traceback in this log."
            ) from error
