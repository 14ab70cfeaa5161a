"""Checks about what answers hold: times and filters, label rows, data rows, workflows, words."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_provider_encord.client.api import datasets, labels, ontologies, projects
from airflow_provider_encord.client.api.labels import LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.smoke.findings import Finding, held, not_checked, verdict
from airflow_provider_encord.smoke.visit import Visit

_SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_MOST_ROWS = 50  # for probes of label rows: enough to tell, and a small answer
_LONG_AGO = datetime.datetime(1971, 1, 1, tzinfo=datetime.UTC)
_IDS = ("project_hash", "dataset_hash")
_FORMS = ("Z", "+00:00")
_MEANINGS: dict[tuple[bool, ...], str] = {
    (True, False): "read as UTC",
    (True, True): "ignored, or read as an earlier time",
    (False, False): "read as a later time",
    (False, True): "read as no time at all",
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
    """Times with ``Z`` and with ``+00:00``, on both listings."""
    tried = [
        (name, form, *_reads(visit, listing, known, form)) for name, listing, known in _dated(visit) for form in _FORMS
    ]
    if not tried:
        return not_checked("there is no project or dataset to look for")
    forms = ", ".join(f"{name} with {form}: {seen}" for name, form, _, seen in tried)
    return verdict(all(reads for _, _, reads, _ in tried), forms)


def naive_times(visit: Visit) -> Finding:
    """Times without an offset."""
    for name, listing, known in _dated(visit):
        reads, seen = _reads(visit, listing, known, "")
        return verdict(reads, f"{name}: {seen}")
    return not_checked("there is no project or dataset to look for")


@dataclasses.dataclass(frozen=True)
class _Known:
    """Something that a listing holds, and two moments around its creation."""

    id: str
    before: datetime.datetime
    after: datetime.datetime
    title: str


def _dated(visit: Visit) -> list[tuple[str, _Listing, _Known]]:
    """Listings that have something to be found in, by name."""
    found: list[tuple[str, _Listing, _Known]] = []
    for _, page in visit.values("projects.list", "v2"):
        found += [("projects", projects.list_projects, _known(one)) for one in page.results[:1] if one.created_at]
    for _, records in visit.values("datasets.list", "v2"):
        found += [("datasets", datasets.list_datasets, _known(one)) for one in records[:1] if one.created_at]
    return found


def _known(record: Any) -> _Known:
    created, second = parse_time(record.created_at).astimezone(datetime.UTC), datetime.timedelta(seconds=1)
    return _Known(
        getattr(record, "project_hash", None) or record.dataset_hash, created - second, created + second, record.title
    )


def _reads(visit: Visit, listing: _Listing, known: _Known, offset: str) -> tuple[bool, str]:
    """Whether times of this form are read as UTC, and what to tell of it.

    What was created after a second before its creation, and not after a second later: only the right time gives both.
    """
    found: list[bool] = []
    for moment in (known.before, known.after):
        text = moment.replace(tzinfo=None).isoformat() + offset
        reply = visit.probe(_with_parameter(listing(Filter(title_eq=known.title)), "createdAfter", text))
        if not reply.answered:
            return False, reply.description
        records = reply.value if isinstance(reply.value, list) else reply.value.results
        found.append(any(known.id in (getattr(one, name, None) for name in _IDS) for one in records))
    return found == [True, False], _MEANINGS[tuple(found)]


def _with_parameter(call: Call[Any], name: str, value: str) -> Call[Any]:
    """The same v2 call with one more query parameter, which the function that makes it would write otherwise."""
    request: Any = call.request
    return dataclasses.replace(call, request=dataclasses.replace(request, query={**request.query, name: value}))


def names_in_camel_case(visit: Visit) -> Finding:
    """Whether any name of our records comes in snake_case on v2."""
    contents = [one.content for one in visit.replies if one.api == "v2" and one.answered and one.content is not None]
    if not contents:
        return not_checked("no v2 answer came")
    snakes = sorted({name for content in contents for name in _names(content) if _SNAKE.fullmatch(name)})
    but = f", but {', '.join(snakes[:8])}" if snakes else ""
    return verdict(not snakes, f"{len(contents)} answers in camelCase{but}")


def _names(content: Any) -> Iterable[str]:
    """Names at the top of an answer and of its results; deeper they may be the account's own."""
    tops = [content]
    if isinstance(content, dict):
        yield from content
        tops = [one for key in ("results", "result") for one in content.get(key) or []]
    for one in tops:
        if isinstance(one, dict):
            yield from one


