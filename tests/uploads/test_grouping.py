"""Which files become one unit together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.data_items import DICOM, IMAGE, VIDEO
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.grouping import group_files
from airflow_provider_encord.uploads.plan import batches, make_plan
from tests.uploads.files import a_file, a_row

ONE = [a_file("1.png", folder="scene-1"), a_file("2.png", folder="scene-1")]
TWO = [a_file("1.png", folder="scene-2")]
MOVIE = a_file("m.mp4", folder="scene-1", kind=VIDEO)
SERIES = [a_file(f"{number}.dcm", folder="ct", kind=DICOM) for number in range(3)]


def shape(units: list[SourceFile]) -> list[tuple[str, int]]:
    return [(unit.title, len(unit.parts)) for unit in units]


def test_without_a_rule_files_stay_by_themselves_but_dicom_files_are_series() -> None:
    assert shape(group_files([*ONE, *SERIES, MOVIE], None)) == [("1.png", 0), ("2.png", 0), ("ct", 3), ("m.mp4", 0)]


def test_by_directory_the_images_of_one_are_a_group_and_videos_stay() -> None:
    assert shape(group_files([*ONE, MOVIE, *TWO], "directory")) == [("scene-1", 2), ("m.mp4", 0), ("scene-2", 1)]


def test_a_pattern_groups_by_its_named_part_and_leaves_the_rest() -> None:
    other = a_file("x.png", folder="other")
    units = group_files([*ONE, *TWO, other], r"(?P<group>scene)-\d")
    assert shape(units) == [("scene", 3), ("x.png", 0)]


def test_a_mapping_gives_titles_and_order() -> None:
    (unit, left) = group_files([*ONE, MOVIE], {"drive": ["2.png", "s3://scene-1/1.png"]}, create_video=True)
    assert (unit.title, [part.title for part in unit.parts], unit.create_video) == ("drive", ["2.png", "1.png"], True)
    assert (unit.item_type, unit.file_type, unit.size) == ("imageSequence", "IMG_GROUP", 20)
    assert left == MOVIE


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("scene-", "neither 'directory' nor a pattern"),
        ("(?P<group>", "not a regular expression"),
        ({"a": ["gone.png"]}, "no file of source has this name"),
        ({"a": ["1.png"]}, "2 files have this name"),
        ({"a": "1.png"}, "is not a list"),
        ({"a": []}, "is not a list"),
        ({"a": ["2.png"], "b": ["2.png"]}, "more than one group"),
        ({"a": ["2.png", "m.mp4"]}, "only images, or only DICOM"),
        ({"x" * 301: ["2.png"]}, "300 characters"),
    ],
)
def test_a_rule_that_is_wrong_is_named_by_the_argument(rule: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"group_by: .*{message}"):
        group_files([*ONE, *TWO, MOVIE], rule)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), unique=True, max_size=40), st.integers(1, 10))
def test_no_file_is_lost_or_doubled_and_groups_stay_whole_in_batches(
    names: list[tuple[str, int]], files_per_job: int
) -> None:
    files = [a_file(f"{number}.png", folder=folder) for folder, number in names]
    units = group_files(files, "directory")
    assert sorted(part.uri for unit in units for part in unit.files) == sorted(file.uri for file in files)
    parts = list(batches(units, files_per_job=files_per_job))
    assert sorted(unit.uri for part in parts for unit in part) == sorted(unit.uri for unit in units)
    assert all(sum(len(unit.files) for unit in part) <= files_per_job or len(part) == 1 for part in parts)


def test_a_group_that_is_there_is_known_by_its_title_whatever_its_size() -> None:
    units = group_files([*ONE, MOVIE], "directory")
    plan = make_plan(units, [a_row("scene-1", 999, data_type="IMG_GROUP")])
    assert [file.title for file, _, _ in plan.present] == ["scene-1"]
    assert plan.missing == [MOVIE]
    assert units[0].kind == IMAGE


@pytest.mark.parametrize("groups", [{"a": 1}, {"a": [1]}, {"a": None}, {"a": {"b": {}}}, {"a": b"1.png"}, {1: [2]}])
def test_a_group_that_is_no_list_of_names_is_named(groups: dict[object, object]) -> None:
    """Fault 4.4: `TypeError` instead of a message."""
    with pytest.raises(InvalidArgumentError, match=r"^group_by: the group '[a1]' is not a list of file names"):
        group_files(ONE, groups)  # type: ignore[arg-type]


def test_the_text_of_a_pattern_that_ends_with_a_slash_is_named_by_its_last_part() -> None:
    assert shape(group_files([*ONE, *TWO], r"(?P<group>scene-\d/)")) == [("scene-1", 2), ("scene-2", 1)]


@pytest.mark.parametrize("rule", [r"(?P<group>/)", r"(?P<group>)scene", {"": ["m.png"]}, {" ": ["m.png"]}])
def test_a_group_with_an_empty_title_is_refused(rule: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"group_by: the group of .*m\.png has an empty title"):
        group_files([a_file("m.png", folder="scene-3")], rule)  # type: ignore[arg-type]


def test_files_of_a_root_directory_make_no_group_without_a_title() -> None:
    root = SourceFile(path=None, uri="file:///1.png", title="1.png", size=1, kind=IMAGE)
    with pytest.raises(InvalidArgumentError, match="empty title"):
        group_files([root], "directory")


@pytest.mark.parametrize("names", [("\u00e9.png", "e\u0301.png"), ("e\u0301.png", "\u00e9.png")])
def test_a_mapping_finds_a_file_whose_name_is_composed_in_another_way(names: tuple[str, str]) -> None:
    file, other = a_file(names[0]), a_file("b.png")
    assert shape(group_files([file, other], {"drive": [names[1], "b.png"]})) == [("drive", 2)]
    assert shape(group_files([file, other], {"drive": [f"s3://in/{names[1]}"]})) == [("drive", 1), ("b.png", 0)]
    both = [file, a_file(names[1], size=11)]
    assert [unit.size for unit in group_files(both, {"drive": [names[1]]})] == [11, 10]
