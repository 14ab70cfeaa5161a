"""The list of facts agrees with the protocol reference, if that is beside the checkout."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest

from airflow_provider_encord.smoke.facts import FACTS, Fact

REFERENCE = Path(__file__).parents[3] / "shared" / "encord-protocol.md"
beside = pytest.mark.skipif(not REFERENCE.exists(), reason="the protocol reference is not beside the checkout")


def marks_by_section(mark: str) -> dict[str, int]:
    """How often each section has a mark. The text before the first section explains the marks."""
    counts: collections.Counter[str] = collections.Counter()
    section = ""
    for line in REFERENCE.read_text().splitlines():
        if heading := re.match(r"#{2,3} (\d+(?:\.\d+)?) ", line):
            section = heading[1]
        elif section:
            counts[section] += line.count(mark)
    return {section: count for section, count in counts.items() if count}


@beside
def test_every_mark_of_an_inference_has_its_fact() -> None:
    ours: collections.Counter[str] = collections.Counter()
    for fact in FACTS:
        ours[fact.section] += fact.marks
    assert {section: count for section, count in ours.items() if count} == marks_by_section("[inferred")


@beside
@pytest.mark.parametrize(
    ("words", "section", "facts"),
    [
        ("unconfirmed", "1.3", {"link-dataset", "link-folder", "link-ontology"}),
        ("mapping for other hosts: unknown", "1.3", {"web-hosts"}),
        ("the server's tolerance is unknown", "2.2", {"signature-age"}),
        ("still accept API keys", "2.3", {"api-keys-accepted"}),
        ("is unknown; a refusal is", "7.1", {"api-key-reach"}),
        ("from the SDK's description", "7.7", {"label-review-types"}),
    ],
)
def test_every_open_question_of_the_reference_has_its_fact(words: str, section: str, facts: set[str]) -> None:
    assert section in marks_by_section(words)
    assert facts <= {fact.id for fact in FACTS if fact.section == section}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_a_fact_is_checked_or_says_why_not(fact: Fact) -> None:
    assert bool(fact.check) != bool(fact.why_not)


def test_no_two_facts_have_the_same_name() -> None:
    assert len({fact.id for fact in FACTS}) == len(FACTS)