def rows_follow_data(visit: Visit) -> Finding:
    """Every data unit of an attached dataset has a row, and in workflow projects each row stands in a stage."""
    data_of = dict(visit.values("dataset.list_data_rows", "v1"))
    rows_of = dict(visit.values("label_rows.list", "v1"))
    kinds = {about: record.project_type for about, record in visit.values("project.get", "v2")}
    units = missing = rows = placeless = 0
    for about, page in visit.values("project.list_datasets", "v2"):
        own: Sequence[LabelRowMetadata] = rows_of.get(about, ())
        have = {row.data_hash for row in own}
        for one in page.results:
            data = data_of.get(visit.alias("dataset", one.dataset_hash), ()) if about in rows_of else ()
            units += len(data)
            missing += sum(row.data_hash not in have for row in data)
        if kinds.get(about) == "workflow":
            rows += len(own)
            placeless += sum(row.workflow_graph_node is None for row in own)
    if not units:
        return not_checked("no project with data was seen")
    counts = f"{missing} of {units} data units have no row; {placeless} of {rows} rows stand in no stage"
    return verdict(missing == 0 and placeless == 0, counts)


def metadata_keys_optional(visit: Visit) -> Finding:
    """The listing of label rows, asked with two keys only, has the same rows."""
    for project, rows in _rows(visit):
        wanted = sorted(row.data_hash for row in rows)
        call = labels.list_label_rows(project)
        payload = {"include_uninitialised_labels": True, "data_hashes": wanted}
        envelope: Any = call.request
        reply = visit.probe(dataclasses.replace(call, request=dataclasses.replace(envelope, payload=payload)))
        if not reply.answered:
            return verdict(False, f"with two keys: {reply.description}")
        came = sorted(row.data_hash for row in reply.value)
        return verdict(came == wanted, f"with two keys: {len(came)} rows, with all keys: {len(wanted)}")
    return not_checked("no label rows were seen")


def times_leave_out_rows_without(visit: Visit) -> Finding:
    """A filter of edit times lets nothing through that was never created."""
    for project, rows in _rows(visit, lambda row: row.label_hash is None):
        hashes = [row.data_hash for row in rows]
        reply = visit.probe(labels.list_label_rows(project, LabelRowFilter(edited_after=_LONG_AGO, data_hashes=hashes)))
        if not reply.answered:
            return not_checked(reply.description)
        came = sum(row.label_hash is None for row in reply.value)
        return verdict(came == 0, f"{came} of {len(hashes)} rows without labels came through a filter of edit times")
    return not_checked("no label row without labels was seen")


def _rows(
    visit: Visit, which: Callable[[LabelRowMetadata], bool] | None = None
) -> Iterable[tuple[str, list[LabelRowMetadata]]]:
    """Projects with some of their label rows of the main branch."""
    for project in visit.projects:
        for about, rows in visit.values("label_rows.list", "v1"):
            chosen = [row for row in rows if row.branch_name == labels.MAIN_BRANCH and (which is None or which(row))][
                :_MOST_ROWS
            ]
            if chosen and about == visit.alias("project", project):
                yield project, chosen


def routers_left_out(visit: Visit) -> Finding:
    """No project lists a router among its stages."""
    stages = [stage.stage_type for one in _projects(visit) for stage in (one.workflow.stages if one.workflow else ())]
    if not stages:
        return not_checked("no workflow was seen")
    routers = sum(stage.endswith("_ROUTER") for stage in stages)
    return verdict(routers == 0, f"{routers} of {len(stages)} stages are routers")


