"""Checks of the content of answers: times and filters, label rows, data rows, workflows, constants."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    datasets,
    labels,
    ontologies,
    projects,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.labels import LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.smoke.findings import Finding, held, not_checked, verdict
from airflow_provider_encord.smoke.reference import PARTLY_IN_SNAKE_CASE
from airflow_provider_encord.smoke.visit import Visit

_SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_MOST_ROWS = 50  # in requests for label rows: few, so that the answer is small
_LONG_AGO = datetime.datetime(1971, 1, 1, tzinfo=datetime.UTC)
_IDS = ("project_hash", "dataset_hash")
_FORMS = ("Z", "+00:00")
_MEANINGS: dict[tuple[bool, ...], str] = {
    (True, False): "read as UTC",
    (True, True): "ignored, or read as an earlier time",
    (False, False): "read as a later time",
    (False, True): "not read as a time",
}
_Listing = Callable[[Filter], Call[Any]]
_WORD = re.compile(r"[A-Za-z]+(_[A-Za-z0-9]+)*")

KNOWN_WORDS = {
    "project status": "notStarted inProgress inReview paused completed cancelled archived",
    "project type": "workflow manual_qa",
    "project role": "0 1 2 3 4 5",
    "stage type": "ANNOTATION REVIEW USER_ROUTER PERCENTAGE_ROUTER CONSENSUS_ANNOTATION CONSENSUS_REVIEW DONE AGENT",
    "data type": "VIDEO IMG_GROUP DICOM IMAGE DICOM_STUDY NIFTI AUDIO TIME_SERIES PLAIN_TEXT PDF GROUP SCENE",
    "label status": "NOT_LABELLED LABEL_IN_PROGRESS LABELLED REVIEW_IN_PROGRESS REVIEWED REVIEWED_TWICE",
    "annotation task status": "QUEUED ASSIGNED IN_REVIEW RETURNED COMPLETED",
    "dataset type": "CORD_STORAGE AWS_S3 GCP_STR AZURE_STR S3_COMPATIBLE_STR",
}


def time_forms(visit: Visit) -> Finding:
    """Both listings accept times that end in ``Z`` and in ``+00:00``."""
    tried = [
        (name, form, *_reads(visit, listing, known, form)) for name, listing, known in _dated(visit) for form in _FORMS
    ]
    if not tried:
        return not_checked("no project or dataset was found")
    forms = ", ".join(f"{name} with {form}: {seen}" for name, form, _, seen in tried)
    return verdict(all(reads for _, _, reads, _ in tried), forms)


def naive_times(visit: Visit) -> Finding:
    """Times without an offset are read as UTC."""
    for name, listing, known in _dated(visit):
        reads, seen = _reads(visit, listing, known, "")
        return verdict(reads, f"{name}: {seen}")
    return not_checked("no project or dataset was found")


@dataclasses.dataclass(frozen=True)
class _Known:
    """A resource of a listing, and two times around its creation."""

    id: str
    before: datetime.datetime
    after: datetime.datetime
    title: str


def _dated(visit: Visit) -> list[tuple[str, _Listing, _Known]]:
    """The listings that are not empty, each with its name and one of its resources."""
    found: list[tuple[str, _Listing, _Known]] = []
    for _, page in visit.values("projects.list", "v2"):
        found += [("projects", projects.list_projects, _known(item)) for item in page.results[:1] if item.created_at]
    for _, records in visit.values("datasets.list", "v2"):
        found += [("datasets", datasets.list_datasets, _known(item)) for item in records[:1] if item.created_at]
    return found


def _known(record: Any) -> _Known:
    created, second = parse_time(record.created_at).astimezone(datetime.UTC), datetime.timedelta(seconds=1)
    return _Known(
        getattr(record, "project_hash", None) or record.dataset_hash, created - second, created + second, record.title
    )


def _reads(visit: Visit, listing: _Listing, known: _Known, offset: str) -> tuple[bool, str]:
    """Return whether Encord reads times of this form as UTC, and a description.

    The filter `createdAfter` must find the resource with a time one second before its creation, and must not find it
    with a time one second after.
    """
    found: list[bool] = []
    for moment in (known.before, known.after):
        text = moment.replace(tzinfo=None).isoformat() + offset
        reply = visit.probe(_with_parameter(listing(Filter(title_eq=known.title)), "createdAfter", text))
        if not reply.answered:
            return False, reply.description
        records = reply.value if isinstance(reply.value, list) else reply.value.results
        found.append(any(known.id in (getattr(record, name, None) for name in _IDS) for record in records))
    return found == [True, False], _MEANINGS[tuple(found)]


def _with_parameter(call: Call[Any], name: str, value: str) -> Call[Any]:
    """Add a query parameter to a v2 call, in a form that the client does not write itself."""
    request: Any = call.request
    return dataclasses.replace(call, request=dataclasses.replace(request, query={**request.query, name: value}))


def names_in_camel_case(visit: Visit) -> Finding:
    """No field that we read is in snake_case on v2, except in the answers that are documented so."""
    contents = [
        reply.content
        for reply in visit.replies
        if reply.api == "v2" and reply.operation not in PARTLY_IN_SNAKE_CASE and reply.answered
        if reply.content is not None
    ]
    if not contents:
        return not_checked("no v2 answer was received")
    snakes = sorted({name for content in contents for name in _names(content) if _SNAKE.fullmatch(name)})
    but = f", but {', '.join(snakes[:8])}" if snakes else ""
    return verdict(not snakes, f"{len(contents)} answers in camelCase{but}")


def _names(content: Any) -> Iterable[str]:
    """The field names of an answer and of its results. Deeper names can be the account's own words."""
    tops = [content]
    if isinstance(content, dict):
        yield from content
        tops = [item for key in ("results", "result") for item in content.get(key) or []]
    for item in tops:
        if isinstance(item, dict):
            yield from item


