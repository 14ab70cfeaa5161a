"""The controls under ``/_emulator/``: JSON in and out, no credentials, and only from the loopback."""

from __future__ import annotations

import copy
import pathlib
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request

from .. import __version__
from ..fixtures import annotator, seeding
from ..labels import labels
from ..people import organisation, people
from ..state.emulation import Emulation
from ..state.faults import FaultScript
from ..webhooks.deliveries import Deliveries
from ..wire import answers, shapes, times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import Strict, StrictCamel
from ..workflow import workflow
from . import controls_of_webhooks
from .request_origin import is_from_loopback, is_json
from .rest import refusal_answer

PREFIX = "/_emulator/"
UNSET = msgspec.UNSET
_COUNTED = {
    "users": "users",
    "projects": "projects",
    "datasets": "datasets",
    "data_rows": "data_units",
    "label_rows": "label_rows",
    "folders": "folders",
    "items": "items",
    "jobs": "jobs",
}


class NewUser(Strict, frozen=True):
    email: shapes.Email
    public_key: str
    role: Literal["ADMIN", "MEMBER"] | None = None


class NewTemplate(Strict, frozen=True):
    title: str
    stages: list[workflow.StageDraft]


class ClockSetting(Strict, frozen=True):
    now: str | msgspec.UnsetType | None = UNSET
    advance_s: float | None = None


class JobSettings(Strict, frozen=True):
    units_per_second: Annotated[float, msgspec.Meta(gt=0)] | msgspec.UnsetType | None = UNSET
    fail_units: shapes.Share | None = None
    hold: bool | None = None
    seed: int | msgspec.UnsetType | None = UNSET


class NewBucket(Strict, frozen=True):
    integration: str
    url: str
    directory: str


class LimitSettings(Strict, frozen=True):
    requests_per_minute: shapes.Count | msgspec.UnsetType | None = UNSET
    label_rows_per_request: shapes.PositiveCount | None = None
    page_size: shapes.PositiveCount | None = None


class LabelsQuery(StrictCamel, frozen=True):
    offset: shapes.Count = 0
    limit: Annotated[int, msgspec.Meta(ge=-1, le=1_000_000_000)] = -1


class JournalQuery(StrictCamel, frozen=True):
    since: int = 0


async def answer(emulation: Emulation, deliveries: Deliveries, request: Request) -> answers.Answer:
    """Serve a control."""
    if not is_from_loopback(request.scope):
        return answers.plain({"message": "the controls are for the loopback only"}, 403)
    name = request.scope["path"].removeprefix(PREFIX)
    body, query = await request.body(), request.scope["query_string"].decode("latin-1")
    if (body or request.method == "POST") and not is_json(request.headers.getlist("content-type")):
        return answers.plain({"message": "Content-Type: the controls take application/json only."}, 415)
    try:
        if name.partition("/")[0] == controls_of_webhooks.NAME:
            shapes.read_query(shapes.NoQuery, query)
            return answers.plain(await controls_of_webhooks.serve(emulation, deliveries, request.method, name, body))
        with emulation.store.transaction():
            return answers.plain(_serve(emulation, request.method, name, body, query))
    except RefusalError as refusal:
        return refusal_answer(refusal)


def _serve(emulation: Emulation, method: str, name: str, body: bytes, query: str) -> Any:
    match = re.fullmatch(r"labels/([^/]+)", name)
    if match is not None and method == "GET":
        return _labels(emulation, match[1], shapes.read_query(LabelsQuery, query))
    if (method, name) == ("GET", "journal"):
        return {"entries": emulation.journal.since(shapes.read_query(JournalQuery, query).since)}
    shapes.read_query(shapes.NoQuery, query)
    if (method, name) in _WITHOUT_BODY:
        return _WITHOUT_BODY[method, name](emulation)
    if (method, name) not in _WITH_BODY:
        raise RefusalError(Reason.NOT_FOUND, f"there is no control {method} {name}")
    shape, work = _WITH_BODY[method, name]
    return work(emulation, shapes.decode(shape, body, "body"))


def _state(emulation: Emulation) -> dict[str, Any]:
    store = emulation.store
    counts = {name: store.value(f"SELECT count(*) FROM {table}") for name, table in _COUNTED.items()}  # noqa: S608
    return {**counts, "now": times.v2(emulation.clock.stamp()), "version": __version__}


