"""Names of a source find the data units that they mean, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.client.api.labels import GroupImage, LabelRowMetadata
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.names import Spots


def row(title: str, **more: Any) -> LabelRowMetadata:
    known = {"label_hash": None, "data_hash": f"hash of {title}", "dataset_hash": "d", "data_type": "IMAGE"}
    return LabelRowMetadata(**{**known, "data_title": title, **more})


@pytest.mark.parametrize(
    ("titles", "name", "found"),
    [
        (["a.jpg", "b.jpg"], "a.jpg", "a.jpg"),
        (["a.jpg"], "train/a.jpg", "a.jpg"),
        (["a.jpg"], "/data/train/a.jpg", "a.jpg"),
        (["a.jpg"], "train\\a.jpg", "a.jpg"),
        (["a.jpg"], "./a.jpg", "a.jpg"),
        (["train/a.jpg"], "a.jpg", "train/a.jpg"),
        (["cam1/a.jpg", "cam2/a.jpg"], "cam2/a.jpg", "cam2/a.jpg"),
        (["cam1/a.jpg", "cam2/a.jpg"], "images/cam2/a.jpg", "cam2/a.jpg"),
        (["a.jpg", "cam2/a.jpg"], "images/cam2/a.jpg", "cam2/a.jpg"),
        (["a.jpg", "cam2/a.jpg"], "a.jpg", "a.jpg"),
        (["a.jpg"], "a", "a.jpg"),
        (["a"], "a.jpg", "a"),
        (["a.jpg", "a"], "a", "a"),
        (["cam1/a.jpg", "cam2/a.jpg"], "cam1/a", "cam1/a.jpg"),
        (["a.v1.jpg"], "a.v1", "a.v1.jpg"),
        (["a.v1.jpg", "a.v2.jpg"], "a.v2", "a.v2.jpg"),
        ([".hidden"], ".hidden", ".hidden"),
    ],
)
def test_a_name_finds_the_title_that_it_means(titles: list[str], name: str, found: str) -> None:
    assert Spots("title", [row(title) for title in titles]).find(name).row.data_title == found


@pytest.mark.parametrize(
    ("titles", "name", "message"),
    [
        (["a.jpg"], "a.png", "title 'a.png': no data unit has it"),
        (["cam1/a.jpg"], "cam2/a.jpg", "no data unit has it"),
        (["a.jpg"], "ba.jpg", "no data unit has it"),
        (["a.jpg"], "", "no data unit has it"),
        (["cam1/a.jpg", "cam2/a.jpg"], "a.jpg", "2 data units have it"),
        (["a.jpg", "a.png"], "a", "2 data units have it"),
        (["a.jpg", "a.jpg"], "a.jpg", "2 data units have it"),
    ],
)
def test_a_name_that_means_no_title_or_several_is_refused(titles: list[str], name: str, message: str) -> None:
    with pytest.raises(WrongLabelsError, match=message):
        Spots("title", [row(title) for title in titles]).find(name)


def test_the_query_of_a_url_is_neither_compared_nor_shown() -> None:
    spots = Spots("title", [row("a.jpg")])
    assert spots.find("https://b.example/x/a.jpg?X-Signature=s3cret").row.data_title == "a.jpg"
    with pytest.raises(WrongLabelsError) as refused:
        spots.find("https://b.example/x/b.jpg?X-Signature=s3cret")
    assert str(refused.value) == "title 'https://b.example/x/b.jpg': no data unit has it."
    assert Spots("title", [row("what?.jpg")]).find("what?.jpg")


def test_names_can_be_data_hashes_and_client_metadata() -> None:
    rows = [row("a.jpg", client_metadata={"key": "s3://b/x.png"}), row("b.jpg", client_metadata={"key": 12})]
    assert Spots("data_hash", rows).find("hash of b.jpg").row == rows[1]
    assert Spots("client_metadata.key", rows).find("x.png").row == rows[0]
    assert Spots("client_metadata.key", rows).find("12").row == rows[1]


def test_an_image_of_a_group_is_a_frame_and_has_its_own_size() -> None:
    images = [GroupImage(index=n, title=f"i{n}.png", image_hash=f"h{n}", width=10 * n, height=5) for n in range(3)]
    spots = Spots("title", [row("group", data_type="IMG_GROUP", images_data=images)])
    assert (spots.find("i2").frame, spots.find("i2").width) == (2, 20)
    by_hash = Spots("data_hash", [row("group", data_type="IMG_GROUP", images_data=images)])
    assert by_hash.find("h1").frame == 1
    assert spots.find("group").frame is None


def test_numbered_names_are_frames_of_videos_from_one() -> None:
    spots = Spots("title", [row("street.mp4", data_type="VIDEO"), row("photo_3.jpg"), row("photo.jpg")])
    assert spots.find("street_12", numbered=True).frame == 11
    assert spots.find("photo_3", numbered=True).frame is None
    for name, numbered in (("street_12", False), ("photo_4", True)):
        with pytest.raises(WrongLabelsError, match="no data unit has it"):
            spots.find(name, numbered=numbered)
