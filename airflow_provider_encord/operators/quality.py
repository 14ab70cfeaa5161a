"""Quality gates: decide about labels by numbers, and fail or branch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY, AirflowFailException, BranchMixIn

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import IF_EMPTY, MIN_IOU, MIN_SUPPORT
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_datetime,
    parse_positive_int,
    parse_share,
    parse_texts,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.gates.gate import GateResult

_LIMITS = (
    *("min_agreement", "max_rejection_rate", "max_issue_rate"),
    *("max_missing_attributes", "max_invalid_rows", "max_class_drift"),
)
_MOST_GROUPS = 100  # in the result


class GateOperator(EncordBaseOperator):
    """Base of the quality gates.

    Only reads. Pass at least one limit; only the measures that have a limit are taken. A limit whose template renders
    to nothing is an error. A report lists what counts against the labels, row by row. Measures of labels read an export
    of the project in JSON Lines format.

    :param project_id: Id of the project (templated).
    :param labels: Path or URI of the manifest of an export of this project (templated). Needed by all limits except
        `max_rejection_rate`. Of an incremental export, the earlier exports are read, too; `min_agreement` does not
        accept it.
    :param report: Path or URI of a JSON Lines file to write, with one line for each finding (templated).
    :param min_agreement: Lower limit of the agreement between annotators, from 0 to 1 (templated): the F1 score of
        their annotations. Objects match if class and answers are the same and the areas of their shapes overlap by
        `min_iou`. Points, lines and skeletons match if they are at most 2 % of the larger side of the image apart.
        Other shapes, such as cuboids, are not compared. The export must have the label branches of the annotators
        (``all_branches=True``). Needs the extra ``quality``.
    :param max_rejection_rate: Upper limit of the share of reviews from `start` to `end` that rejected a task
        (templated). Needs an SSH key.
    :param max_issue_rate: Upper limit of the share of data units with open issues (templated). Takes a request for each
        data unit. Needs an SSH key.
    :param max_missing_attributes: Upper limit of the share of annotations without an answer to an attribute that the
        ontology requires (templated). An object of a video needs its answers on each of its frames. Annotations without
        required attributes do not count.
    :param max_invalid_rows: Upper limit of the share of label rows that do not match the ontology, according to Encord
        (templated). Rows without ``is_valid`` do not count.
    :param max_class_drift: Upper limit of the difference between the shares of the classes in `labels` and in
        `reference` (templated): the Jensen-Shannon distance, from 0 (equal) to 1.
    :param reference: Path or URI of the manifest of an export to compare with (templated).
    :param start: Start of the interval for rejections (templated).
    :param end: End of the interval for rejections, after `start` (templated).
    :param min_iou: Least intersection over union of the shapes of one object (templated). Default: 0.5.
    :param per_group: Whether the limits also apply to each annotator and each class (templated). Default: True.
    :param min_support: Annotators and classes with fewer annotations, rows or reviews are not judged (templated).
        Default: 20.
    :param if_empty: What a measure does if there is nothing to measure (templated): ``"fail"`` (default) or ``"pass"``.
    :param page: Path or URI of a page in HTML with plots (templated). It replaces only an earlier page. Default: no
        page.
    """

    template_fields: Sequence[str] = (
        *("project_id", "labels", "report", *_LIMITS, "reference", "start", "end"),
        *("min_iou", "per_group", "min_support", "if_empty", "page"),
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str,
        report: str | os.PathLike[str] | ObjectStoragePath,
        labels: str | os.PathLike[str] | ObjectStoragePath | None = None,
        min_agreement: float | str | None = None,
        max_rejection_rate: float | str | None = None,
        max_issue_rate: float | str | None = None,
        max_missing_attributes: float | str | None = None,
        max_invalid_rows: float | str | None = None,
        max_class_drift: float | str | None = None,
        reference: str | os.PathLike[str] | ObjectStoragePath | None = None,
        start: Any = None,
        end: Any = None,
        min_iou: float | str = MIN_IOU,
        per_group: bool | str = True,
        min_support: int | str = MIN_SUPPORT,
        if_empty: str = "fail",
        page: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.report = report
        self.labels = labels
        self.min_agreement = min_agreement
        self.max_rejection_rate = max_rejection_rate
        self.max_issue_rate = max_issue_rate
        self.max_missing_attributes = max_missing_attributes
        self.max_invalid_rows = max_invalid_rows
        self.max_class_drift = max_class_drift
        self.reference = reference
        self.start = start
        self.end = end
        self.min_iou = min_iou
        self.per_group = per_group
        self.min_support = min_support
        self.if_empty = if_empty
        self.page = page
        self._given_limits = frozenset(name for name in _LIMITS if getattr(self, name) is not None)
        check_literals(
            report=(report, parse_url),
            labels=(labels, parse_url),
            reference=(reference, parse_url),
            start=(start, parse_datetime),
            end=(end, parse_datetime),
            min_iou=(min_iou, parse_share),
            per_group=(per_group, parse_bool),
            min_support=(min_support, parse_positive_int),
            if_empty=(if_empty, one_of(*IF_EMPTY)),
            page=(page, parse_url),
            **{name: (getattr(self, name), parse_share) for name in _LIMITS},
        )

    def run_gate(self, context: Context) -> tuple[GateResult, dict[str, Any]]:
        """Take the measures; the decision, and the value for XCom."""
        from airflow_provider_encord.gates import gate

        project = self.client.project(blank_to_none(self.project_id)).id
        self.push_link(context, project_url, project)
        report, page = self._path("report"), self._path("page")
        spec = gate.gate_spec(
            project_id=project,
            limits={name: self._limit(name) for name in _LIMITS},
            labels=self._path("labels"),
            reference=self._path("reference"),
            start=parse_datetime(self.start, "start"),
            end=parse_datetime(self.end, "end"),
            min_iou=parse_share(self.min_iou, "min_iou"),
            groups=parse_bool(self.per_group, "per_group"),
            min_support=parse_positive_int(self.min_support, "min_support"),
            pass_if_empty=parse_choice(self.if_empty, "if_empty", IF_EMPTY) == "pass",
        )
        decision = gate.run_gate(self.client, spec, report, page)
        value = {
            "project_id": project,
            "passed": decision.passed,
            "rows": decision.rows,
            "measures": decision.values(_MOST_GROUPS),
            "findings": decision.findings,
            "report": str(report),
            "page": None if page is None else str(page),
        }
        outcome = "passed" if decision.passed else "failed"
        values = {judged.measure: judged.value for judged in decision.judged if judged.value is not None}
        uri = str(report if page is None else page)
        self.remember_event(project, "gate", {"rows": decision.rows, **values}, outcome=outcome, uri=uri)
        return decision, value

    def _path(self, name: str) -> Any:
        value = blank_to_none(getattr(self, name))
        return None if value is None else storage_path(value, name)

    def _limit(self, name: str) -> float | None:
        """A limit; None if it was not passed. A template must not decide that labels are not looked at."""
        value = blank_to_none(getattr(self, name))
        if value is not None:
            return parse_share(value, name)
        if name in self._given_limits:
            raise InvalidArgumentError(
                f"{name}: it is empty. Pass a number from 0 to 1, and check the rendered template; or leave it out."
            )
        return None


class EncordQualityGateOperator(GateOperator):
    """Fail if labels are not good enough, with the numbers.

    The arguments are those of `GateOperator`; pass at least one limit. Encord API: ``ontology`` of the project, for
    some limits ``analytics/task-actions`` and ``issues`` GET (v2).

    :return: ``{"project_id", "passed", "rows", "measures", "findings", "report", "page"}``. ``measures`` has, by name,
        ``{"value", "limit", "passed", "support", "not_compared", "by_annotator", "by_class", "failed_groups"}``; of
        annotators, classes and groups at most 100 each. ``not_compared`` is the number of annotations whose shapes
        cannot be compared. ``findings`` is the number of lines in the report.
    :raises AirflowFailException: A measure is not within its limit; the message has the numbers, and the report is
        written. Or an argument is wrong.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    def _execute(self, context: Context) -> dict[str, Any]:
        """Take the measures, and decide."""
        decision, value = self.run_gate(context)
        if not decision.passed:
            raise AirflowFailException(f"The labels are not within the limits:\n{decision.summary()}")
        return value


