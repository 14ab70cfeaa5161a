"""What is missing, and in which parts it goes."""

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.uploads import IMAGE, VIDEO
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.plan import batches, make_plan
from tests.uploads.files import a_file, a_row

# few titles and sizes, so that files and rows meet
_TITLES = st.sampled_from(["a.png", "b.png", "c.png"])
_SIZES = st.integers(1, 3)
_FILES = st.lists(st.tuples(_TITLES, _SIZES), max_size=12).map(
    lambda pairs: [a_file(title, size, folder=str(number)) for number, (title, size) in enumerate(pairs)]
)
_ROWS = st.lists(st.tuples(_TITLES, st.none() | _SIZES), max_size=12).map(
    lambda pairs: [a_row(title, size, data_hash=str(number)) for number, (title, size) in enumerate(pairs)]
)
_KINDED = st.lists(st.tuples(st.sampled_from([IMAGE, VIDEO]), st.integers(1, 9)), max_size=30).map(
    lambda pairs: [a_file(f"{number}.x", size, kind=kind) for number, (kind, size) in enumerate(pairs)]
)


def counts(files: list[SourceFile]) -> collections.Counter[tuple[str, int]]:
    return collections.Counter((file.title, file.size) for file in files)


@given(_FILES, _ROWS)
def test_each_file_is_present_or_missing_and_no_row_stands_for_two(files, rows) -> None:
    plan = make_plan(files, rows)
    present = [file for file, _, _ in plan.present]
    assert sorted(file.uri for file in present + plan.missing + plan.ambiguous) == sorted(file.uri for file in files)
    used = [row.data_hash for _, row, _ in plan.present]
    assert len(set(used)) == len(used)
    assert all(row.data_title == file.title and row.file_size in (file.size, None) for file, row, _ in plan.present)


@given(_FILES, _ROWS)
def test_files_of_one_name_and_size_are_all_missing_or_all_present_or_not_guessed_at(files, rows) -> None:
    """Fault 2.1."""
    sized = [row for row in rows if row.file_size is not None]
    there = collections.Counter((row.data_title, row.file_size) for row in sized)
    plan = make_plan(files, sized)
    missing, present, ambiguous = (
        {(file.title, file.size) for file in some}
        for some in (plan.missing, [file for file, _, _ in plan.present], plan.ambiguous)
    )
    wanted = counts(files)
    assert missing == {key for key in wanted if not there[key]}
    assert present == {key for key in wanted if there[key] >= wanted[key]}
    assert ambiguous == {key for key in wanted if 0 < there[key] < wanted[key]}
    assert len(plan.missing) + len(plan.present) + len(plan.ambiguous) == len(files)


@given(_FILES, _ROWS)
def test_once_the_missing_files_are_there_nothing_is_missing(files, rows) -> None:
    added = [a_row(file.title, file.size, data_hash=file.uri) for file in make_plan(files, rows).missing]
    assert make_plan(files, rows + added).missing == []


def test_a_row_without_a_size_stands_for_any_but_only_after_those_that_have_one() -> None:
    small, large = a_file(size=1), a_file(size=2, folder="other")
    plan = make_plan([small, large], [a_row(size=None, data_hash="unsized"), a_row(size=1, data_hash="sized")])
    assert {file.size: row.data_hash for file, row, _ in plan.present} == {1: "sized", 2: "unsized"}


@given(_KINDED, st.integers(1, 5), st.integers(1, 20))
def test_batches_lose_nothing_hold_one_kind_and_fit(files, most, most_bytes) -> None:
    parts = list(batches(files, files_per_job=most, bytes_per_job=most_bytes))
    assert sorted(file.uri for part in parts for file in part) == sorted(file.uri for file in files)
    for part in parts:
        assert 1 <= len(part) <= most
        assert len({file.kind for file in part}) == 1
        assert len(part) == 1 or sum(file.size for file in part) <= most_bytes


@pytest.mark.parametrize(("files", "parts"), [(0, []), (2, [2]), (3, [2, 1]), (4, [2, 2])])
def test_batches_are_as_large_as_may_be(files: int, parts: list[int]) -> None:
    cut = batches([a_file(f"{number}.png") for number in range(files)], files_per_job=2)
    assert [len(part) for part in cut] == parts
