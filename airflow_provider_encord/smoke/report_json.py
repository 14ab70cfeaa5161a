"""The report in JSON, for programs and for comparing two reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.smoke.environment import versions
from airflow_provider_encord.smoke.redaction import (
    hosts_of,
    redacted,
    shown_host,
    trace_ids_in,
    trace_ids_of,
    without,
)
from airflow_provider_encord.smoke.shapes import merged
from airflow_provider_encord.smoke.summary import READS, Checked, Run, problems, summarize, why_not_tried
from airflow_provider_encord.smoke.visit import Reply, Visit

SCHEMA_VERSION = 1


def render(run: Run) -> str:
    """The whole report."""
    summary, ahead = summarize(run), run.visits[0].ledger.ahead
    content = {
        "schema_version": SCHEMA_VERSION,
        "versions": versions(),
        "connections": [_connection(visit) for visit in run.visits],
        "clock_ahead_seconds": None if ahead is None else round(ahead, 1),
        "facts": [_fact(checked) for checked in run.checked],
        "reads": [_read(read, run) for read in READS],
        "summary": {
            **dataclasses.asdict(summary),
            "as_expected": summary.as_expected,
            "problems": problems(run),
            "requests": run.requests,
            "seconds": round(run.seconds, 1),
        },
        "error": None,
    }
    return _text(content, hosts_of(run.visits), trace_ids_of(run.visits))


def render_failure(message: str, hosts: Sequence[str], secrets: Iterable[str], client: EncordClient | None) -> str:
    """The report of a connection that does not work; the parameters are those of `report.render_failure`."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "versions": versions(),
        "connections": [_connection(client)] if client else [],
        "error": without(secrets, message),
    }
    return _text(content, hosts, trace_ids_in(message))


def _text(content: dict[str, Any], hosts: Sequence[str], trace_ids: Collection[str] = ()) -> str:
    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [clean(inner) for inner in value]
        return redacted(value, hosts, trace_ids) if isinstance(value, str) else value

    return json.dumps(clean(content), indent=2, ensure_ascii=False) + "\n"


def _connection(connected: EncordClient | Visit) -> dict[str, Any]:
    return {
        "credential": connected.credential.kind,
        "host": shown_host(connected.settings.host),
        "key_of": connected.key_of if isinstance(connected, Visit) else None,
    }


def _fact(checked: Checked) -> dict[str, Any]:
    return {
        "id": checked.fact.id,
        "section": checked.fact.section,
        "statement": checked.fact.statement,
        "outcome": checked.finding.outcome,
        "seen": checked.finding.seen,
        "seconds": round(checked.seconds, 3),
        "requests": [_reply(reply) for reply in checked.requests],
    }


def _read(read: tuple[str, str], run: Run) -> dict[str, Any]:
    replies = run.replies(read)
    differences = merged(reply.differences for reply in replies)
    return {
        "operation": read[0],
        "api": read[1],
        "not_tried": None if replies else why_not_tried(read, run.visits),
        "requests": [_reply(reply) for reply in replies],
        "unlisted_fields": sorted(differences.unknown),
        "absent_fields": sorted(differences.absent),
    }


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "operation": reply.operation,
        "about": reply.about or None,
        "outcome": reply.outcome,
        "error": None if reply.answered else reply.refusal,
        "http_status": reply.status,
        "seconds": round(reply.seconds, 3),
        "trace_id": reply.trace_id,
    }
