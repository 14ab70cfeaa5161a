"""The report, in Markdown, fit for a bug report: nothing in it names the account, its resources or its secrets."""

from __future__ import annotations

import dataclasses
import platform
import re
from collections.abc import Iterable, Sequence

from airflow_provider_encord import __version__
from airflow_provider_encord.smoke.facts import FACTS, Fact, kind_name
from airflow_provider_encord.smoke.findings import DID_NOT_HOLD, FOUND_OUT, HELD, NOT_CHECKED, Finding
from airflow_provider_encord.smoke.prerequisites import missing, usable_with
from airflow_provider_encord.smoke.readings import LEFT_OUT
from airflow_provider_encord.smoke.reference import SHAPES
from airflow_provider_encord.smoke.shapes import NO_DIFFERENCES
from airflow_provider_encord.smoke.visit import Visit

ENCORDS_HOSTS = {
    "api.encord.com": "api.encord.com (default region)",
    "api.us.encord.com": "api.us.encord.com (US region)",
}
OTHER_HOST = "other host"
_CLOCK_TOLD = 2  # seconds
_ID = re.compile(r"\b[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\b")
_EMAIL = re.compile(r"\S+@[^\s|`<>()]+\.\w+")
_HEX = re.compile(r"\b[0-9a-f]{16,}\b")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """All that is in the report.

    :param findings: In the order of `FACTS`.
    :param seconds: How long it took.
    """

    visits: Sequence[Visit]
    findings: Sequence[tuple[Fact, Finding]]
    requests: int
    seconds: float


def render(run: Run) -> str:
    """The whole report."""
    visits = run.visits
    lines = [*_head(visits), "", *_facts(run.findings), "", *_operations(visits), "", *_foot(run)]
    return redacted("\n".join(lines), _hosts(visits)) + "\n"


def render_failure(message: str, hosts: Sequence[str], secrets: Iterable[str]) -> str:
    """The report of a connection that does not work.

    :param message: Of `EncordHook.test_connection`.
    :param hosts: Whom it may have asked; Encord's own may be named.
    :param secrets: Values of the connection that must not be in the report, paths included.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        message = message.replace(secret, "(left out)")
    lines = [*_versions(), "", "**The connection does not work.** Nothing else was tried.", "", f"> {message}"]
    return redacted("\n".join(["# Encord smoke report", "", *lines]), hosts) + "\n"


def redacted(text: str, hosts: Iterable[str]) -> str:
    """The text without ids, addresses and foreign hosts: a second net, as nothing of the kind should be in it."""
    for host in hosts:
        if host and host not in ENCORDS_HOSTS:
            text = text.replace(host, OTHER_HOST)
    return _HEX.sub("(hex)", _EMAIL.sub("(email)", _ID.sub("(id)", text)))


def _hosts(visits: Sequence[Visit]) -> list[str]:
    with_ports = [visit.settings.host for visit in visits]
    return with_ports + [host.rpartition(":")[0] for host in with_ports]


def _versions() -> list[str]:
    from airflow import __version__ as airflow_version

    return [
        f"- airflow-provider-encord {__version__}, Airflow {airflow_version}, Python {platform.python_version()}, "
        f"{platform.system()}"
    ]


def _head(visits: Sequence[Visit]) -> list[str]:
    about = [
        f"- {kind_name(visit.credential.kind)} at {ENCORDS_HOSTS.get(visit.settings.host, OTHER_HOST)}{_belongs(visit)}"
        for visit in visits
    ]
    ahead = visits[0].ledger.ahead
    return ["# Encord smoke report", "", *_versions(), *about, f"- clock of this machine: {_clock(ahead)}"]


def _clock(ahead: float | None) -> str:
    """How far our clock is off.

    :param ahead: Seconds; the server states whole seconds only, and the answer has travelled.
    """
    if ahead is None:
        return "Encord does not tell its time"
    if abs(ahead) < _CLOCK_TOLD:
        return f"within {_CLOCK_TOLD} s of Encord's"
    return f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Encord's"


def _belongs(visit: Visit) -> str:
    kinds = [reply.value.resource_type for reply in visit.of("api_key.lookup", "v1") if reply.answered]
    return f", of a {kinds[0]}" if kinds and kinds[0] in ("project", "dataset") else ""


def _facts(findings: Sequence[tuple[Fact, Finding]]) -> list[str]:
    counts = [
        f"{sum(finding.outcome == outcome for _, finding in findings)} {outcome}"
        for outcome in (HELD, DID_NOT_HOLD, FOUND_OUT, NOT_CHECKED)
    ]
    rows = [
        _row(f"{fact.statement} ({fact.id})", fact.section, _marked(finding.outcome), finding.seen)
        for fact, finding in findings
    ]
    head = ["| fact | reference | outcome | what was seen |", "|---|---|---|---|"]
    return ["## Facts", "", f"{len(FACTS)} facts: {', '.join(counts)}.", "", *head, *rows]


def _marked(outcome: str) -> str:
    return f"**{outcome}**" if outcome == DID_NOT_HOLD else outcome


def _operations(visits: Sequence[Visit]) -> list[str]:
    reads = sorted(SHAPES.keys() | LEFT_OUT.keys())
    rows = [_operation(key, visits) for key in reads]
    head = "| operation | outcome | fields the reference does not list | listed fields that are absent |"
    return ["## Read operations", "", head, "|---|---|---|---|", *rows]


def _why_not_tried(key: tuple[str, str], visits: Sequence[Visit]) -> str:
    if key in LEFT_OUT:
        return LEFT_OUT[key]
    usable = usable_with(*key)
    if not any(visit.credential.kind in usable for visit in visits):
        return f"it needs a connection with an {' or '.join(sorted(map(kind_name, usable)))}"
    return missing(key[0])


def _operation(key: tuple[str, str], visits: Sequence[Visit]) -> str:
    name = f"{key[0]} ({key[1]})"
    replies = [reply for visit in visits for reply in visit.of(*key)]
    if not replies:
        return _row(name, f"not tried, because {_why_not_tried(key, visits)}", "", "")
    read = sum(reply.answered for reply in replies)
    refusals = [f"{reply.about or 'asked once'}: {reply.refusal}" for reply in replies if not reply.answered]
    outcome = "; ".join([f"{read} of {len(replies)} answered and read", *refusals])
    seen = NO_DIFFERENCES
    for reply in replies:
        seen |= reply.differences
    return _row(name, outcome, ", ".join(sorted(seen.unknown)), ", ".join(sorted(seen.absent)))


def _foot(run: Run) -> list[str]:
    return [f"{run.requests} requests, all of them reads, in {run.seconds:.1f} s."]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