def _projects(visit: Visit) -> list[Any]:
    """Every project of the answers, each once."""
    records = [one for _, page in visit.values("projects.list", "v2") for one in page.results]
    records += [record for _, record in visit.values("project.get", "v2")]
    return list({one.project_hash: one for one in records}.values())


def measured_by_encord(visit: Visit) -> Finding:
    """Images have their type, size and dimensions."""
    rows = [row for _, rows in visit.values("dataset.list_data_rows", "v1") for row in rows if row.data_type == "IMAGE"]
    if not rows:
        return not_checked("no image was seen")
    fields = ("file_type", "file_size", "width", "height")
    lacking = {field: sum(not getattr(row, field) for row in rows) for field in fields}
    lacks = ", ".join(f"{count} lack {field}" for field, count in lacking.items() if count) or "none lacks any"
    return verdict(not any(lacking.values()), f"{len(rows)} images: {lacks}")


def types_of_label_reviews(visit: Visit) -> Finding:
    """Whether label reviews have another type than the two that are listed."""
    reviews = [review for _, page in visit.values("workflow.task.label_reviews.list", "v2") for review in page.results]
    if not reviews:
        return not_checked("no label review was found")
    types = {review.label_type for review in reviews}
    names = ", ".join(sorted(map(_word, types)))
    return verdict(types <= {"Object", "Classification"}, f"{len(reviews)} label reviews, of type {names}")


def ontology_pages(visit: Visit) -> Finding:
    """The listing of ontologies goes on after its first page, as other listings do."""
    for reply in visit.of("ontology.list", "v2"):
        token = reply.value.next_page_token if reply.answered else None
        if token:
            return _second_page(visit, token)
    return not_checked("there was one page only")


def _second_page(visit: Visit, token: str) -> Finding:
    reply = visit.probe(ontologies.list_ontologies(page=token))
    return verdict(reply.answered, f"the second page: {reply.description}")


def words_known(visit: Visit) -> Finding:
    """Statuses, types and roles are those that are listed."""
    seen = {kind: set(values) for kind, values in _words(visit).items()}
    strange = {kind: sorted(words - set(KNOWN_WORDS[kind].split())) for kind, words in seen.items()}
    unlisted = [f"{kind}: {', '.join(map(_word, words))}" for kind, words in strange.items() if words]
    count = sum(len(words) for words in seen.values())
    if not count:
        return not_checked("no words were seen")
    return (
        verdict(False, f"not listed: {'; '.join(unlisted)}")
        if unlisted
        else held(f"{count} different words, all listed")
    )


def _words(visit: Visit) -> dict[str, Iterable[str]]:
    known = _projects(visit)
    rows = [row for _, rows in visit.values("label_rows.list", "v1") for row in rows]
    data = [row for _, rows in visit.values("dataset.list_data_rows", "v1") for row in rows]
    stages = [stage for one in known for stage in (one.workflow.stages if one.workflow else ())]
    return {
        "project status": (one.status for one in known if one.status),
        "project type": (one.project_type for one in known if one.project_type),
        "project role": (str(one.user_role) for one in known if one.user_role is not None),
        "stage type": (stage.stage_type for stage in stages),
        "data type": (row.data_type for row in [*rows, *data]),
        "label status": (row.label_status for row in rows if row.label_status),
        "annotation task status": (row.annotation_task_status for row in rows if row.annotation_task_status),
        "dataset type": (one.dataset_type for _, one in visit.values("dataset.get", "v1") if one.dataset_type),
    }


def _word(word: str) -> str:
    """A constant is shown, since that is what is asked about; anything else could be the account's own."""
    return word if len(word) <= 30 and (word.isdigit() or _WORD.fullmatch(word)) else "(not a word)"
