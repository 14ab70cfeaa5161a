"""The report in Markdown, for an issue. It contains nothing about the account, its resources or its secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.smoke.environment import versions
from airflow_provider_encord.smoke.facts import kind_name
from airflow_provider_encord.smoke.findings import DID_NOT_HOLD
from airflow_provider_encord.smoke.redaction import (
    hosts_of,
    redacted,
    shown_host,
    trace_ids_in,
    trace_ids_of,
    without,
)
from airflow_provider_encord.smoke.shapes import merged
from airflow_provider_encord.smoke.summary import NOT_TRIED, READS, Checked, Run, problems, summarize, why_not_tried
from airflow_provider_encord.smoke.visit import ANSWERED, Reply, Visit

_TITLE = "# Encord smoke report"
_CLOCK_ERROR_SHOWN = 2  # seconds


def render(run: Run) -> str:
    """The whole report."""
    lines = [*_head(run.visits), "", *_facts(run.checked), "", *_reads(run), "", *_summary(run)]
    return redacted("\n".join(lines), hosts_of(run.visits), trace_ids_of(run.visits)) + "\n"


def render_failure(message: str, hosts: Sequence[str], secrets: Iterable[str], client: EncordClient | None) -> str:
    """The report of a connection that does not work.

    :param message: The message of `EncordHook.test_connection`.
    :param client: The client of the connection; None if it could not be created.
    :param hosts: The hosts of the connection and of proxies. They are removed, except for Encord's own hosts.
    :param secrets: Values of the connection, also paths, that are removed.
    """
    connection = [f"- {_connection(client)}"] if client else []
    lines = [
        *(_TITLE, "", *_versions(), *connection, ""),
        *("**The connection does not work.** Nothing else was tried.", "", f"> {without(secrets, message)}"),
    ]
    return redacted("\n".join(lines), hosts, trace_ids_in(message)) + "\n"


def _connection(connected: EncordClient | Visit) -> str:
    return f"{kind_name(connected.credential.kind)} at {shown_host(connected.settings.host)}"


def _versions() -> list[str]:
    return [f"- {', '.join(f'{name} {version}' for name, version in versions().items())}"]


def _head(visits: Sequence[Visit]) -> list[str]:
    connections = [f"- {_connection(visit)}{f', of a {visit.key_of}' if visit.key_of else ''}" for visit in visits]
    return [_TITLE, "", *_versions(), *connections, f"- clock of this machine: {_clock(visits[0].ledger.ahead)}"]


def _clock(ahead: float | None) -> str:
    """The difference from Encord's clock, as text.

    :param ahead: Seconds. It is not exact: the server sends whole seconds, and the response takes time to arrive.
    """
    if ahead is None:
        return "unknown, because the answers state no time"
    if abs(ahead) < _CLOCK_ERROR_SHOWN:
        return f"within {_CLOCK_ERROR_SHOWN} s of Encord's"
    return f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Encord's"


def _facts(facts: Sequence[Checked]) -> list[str]:
    rows = [
        _row(
            f"{checked.fact.statement} ({checked.fact.id})",
            checked.fact.section,
            _marked(checked.finding.outcome),
            f"{checked.seconds:.1f}" if checked.requests else "",
            f"{checked.finding.seen}{_traces_of_contradiction(checked)}",
        )
        for checked in facts
    ]
    head = ["| fact | reference | outcome | seconds | what was seen |", "|---|---|---|---|---|"]
    return ["## Facts", "", *head, *rows]


def _marked(outcome: str) -> str:
    return f"**{outcome}**" if outcome == DID_NOT_HOLD else outcome


def _traces_of_contradiction(checked: Checked) -> str:
    traces = [reply.trace_id for reply in checked.requests if reply.trace_id]
    shown = traces if checked.finding.outcome == DID_NOT_HOLD else []
    return f" (trace ids {', '.join(shown)})" if shown else ""


def _reads(run: Run) -> list[str]:
    head = "| read | outcome | HTTP status | seconds | fields that are not listed | listed fields that are absent |"
    return ["## Reads", "", head, "|---|---|---|---|---|---|", *(_read(read, run) for read in READS)]


def _read(read: tuple[str, str], run: Run) -> str:
    name = f"{read[0]} ({read[1]})"
    replies = run.replies(read)
    if not replies:
        return _row(name, f"{NOT_TRIED}, because {why_not_tried(read, run.visits)}", "", "", "", "")
    answered = sum(reply.answered for reply in replies)
    problems = [_problem(reply) for reply in replies if not reply.answered]
    differences = merged(reply.differences for reply in replies)
    return _row(
        name,
        "; ".join([f"{answered} of {len(replies)} {ANSWERED}", *problems]),
        ", ".join(sorted({str(reply.status) for reply in replies if reply.status})),
        f"{max(reply.seconds for reply in replies):.2f}",
        ", ".join(sorted(differences.unknown)),
        ", ".join(sorted(differences.absent)),
    )


def _problem(reply: Reply) -> str:
    trace = f", trace id {reply.trace_id}" if reply.trace_id else ""
    return f"{f'{reply.about}: ' if reply.about else ''}{reply.description}{trace}"


def _summary(run: Run) -> list[str]:
    summary = summarize(run)
    verdict = "Every answer was as expected." if summary.as_expected else "**An answer was not as expected.**"
    return [
        "## Summary",
        "",
        f"- facts: {_counts(summary.facts)}",
        f"- requests to read: {_counts(summary.replies)}; {summary.not_tried} of {len(READS)} reads {NOT_TRIED}",
        f"- {run.requests} requests, all of them reads, in {run.seconds:.1f} s",
        "",
        verdict,
        *[f"- {problem}" for problem in problems(run)],
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