def rows_follow_data(visit: Visit) -> Finding:
    """Every data unit of an attached dataset has a row, and in workflow projects each row is in a stage."""
    data_of = dict(visit.values("dataset.list_data_rows", "v1"))
    rows_of = dict(visit.values("label_rows.list", "v1"))
    kinds = {about: record.project_type for about, record in visit.values("project.get", "v2")}
    units = missing = rows = without_stage = 0
    for about, page in visit.values("project.list_datasets", "v2"):
        own: Sequence[LabelRowMetadata] = rows_of.get(about, ())
        have = {row.data_hash for row in own}
        for dataset in page.results:
            data = data_of.get(visit.alias("dataset", dataset.dataset_hash), ()) if about in rows_of else ()
            units += len(data)
            missing += sum(row.data_hash not in have for row in data)
        if kinds.get(about) == "workflow":
            rows += len(own)
            without_stage += sum(row.workflow_graph_node is None for row in own)
    if not units:
        return not_checked("no project with data was found")
    counts = f"{missing} of {units} data units have no row; {without_stage} of {rows} rows are in no stage"
    return verdict(missing == 0 and without_stage == 0, counts)


def metadata_keys_optional(visit: Visit) -> Finding:
    """A listing of label rows with two keys in the request has the same rows as one with all keys."""
    for project, rows in _rows(visit):
        wanted = sorted(row.data_hash for row in rows)
        call = labels.list_label_rows(project)
        payload = {"include_uninitialised_labels": True, "data_hashes": wanted}
        envelope: Any = call.request
        reply = visit.probe(dataclasses.replace(call, request=dataclasses.replace(envelope, payload=payload)))
        if not reply.answered:
            return verdict(False, f"with two keys: {reply.description}")
        received = sorted(row.data_hash for row in reply.value)
        return verdict(received == wanted, f"with two keys: {len(received)} rows, with all keys: {len(wanted)}")
    return not_checked("no label rows were found")


def times_leave_out_rows_without(visit: Visit) -> Finding:
    """A filter of edit times leaves out label rows that were never created."""
    for project, rows in _rows(visit, lambda row: row.label_hash is None):
        hashes = [row.data_hash for row in rows]
        reply = visit.probe(labels.list_label_rows(project, LabelRowFilter(edited_after=_LONG_AGO, data_hashes=hashes)))
        if not reply.answered:
            return not_checked(reply.description)
        received = sum(row.label_hash is None for row in reply.value)
        return verdict(received == 0, f"a filter of edit times found {received} of {len(hashes)} rows without labels")
    return not_checked("no label row without labels was found")


def _rows(
    visit: Visit, which: Callable[[LabelRowMetadata], bool] | None = None
) -> Iterable[tuple[str, list[LabelRowMetadata]]]:
    """Each project with some of its label rows on the main branch."""
    for project in visit.projects:
        for about, rows in visit.values("label_rows.list", "v1"):
            chosen = [row for row in rows if row.branch_name == labels.MAIN_BRANCH and (which is None or which(row))][
                :_MOST_ROWS
            ]
            if chosen and about == visit.alias("project", project):
                yield project, chosen