class EncordQualityGateBranchOperator(GateOperator, BranchMixIn):
    """Choose the next tasks by the quality of labels.

    The other arguments are those of `GateOperator`; pass at least one limit. Tasks that follow directly and are not
    chosen are skipped.

    :param if_passed: Task ids to run if all measures are within their limits, or one id (templated). Default: none.
    :param if_failed: Task ids to run otherwise, or one id (templated). Default: none.
    :return: The same as for `EncordQualityGateOperator`.
    :raises AirflowFailException: An argument is wrong.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = ("if_passed", "if_failed", *GateOperator.template_fields)

    def __init__(
        self,
        *,
        if_passed: Sequence[str] | str | None = None,
        if_failed: Sequence[str] | str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.if_passed = if_passed
        self.if_failed = if_failed

    def _execute(self, context: Context) -> dict[str, Any]:
        """Take the measures, and choose."""
        decision, value = self.run_gate(context)
        argument = "if_passed" if decision.passed else "if_failed"
        chosen = parse_texts(getattr(self, argument), argument) or []
        self.log.info("The gate %s. Next: %s.", "passed" if decision.passed else "did not pass", chosen or "no task")
        if not decision.passed:
            self.log.warning("The labels are not within the limits:\n%s", decision.summary())
        context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=value)  # Airflow 3 branches by an exception
        self.do_branch(context, chosen or None)
        return value
