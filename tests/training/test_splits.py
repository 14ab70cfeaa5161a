"""Splits, by hashes."""

from __future__ import annotations

import collections

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.training.splits import Splits

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def test_the_shares_are_about_right() -> None:
    splits = Splits(SHARES)
    counts = collections.Counter(splits.of(f"key {number}") for number in range(20_000))
    assert {name: round(counts[name] / 20_000, 1) for name in SHARES} == SHARES


def test_a_seed_gives_another_assignment() -> None:
    keys = [f"key {number}" for number in range(1000)]
    assert [Splits(SHARES).of(key) for key in keys] != [Splits(SHARES, "2").of(key) for key in keys]
    assert [Splits(SHARES, "2").of(key) for key in keys] == [Splits(SHARES, "2").of(key) for key in keys]


@given(st.text(), st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_each_key_has_a_split_also_if_the_shares_are_not_exact(key: str, weights: list[int]) -> None:
    shares = {f"s{number}": weight / sum(weights) for number, weight in enumerate(weights)}
    assert Splits(shares).of(key) in shares