def _labels(emulation: Emulation, project: str, query: LabelsQuery) -> msgspec.Raw:
    store = emulation.store
    if not is_uuid(project) or store.one("SELECT 1 FROM projects WHERE uuid = ?", project) is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no project {project}")
    rows = store.all(labels.OF_PROJECT, project, query.limit, query.offset)
    return msgspec.Raw(b"[" + b",".join(map(labels.whole, rows)) + b"]")


def _add_user(emulation: Emulation, user: NewUser) -> dict[str, str]:
    people.authorize(emulation.store, emulation.clock, user.email, user.public_key, user.role)
    return {"email": user.email}


def _add_template(emulation: Emulation, template: NewTemplate) -> dict[str, Any]:
    stages, uuid = workflow.plan(template.stages), new_uuid()
    text = msgspec.json.encode(stages).decode()
    emulation.store.run("INSERT INTO templates VALUES (?, ?, ?)", uuid, template.title, text)
    return {"uuid": uuid, "stages": [{key: stage[key] for key in ("uuid", "title", "stageType")} for stage in stages]}


def _add_faults(emulation: Emulation, scripts: list[FaultScript]) -> dict[str, Any]:
    return {"ids": emulation.faults.add(scripts)}


def _set_clock(emulation: Emulation, setting: ClockSetting) -> dict[str, str]:
    clock, stand_at = copy.copy(emulation.clock), None
    if setting.now is None:
        clock.let_go()
    elif isinstance(setting.now, str):
        stand_at = times.moment(shapes.moment(setting.now, "now"))
    clock.change(stand_at, setting.advance_s or 0)
    emulation.clock.become(clock)
    return {"now": times.v2(clock.stamp())}


def _set_jobs(emulation: Emulation, settings: JobSettings) -> dict[str, Any]:
    jobs = emulation.jobs
    if settings.units_per_second is not UNSET:
        jobs.units_per_second = settings.units_per_second
    if settings.fail_units is not None:
        jobs.fail_units = settings.fail_units
    if settings.hold is not None:
        jobs.hold = settings.hold
    jobs.reseed(jobs.seed if settings.seed is UNSET else settings.seed)
    return jobs.settings()


def _add_bucket(emulation: Emulation, bucket: NewBucket) -> dict[str, str]:
    if not bucket.directory or not pathlib.Path(bucket.directory).is_dir():
        raise RefusalError(Reason.MALFORMED, "directory: there is no such folder")
    if re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+(/\S*)?", bucket.url) is None:
        raise RefusalError(Reason.MALFORMED, "url: must be like s3://bucket or s3://bucket/prefix")
    return {
        "integrationUuid": organisation.map_bucket(emulation.store, bucket.integration, bucket.url, bucket.directory)
    }


def _set_limits(emulation: Emulation, settings: LimitSettings) -> dict[str, Any]:
    limits = emulation.limits
    for name in ("label_rows_per_request", "page_size"):
        value = getattr(settings, name)
        if value is not None:
            setattr(limits, name, value)
    if settings.requests_per_minute is not UNSET:
        limits.set_requests_per_minute(settings.requests_per_minute)
    return limits.settings()


_WITHOUT_BODY: dict[tuple[str, str], Callable[[Emulation], Any]] = {
    ("GET", "state"): _state,
    ("DELETE", "faults"): lambda emulation: {"removed": emulation.faults.clear()},
    ("DELETE", "journal"): lambda emulation: {"removed": emulation.journal.clear()},
}
_WITH_BODY: dict[tuple[str, str], tuple[Any, Callable[[Emulation, Any], Any]]] = {
    ("POST", "users"): (NewUser, _add_user),
    ("POST", "templates"): (NewTemplate, _add_template),
    ("POST", "projects"): (seeding.NewProject, seeding.make),
    ("POST", "annotate"): (annotator.Assignment, annotator.annotate),
    ("POST", "faults"): (list[FaultScript], _add_faults),
    ("POST", "clock"): (ClockSetting, _set_clock),
    ("POST", "jobs"): (JobSettings, _set_jobs),
    ("POST", "buckets"): (NewBucket, _add_bucket),
    ("POST", "limits"): (LimitSettings, _set_limits),
}
