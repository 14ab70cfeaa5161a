"""The result of a run, and its counts."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence

from airflow_provider_encord.smoke.facts import Fact, kind_name
from airflow_provider_encord.smoke.findings import DID_NOT_HOLD, OUTCOMES, Finding
from airflow_provider_encord.smoke.prerequisites import missing, usable_with
from airflow_provider_encord.smoke.readings import LEFT_OUT
from airflow_provider_encord.smoke.reference import SHAPES
from airflow_provider_encord.smoke.visit import ANSWERED, FAILED, NOT_READABLE, NOT_SENT, REFUSED, Reply, Visit

NOT_TRIED = "not tried"
READS = tuple(sorted(SHAPES.keys() | LEFT_OUT.keys()))
"""Name and API of every read of the client."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checked:
    """A fact, its finding, and the requests that only this check sent.

    :param seconds: Duration of the check.
    """

    fact: Fact
    finding: Finding
    requests: Sequence[Reply]
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run.

    :param checked: In the order of `FACTS`.
    :param requests: Number of sent requests.
    :param seconds: Duration of the run.
    """

    visits: Sequence[Visit]
    checked: Sequence[Checked]
    requests: int
    seconds: float

    def replies(self, read: tuple[str, str]) -> list[Reply]:
        """The replies of one read, with all connections."""
        return [reply for visit in self.visits for reply in visit.of(*read)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts of a run.

    :param facts: Number of facts for each outcome.
    :param replies: Number of read requests for each outcome.
    :param not_tried: Number of reads that were not tried.
    """

    facts: Mapping[str, int]
    replies: Mapping[str, int]
    not_tried: int

    @property
    def as_expected(self) -> bool:
        """Whether there is nothing to report. Missing permissions are expected."""
        return not (self.facts[DID_NOT_HOLD] or self.replies[NOT_READABLE] or self.replies[FAILED])


def summarize(run: Run) -> Summary:
    """Count the outcomes."""
    facts = collections.Counter(checked.finding.outcome for checked in run.checked)
    replies = collections.Counter(reply.outcome for read in READS for reply in run.replies(read))
    return Summary(
        facts={outcome: facts[outcome] for outcome in OUTCOMES},
        replies={outcome: replies[outcome] for outcome in (ANSWERED, REFUSED, NOT_READABLE, FAILED, NOT_SENT)},
        not_tried=sum(not run.replies(read) for read in READS),
    )


def problems(run: Run) -> list[str]:
    """The names of facts and reads with an unexpected result."""
    facts = [f"fact {checked.fact.id}" for checked in run.checked if checked.finding.outcome == DID_NOT_HOLD]
    outcomes = {read: {reply.outcome for reply in run.replies(read)} for read in READS}
    return facts + [f"read {name} ({api})" for (name, api), seen in outcomes.items() if seen & {NOT_READABLE, FAILED}]


def why_not_tried(read: tuple[str, str], visits: Sequence[Visit]) -> str:
    """The reason why a read was not tried."""
    if read in LEFT_OUT:
        return LEFT_OUT[read]
    usable = usable_with(*read)
    if not any(visit.credential.kind in usable for visit in visits):
        return f"it needs a connection with an {' or '.join(sorted(map(kind_name, usable)))}"
    return missing(read[0])
