"""De-identification of DICOM files: redacted copies in the folder that stands for the bucket.

The tags about the patient go, if that is wanted; images are copied as they are, whatever ``redactPixelsMode`` says. A
file that does not meet every condition is left out, and one that cannot be read ends the job with an error [inferred].
"""

from __future__ import annotations

import json
import logging
import pathlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from ..media import redaction
from ..people import organisation
from ..requests.exchange import Exchange
from ..state.store import Store
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel

if TYPE_CHECKING:
    from ..state.jobs import Jobs

log = logging.getLogger("encord-emulator")

TABLE = "deidentifications"
_Tag = Annotated[str, msgspec.Meta(pattern=r"^x[0-9a-fA-F]{8}$")]


class NotSubstring(StrictCamel, frozen=True, tag_field="conditionType", tag="notSubstr"):
    value: str
    dicom_tag: _Tag


class OneOf(StrictCamel, frozen=True, tag_field="conditionType", tag="in"):
    value: list[str]
    dicom_tag: _Tag


class StartBody(StrictCamel, frozen=True):
    integration_uuid: str
    dicom_urls: list[str]
    redact_dicom_tags: bool = True
    redact_pixels_mode: Literal["redactAllText", "redactNoText", "redactSensitiveText"] = "redactNoText"
    save_conditions: list[NotSubstring | OneOf] | None = None
    upload_dir: str | None = None


class PollQuery(StrictCamel, frozen=True):
    timeout_seconds: int = 0


def start(exchange: Exchange) -> str:
    """Begin; the job's id."""
    body: StartBody = exchange.body
    organisation.require_integration(exchange.store, body.integration_uuid, "integrationUuid")
    if not body.dicom_urls:
        raise RefusalError(Reason.INVALID, "dicomUrls: needs at least one URL")
    if body.upload_dir is not None and ".." in pathlib.PurePosixPath(body.upload_dir).parts:
        raise RefusalError(Reason.INVALID, "uploadDir: must not lead out of the bucket")
    uuid = new_uuid()
    exchange.store.run(
        "INSERT INTO deidentifications VALUES (?, ?, ?, NULL, 'PENDING')",
        *(uuid, exchange.caller.email, msgspec.json.encode(body).decode()),
    )
    exchange.emulation.jobs.start(uuid, TABLE)
    return uuid


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How it stands, as soon as it is over or the time is up."""
    query: PollQuery = exchange.query
    job, sql = exchange.path["job"], "SELECT * FROM deidentifications WHERE uuid = ? AND creator = ?"
    if exchange.store.one(sql, job, exchange.caller.email) is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {job}")
    await exchange.emulation.jobs.wait(job, query.timeout_seconds)
    row = exchange.store.one(sql, job, exchange.caller.email)
    assert row is not None  # noqa: S101 - they are never deleted
    return {"status": row["status"], "urls": None if row["urls"] is None else json.loads(row["urls"])}


async def run(jobs: Jobs, job: str) -> None:
    """Copy the files, one at a time."""
    text = jobs.store.value("SELECT settings FROM deidentifications WHERE uuid = ?", job)
    settings = msgspec.json.decode(text, type=StartBody)
    made: list[str] = []
    for number, url in enumerate(settings.dicom_urls, 1):
        await jobs.pace()
        try:
            copied = _copy(jobs.store, settings, number, url)
        except Exception as problem:  # noqa: BLE001 - whatever pydicom raises for an odd file
            log.info("%s cannot be de-identified: %s", url, problem)
            return give_up(jobs.store, job)
        if jobs.is_to_fail():
            return give_up(jobs.store, job)
        made += copied
    sql = "UPDATE deidentifications SET status = 'DONE', urls = ? WHERE uuid = ?"
    jobs.store.run(sql, json.dumps(made), job)
    return None


def give_up(store: Store, job: str) -> None:
    """End a job with an error."""
    store.run("UPDATE deidentifications SET status = 'ERROR' WHERE uuid = ?", job)


def _copy(store: Store, settings: StartBody, number: int, url: str) -> list[str]:
    """The URL of the copy, if the file meets the conditions."""
    source = organisation.bucket_file(store, settings.integration_uuid, url)
    if source is None:
        raise FileNotFoundError(url)
    if not all(_holds(condition, source) for condition in settings.save_conditions or ()):
        return []
    place, _, name = url.rpartition("/")
    folder = "" if settings.upload_dir is None else f"{settings.upload_dir.strip('/')}/"
    new_name = f"{folder}deid_{number}_{name}"
    redaction.copy(source, source.parent / new_name, redact_tags=settings.redact_dicom_tags)
    return [f"{place}/{new_name}"]


def _holds(condition: NotSubstring | OneOf, source: pathlib.Path) -> bool:
    value = redaction.value_of(source, condition.dicom_tag)
    return condition.value not in value if isinstance(condition, NotSubstring) else value in condition.value