def routers_left_out(visit: Visit) -> Finding:
    """No project has a router among its stages."""
    stages = [stage.stage_type for project in _projects(visit) for stage in _stages(project)]
    if not stages:
        return not_checked("no workflow was found")
    routers = sum(stage.endswith("_ROUTER") for stage in stages)
    return verdict(routers == 0, f"{routers} of {len(stages)} stages are routers")


def _projects(visit: Visit) -> list[Any]:
    """Every project in the answers, each once."""
    records = [project for _, page in visit.values("projects.list", "v2") for project in page.results]
    records += [record for _, record in visit.values("project.get", "v2")]
    return list({project.project_hash: project for project in records}.values())


def _stages(project: Any) -> Sequence[Stage]:
    return project.workflow.stages if project.workflow else ()


def measured_by_encord(visit: Visit) -> Finding:
    """Images have their type, size and dimensions."""
    rows = [row for _, rows in visit.values("dataset.list_data_rows", "v1") for row in rows if row.data_type == "IMAGE"]
    if not rows:
        return not_checked("no image was found")
    fields = ("file_type", "file_size", "width", "height")
    missing = {field: sum(not getattr(row, field) for row in rows) for field in fields}
    text = ", ".join(f"{count} lack {field}" for field, count in missing.items() if count) or "none lacks any of them"
    return verdict(not any(missing.values()), f"{len(rows)} images: {text}")


def types_of_label_reviews(visit: Visit) -> Finding:
    """Label reviews have one of the two types that the reference lists."""
    reviews = [review for _, page in visit.values("workflow.task.label_reviews.list", "v2") for review in page.results]
    if not reviews:
        return not_checked("no label review was found")
    types = {review.label_type for review in reviews}
    names = ", ".join(sorted(map(_word, types)))
    return verdict(types <= {"Object", "Classification"}, f"{len(reviews)} label reviews, of type {names}")


def ontology_pages(visit: Visit) -> Finding:
    """The listing of ontologies has a second page, as other listings do."""
    for reply in visit.of("ontology.list", "v2"):
        token = reply.value.next_page_token if reply.answered else None
        if token:
            return _second_page(visit, token)
    return not_checked("there was only one page")


def _second_page(visit: Visit, token: str) -> Finding:
    reply = visit.probe(ontologies.list_ontologies(page=token))
    return verdict(reply.answered, f"the second page: {reply.description}")


def words_known(visit: Visit) -> Finding:
    """Statuses, types and roles are those that the reference lists."""
    seen = {kind: set(values) for kind, values in _words(visit).items()}
    strange = {kind: sorted(words - set(KNOWN_WORDS[kind].split())) for kind, words in seen.items()}
    unlisted = [f"{kind}: {', '.join(map(_word, words))}" for kind, words in strange.items() if words]
    count = sum(len(words) for words in seen.values())
    if not count:
        return not_checked("no words were found")
    return (
        verdict(False, f"not listed: {'; '.join(unlisted)}")
        if unlisted
        else held(f"{count} different words, all listed")
    )


def _words(visit: Visit) -> dict[str, Iterable[str]]:
    known = _projects(visit)
    rows = [row for _, rows in visit.values("label_rows.list", "v1") for row in rows]
    data = [row for _, rows in visit.values("dataset.list_data_rows", "v1") for row in rows]
    stages = [stage for project in known for stage in _stages(project)]
    return {
        "project status": (project.status for project in known if project.status),
        "project type": (project.project_type for project in known if project.project_type),
        "project role": (str(project.user_role) for project in known if project.user_role is not None),
        "stage type": (stage.stage_type for stage in stages),
        "data type": (row.data_type for row in [*rows, *data]),
        "label status": (row.label_status for row in rows if row.label_status),
        "annotation task status": (row.annotation_task_status for row in rows if row.annotation_task_status),
        "dataset type": (
            dataset.dataset_type for _, dataset in visit.values("dataset.get", "v1") if dataset.dataset_type
        ),
    }


def _word(word: str) -> str:
    """Show a word that looks like a constant. Other text is not shown, because it can be data of the account."""
    return word if len(word) <= 30 and (word.isdigit() or _WORD.fullmatch(word)) else "(not a word)"
