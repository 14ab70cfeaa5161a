"""The page of scale: its tables are those of the script, and the model is near what was measured."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.models.scale import Cost, Deployment, estimate, requests_of, simulate, waits
from benchmarks.scale import COSTS, PAGE, try_it, with_bench, with_tables
from tests.docs.plain_english import ROOT

PLAIN = Cost(items_per_request=100, requests_at_once=4, cpu_seconds=1e-4)


def test_the_tables_of_the_page_are_those_of_the_script() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page, json.loads(COSTS.read_text())), "run: python -m benchmarks.scale --write"


def test_the_model_is_near_a_real_export() -> None:
    """The tolerance that the page states."""
    found = with_bench(lambda bench: try_it(bench, rows=400, batch_size=10, latency=0.3))
    assert found["ratio"] == pytest.approx(1.0, abs=0.25), found


def test_the_model_is_near_what_the_cluster_measured() -> None:
    """3,200 rows in 12 parts, 10 a request, one request at once, three tasks on a worker, two cores in all."""
    readme = (ROOT / "benchmarks" / "README.md").read_text()
    section = readme.split("## What more workers give")[1].split("\n## ")[0]
    measured = {int(workers): float(s) for workers, s in re.findall(r"^\| (\d+) \| (\d+) \|", section, re.MULTILINE)}
    assert set(measured) == {1, 2, 4}
    cost = Cost(items_per_request=10, requests_at_once=1, cpu_seconds=1e-4)
    for workers, seconds in measured.items():
        found = estimate(cost, 3_200, 12, Deployment(slots=3 * workers, cores=2, latency=1.0))
        assert found.seconds == pytest.approx(seconds, rel=0.1), workers


def test_requests_are_those_of_the_parts() -> None:
    assert requests_of(PLAIN, 1_000, 2) == 2 * (1 + 5)


@pytest.mark.parametrize(
    ("on", "bottleneck"),
    [
        (Deployment(slots=1, cores=4, latency=2.0), "slots"),
        (Deployment(slots=64, cores=64, latency=0.1, requests_per_minute=60), "rate"),
        (Deployment(slots=64, cores=1, latency=0.01), "CPU"),
    ],
)
def test_the_bottleneck_is_what_takes_longest(on: Deployment, bottleneck: str) -> None:
    assert estimate(PLAIN, 1_000_000, 10, on).bottleneck == bottleneck


def test_very_many_small_parts_are_bound_by_their_starts() -> None:
    assert estimate(PLAIN, 1_000, 1_000, Deployment(slots=64, cores=4, latency=0.1)).bottleneck == "starts"


def test_no_deployment_is_quicker_than_its_limits() -> None:
    on = Deployment(slots=4, cores=2, latency=0.5, requests_per_minute=100)
    seconds = simulate(PLAIN, 10_000, 10, on)
    requests = requests_of(PLAIN, 10_000, 10)
    assert seconds >= 0.95 * max(60 * requests / 100, requests * 0.5 / 16)


def test_playing_requests_together_changes_little() -> None:
    on = Deployment(slots=8, cores=2, latency=0.5)
    exact, coarse = (simulate(PLAIN, 400_000, 20, on, most_events=most) for most in (10**6, 1_000))
    assert coarse == pytest.approx(exact, rel=0.05)


def test_waits_share_polls() -> None:
    shared = waits(10_000, 1, 30.0, cpu_per_poll=0.003, kb_per_wait=18)
    each = waits(10_000, 10_000, 30.0, cpu_per_poll=0.003, kb_per_wait=18)
    assert (shared.requests_per_minute, each.requests_per_minute) == (20, 20_000)
