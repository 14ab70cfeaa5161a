"""A quality gate: measure, judge, report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import MAIN_BRANCH
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.exports import read_manifest
from airflow_provider_encord.exports.arguments import latest_rows, manifest_of_project, naming
from airflow_provider_encord.gates.activity import open_issues, rejections
from airflow_provider_encord.gates.agreement import require_shapes
from airflow_provider_encord.gates.judging import Judged, Thresholds, is_within, judge
from airflow_provider_encord.gates.measures import (
    AGREEMENT,
    CLASS_DRIFT,
    INVALID_ROWS,
    ISSUE_RATE,
    MISSING_ATTRIBUTES,
    REJECTION_RATE,
    Finding,
    Measured,
    Rate,
    class_drift,
    classes_of,
    measure,
)
from airflow_provider_encord.gates.page import page_of, require_own_page
from airflow_provider_encord.reports import FAILED, QUALITY_GATE, SCHEMA_VERSION, LineReader, ReportLine, encode_lines
from airflow_provider_encord.storage_paths import (
    StoragePath,
    is_local,
    plain,
    require_replaceable,
    storage_errors,
    write_whole,
)

log = logging.getLogger(__name__)

OPERATION = QUALITY_GATE
_NAMED = 20


class GateLine(ReportLine, frozen=True, kw_only=True):
    """A line about something that counts against the labels.

    ``source`` is the measure, ``id`` the label hash of the row, or null. ``outcome`` is always `FAILED`.

    :param data_hash: None if it is about an annotator or a class.
    :param annotator: Whom it is about, if it is known.
    :param class_name: Name of the object or classification that it is about.
    :param value: The measured value, if there is one.
    """

    project_id: str
    data_hash: str | None
    data_title: str
    annotator: str | None = None
    class_name: str | None = None
    value: float | None = None


class GateSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate is asked for.

    :param labels: Path object of the manifest of an export of this project; None if no measure needs labels. If it is
        incremental, its earlier exports are read, too.
    :param reference: Path object of the manifest of another export, for the class drift. It may be of another project.
    :param start: Of the interval in which rejections count.
    :param min_iou: See `agreement.compare`.
    :param groups: Whether limits also apply to each annotator and class with at least `min_support` items.
    :param pass_if_empty: Whether a measure passes if there was nothing to measure.
    """

    project_id: str
    thresholds: Thresholds
    labels: Any = None
    reference: Any = None
    start: str | None = None
    end: str | None = None
    min_iou: float
    groups: bool
    min_support: int
    pass_if_empty: bool


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The decision.

    :param findings: How many lines the report has.
    """

    judged: list[Judged]
    rows: int
    findings: int

    @property
    def passed(self) -> bool:
        """Whether all measures are within their limits."""
        return all(judged.passed for judged in self.judged)

    def values(self, most_groups: int) -> dict[str, dict[str, Any]]:
        """The measures as JSON values.

        :param most_groups: How many annotators, classes and failed groups of a measure at most.
        """
        return {
            judged.measure: {
                "value": judged.value,
                "limit": judged.threshold,
                "passed": judged.passed,
                "support": judged.support,
                "not_compared": judged.not_compared,
                "by_annotator": dict(list(judged.by_annotator.items())[:most_groups]),
                "by_class": dict(list(judged.by_class.items())[:most_groups]),
                "failed_groups": judged.failed_groups[:most_groups],
            }
            for judged in self.judged
        }

    def summary(self) -> str:
        """The measures that are not within their limits, as text."""
        parts = []
        for judged in self.judged:
            if not judged.passed:
                value = "not measured" if judged.value is None else f"{judged.value:.3f}"
                groups = "".join(f"\n  - {group}" for group in judged.failed_groups[:_NAMED])
                parts.append(f"- {judged.measure}: {value}, limit {judged.threshold:g}{groups}")
        return "\n".join(parts)


def gate_spec(*, limits: Mapping[str, float | None], **rest: Any) -> GateSpec:
    """Make the specification from the arguments of an operator.

    :raises InvalidArgumentError: There is no limit.
    """
    return GateSpec(thresholds=Thresholds(**limits), **rest)


REPORT_LINE = LineReader(GateLine, OPERATION)


class _Gate:
    """The measures of one gate, while they are taken."""

    def __init__(self, client: EncordClient, spec: GateSpec):
        self._client, self._spec, self._limits = client, spec, spec.thresholds
        self.measured = Measured()
        self.rejected, self.with_issues = Rate(), Rate()
        self.findings = 0
        self.judged: list[Judged] = []

    def lines(self) -> Iterator[bytes]:
        """Take the measures, and yield the lines of the report. At the end, the decision is known."""
        for finding in self._findings():
            if self._counts(finding):
                self.findings += 1
                yield from encode_lines([self._line(finding)])
        self.judged = list(self._judge())
        for judged in self.judged:
            for group in judged.failed_groups:
                self.findings += 1
                yield from encode_lines([self._line(_of_group(judged, group))])

    def _counts(self, finding: Finding) -> bool:
        """Whether the measure has a limit and, if the finding has a value, this is not within the limit."""
        limit = self._limits.of(finding.measure)
        return limit is not None and (finding.value is None or not is_within(finding.measure, finding.value, limit))

    def _findings(self) -> Iterator[Finding]:
        if self._spec.labels is not None:
            structure = self._client.project(self._spec.project_id).ontology().editor_ontology
            yield from measure(
                latest_rows(self._spec.labels, "labels"),
                structure,
                self.measured,
                main_branch=MAIN_BRANCH,
                min_iou=None if self._limits.min_agreement is None else self._spec.min_iou,
            )
            self._warn_not_compared()
        if self._limits.max_issue_rate is not None:
            yield from self._issues()
        start, end = self._spec.start, self._spec.end
        if self._limits.max_rejection_rate is not None and start is not None and end is not None:
            activity = self._client.project(self._spec.project_id).activity
            actions = activity.task_actions(start, end)
            yield from rejections(actions, self.rejected)

    def _warn_not_compared(self) -> None:
        agreement = self.measured.agreement
        if agreement.total.not_compared:
            classes = sorted(name for name, tally in agreement.by_class.items() if tally.not_compared)
            log.warning(
                "min_agreement: %d annotations have shapes that cannot be compared, or malformed geometry, and do not "
                "count. Their classes: %s.",
                agreement.total.not_compared,
                ", ".join(classes[:_NAMED]),
            )

    def _issues(self) -> Iterator[Finding]:
        for row in latest_rows(self._spec.labels, "labels"):
            if (row.get("branch_name") or MAIN_BRANCH) == MAIN_BRANCH:
                found = self._client.run(open_issues(self._spec.project_id, row, self.with_issues))
                if found is not None:
                    yield found

    def _judge(self) -> Iterator[Judged]:
        rates = {
            AGREEMENT: self.measured.agreement,
            REJECTION_RATE: self.rejected,
            ISSUE_RATE: self.with_issues,
            MISSING_ATTRIBUTES: self.measured.missing,
            INVALID_ROWS: self.measured.invalid,
        }
        for name in self._limits.measures:
            limit = self._limits.of(name)
            assert limit is not None  # noqa: S101 - `measures` has those with a limit
            if name == CLASS_DRIFT:
                judged = self._drift(limit)
            else:
                groups, support = self._spec.groups, self._spec.min_support
                judged = judge(name, rates[name], limit, groups=groups, min_support=support)
            if judged.value is None:
                judged.passed = self._spec.pass_if_empty
            yield judged

    def _drift(self, limit: float) -> Judged:
        structure = self._client.project(self._spec.project_id).ontology().editor_ontology
        before = classes_of(latest_rows(self._spec.reference, "reference"), structure, MAIN_BRANCH)
        value, by_class = class_drift(self.measured.classes, before)
        passed = value is None or is_within(CLASS_DRIFT, value, limit)
        moved = sorted(by_class.items(), key=lambda item: (-abs(item[1]), item[0]))
        return Judged(
            measure=CLASS_DRIFT,
            threshold=limit,
            value=value,
            support=sum(self.measured.classes.values()),
            passed=passed,
            by_class=by_class,
            failed_groups=[] if passed else [f"class {name}: share {change:+.3f}" for name, change in moved if change],
        )

    def _line(self, finding: Finding) -> GateLine:
        return GateLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=finding.measure,
            id=finding.label_hash,
            outcome=FAILED,
            error=finding.message,
            project_id=self._spec.project_id,
            data_hash=finding.data_hash,
            data_title=finding.data_title,
            annotator=finding.annotator,
            class_name=finding.class_name,
            value=finding.value,
        )


def run_gate(client: EncordClient, spec: GateSpec, report: StoragePath, page: StoragePath | None) -> GateResult:
    """Take the measures that have limits, and write the report.

    :param page: Path of a page in HTML; None for no page.
    :raises InvalidArgumentError: A measure needs an argument or an extra that is missing, the labels are of another
        project, or the report or the page would replace another file.
    """
    if spec.thresholds.min_agreement is not None:
        require_shapes()
    _require_inputs(spec)
    _require_exports(spec)
    _require_outputs(report, page)
    gate = _Gate(client, spec)
    with storage_errors("report", report):
        write_whole(report, gate.lines())
    result = GateResult(judged=gate.judged, rows=gate.measured.rows, findings=gate.findings)
    if page is not None:
        with storage_errors("page", page):
            write_whole(page, [page_of(result.judged, gate.measured, spec.project_id).encode()])
    return result


def _require_inputs(spec: GateSpec) -> None:
    limits = spec.thresholds
    of_labels = [name for name in limits.measures if name != REJECTION_RATE]
    if of_labels and spec.labels is None:
        raise InvalidArgumentError(f"labels: {', '.join(of_labels)} needs labels. Pass the manifest of an export.")
    if limits.max_class_drift is not None and spec.reference is None:
        raise InvalidArgumentError("reference: max_class_drift needs the manifest of an export to compare with.")
    if limits.max_rejection_rate is None:
        return
    if spec.start is None or spec.end is None:
        raise InvalidArgumentError("start, end: max_rejection_rate needs the interval in which reviews count.")
    if parse_time(spec.start) >= parse_time(spec.end):
        raise InvalidArgumentError(
            f"start, end: the interval from {spec.start} to {spec.end} is empty, so no review counts. Pass an end "
            "that is after the start (with Airflow 3's default timetable, the data intervals of runs are empty)."
        )


def _require_exports(spec: GateSpec) -> None:
    """Check the manifests, and log how many rows are missing in the exports."""
    for name, path in (("labels", spec.labels), ("reference", spec.reference)):
        if path is None:
            continue
        if name == "labels":
            manifest = manifest_of_project(path, name, spec.project_id)
        else:
            with naming(name):
                manifest = read_manifest(path)
        if name == "labels" and manifest.previous is not None and spec.thresholds.min_agreement is not None:
            raise InvalidArgumentError(
                f"labels: {path} is an incremental export, which has only the branches that changed, so min_agreement "
                "cannot compare annotators. Pass an export that is not incremental."
            )
        if manifest.counts.failed:
            log.warning(
                "%s: %d label rows could not be read by the export. They are not measured, or in an earlier state.",
                name,
                manifest.counts.failed,
            )


def _require_outputs(report: StoragePath, page: StoragePath | None) -> None:
    if page is not None and _place(page) == _place(report):
        raise InvalidArgumentError(f"page: {page} is also the report. Pass another file.")
    require_replaceable(report, "report", REPORT_LINE.decode, "a report of a quality gate")
    if page is not None:
        require_own_page(page)


def _place(path: StoragePath) -> str:
    return str(plain(path).resolve() if is_local(path) else path)


def _of_group(judged: Judged, group: str) -> Finding:
    kind, _, rest = group.partition(" ")
    name = rest.rpartition(": ")[0]
    return Finding(
        measure=judged.measure,
        data_hash=None,
        label_hash=None,
        data_title="",
        message=f"{group}, limit {judged.threshold:g}.",
        annotator=name if kind == "annotator" else None,
        class_name=name if kind == "class" else None,
    )
