"""Paths of pulled files."""

from __future__ import annotations

import dataclasses
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.media.layout import Layout, extension_of, frame_path

ITEM = "eeeeeeee-0000-4000-8000-000000000001"


@dataclasses.dataclass
class File:
    title: str
    item_id: str = ITEM
    unit: str | None = None
    mime_type: str | None = None


@given(st.text(), st.sampled_from(["{item_id}-{title}", "a/{title}/{item_id}{extension}", "{stem}/{data_hash}"]))
def test_a_path_stays_below_the_destination_whatever_the_title_is(title: str, template: str) -> None:
    path = Layout(template).path_of(File(title))
    assert posixpath.normpath(path) == path
    assert not path.startswith(("/", ".."))
    assert path.count("/") == template.count("/")
    assert all(0 < len(part.encode()) <= 200 and part not in (".", "..") for part in path.split("/"))
    assert ITEM in path


@pytest.mark.parametrize(
    ("title", "mime_type", "path"),
    [
        ("cat.JPG", None, "cat-of.jpg"),
        ("cat", "image/png", "cat-of.png"),
        ("cam/front.png", "image/png", "cam_front-of.png"),
        (".hidden", None, "hidden-of"),
        ("", None, "_-of"),
        ("v1.5 (copy)", None, "v1.5 (copy)-of"),
    ],
)
def test_a_title_is_made_safe_and_keeps_its_extension(title: str, mime_type: str | None, path: str) -> None:
    made = Layout("{stem}-of{extension}/{item_id}").path_of(File(title, mime_type=mime_type))
    assert made == f"{path}/{ITEM}"


def test_an_image_of_a_group_is_named_by_its_own_hash() -> None:
    assert Layout("{data_hash}{extension}").path_of(File("a.png", unit="hash")) == "hash.png"
    assert Layout("{data_hash}{extension}").path_of(File("a.png")) == f"{ITEM}.png"


def test_frames_are_in_a_directory_that_is_named_like_the_video() -> None:
    assert frame_path("a/b.mp4", ".mp4", 7, "jpg") == "a/b/000007.jpg"
    assert frame_path("b", "", 1_234_567, "png") == "b/1234567.png"


def test_only_the_extension_is_cut_off_a_video_and_not_what_follows_another_dot() -> None:
    """Otherwise all videos of one day would have one directory."""
    assert frame_path("2026.11.29 drive-1", ".mp4", 0, "jpg") == "2026.11.29 drive-1/000000.jpg"
    assert frame_path("v1.0-1", "", 0, "jpg") == "v1.0-1/000000.jpg"
    assert frame_path("clip.mp4-1", ".mp4", 0, "jpg") == "clip.mp4-1/000000.jpg"


@pytest.mark.parametrize(
    "template", ["{title}", "x", "/{item_id}", "{item_id}/", "a//{item_id}", "{item_id}/..", "{0}"]
)
def test_a_layout_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^layout: "):
        Layout(template)


def test_an_extension_is_short_and_has_a_name_before_it() -> None:
    assert extension_of(".png", None) == ""
    assert extension_of("a.averylongextension", None) == ""
    assert extension_of("a.tar.GZ", None) == ".gz"


def test_what_follows_a_dot_is_an_extension_only_if_it_is_one() -> None:
    assert extension_of("frame 12.5", "image/jpeg") == ".jpg"
    assert extension_of("street.png-1b2c", "image/png") == ".png"
    assert extension_of("scan.xyz", None) == ".xyz"
