"""Stratified splits: balanced, and stable while data are added."""

from __future__ import annotations

import collections
import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.training.splits import Splits
from airflow_provider_encord.training.stratified import assigned

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
CLASSES = ("car", "van", "sign", "deer")
labels = st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 5), max_size=4)
data = st.dictionaries(st.uuids().map(str), labels, max_size=40)
single = st.dictionaries(st.uuids().map(str), st.sampled_from(CLASSES).map(lambda name: {name: 1}), max_size=60)
weights = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def shares_of(some: list[int]) -> dict[str, float]:
    return {f"s{number}": weight / sum(some) for number, weight in enumerate(some)}


@given(data, data, st.text(max_size=3), weights)
def test_data_units_stay_in_their_split_when_others_are_added_or_removed(
    before: dict[str, Any], added: dict[str, Any], seed: str, some: list[int]
) -> None:
    shares = shares_of(some)
    first = assigned(before, shares, {}, seed)
    assert first.keys() == before.keys()
    grown = assigned({**before, **added}, shares, first, seed)
    assert grown.keys() == before.keys() | added.keys()
    assert {key: grown[key] for key in before} == first
    left = dict(list({**before, **added}.items())[::2])
    assert assigned(left, shares, grown, seed) == {key: grown[key] for key in left}


@given(data, st.randoms(use_true_random=False), st.text(max_size=3))
def test_the_order_of_the_data_makes_no_difference(before: dict[str, Any], chance: random.Random, seed: str) -> None:
    shuffled = list(before.items())
    chance.shuffle(shuffled)
    assert assigned(dict(shuffled), SHARES, {}, seed) == assigned(before, SHARES, {}, seed)


@given(single, single, weights)
def test_with_one_label_for_each_unit_a_split_has_less_than_one_label_more_than_its_share_also_after_growth(
    before: dict[str, Any], added: dict[str, Any], some: list[int]
) -> None:
    shares = shares_of(some)
    first = assigned(before, shares, {})
    grown = {**added, **before}
    for units, splits in ((before, first), (grown, assigned(grown, shares, first))):
        for name in CLASSES:
            mine = [key for key, classes in units.items() if name in classes]
            found = collections.Counter(splits[key] for key in mine)
            for split, share in shares.items():
                assert found[split] < share * len(mine) + 1


def distance(units: Mapping[str, Mapping[str, int]], splits: Mapping[str, str]) -> float:
    """How many labels are not in the split where their share of the class would put them, in all."""
    totals, found = collections.Counter[str](), collections.Counter[tuple[str, str]]()
    for key, classes in units.items():
        for name, number in classes.items():
            totals[name] += number
            found[splits[key], name] += number
    return sum(abs(found[split, name] - share * totals[name]) for split, share in SHARES.items() for name in totals) / 2


def test_classes_are_closer_to_their_shares_than_with_a_hash_also_after_ten_additions() -> None:
    chance = random.Random(7)
    hashed, stratified, better = 0.0, 0.0, 0
    for turn in range(40):
        plain = Splits(SHARES, str(turn))
        units: dict[str, dict[str, int]] = {}
        splits: dict[str, str] = {}
        for _ in range(11):  # 200 units, then ten per cent more, ten times
            for _ in range(20 if units else 200):
                rare = {"deer": 1} if chance.random() < 0.03 else {}
                often = {name: chance.randint(1, 6) for name in CLASSES[:3] if chance.random() < 0.4}
                units[f"{chance.random()}"] = {**often, **rare}
            splits = assigned(units, SHARES, splits, str(turn))
        ours, theirs = distance(units, splits), distance(units, {key: plain.of(key) for key in units})
        hashed, stratified, better = hashed + theirs, stratified + ours, better + (ours < theirs)
    assert better >= 38
    assert stratified < hashed / 3


def test_another_seed_gives_another_assignment() -> None:
    units: dict[str, dict[str, int]] = {f"{number}": {"car": 1} for number in range(100)}
    assert assigned(units, SHARES, {}, "1") != assigned(units, SHARES, {}, "2")
    assert assigned(units, SHARES, {}, "1") == assigned(units, SHARES, {}, "1")


def test_a_unit_without_labels_is_assigned_too() -> None:
    units: dict[str, dict[str, int]] = {f"{number}": {} for number in range(20)}
    assert collections.Counter(assigned(units, SHARES, {}).values()) == {"train": 16, "val": 2, "test": 2}
