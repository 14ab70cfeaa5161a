"""Tracks as MOTChallenge, read as its evaluation reads them."""

from __future__ import annotations

import collections
import configparser

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.mot import MotForm
from tests.training.making import box, files_of, sample

fractions = st.floats(-0.5, 1.5, allow_nan=False)
boxes = st.builds(
    box, st.sampled_from("abc"), fractions, fractions, fractions, fractions, st.sampled_from(["n", "m", "x"])
)
sequences = st.lists(st.lists(st.lists(boxes, max_size=4), min_size=1, max_size=4), max_size=3)


@given(sequences)
def test_each_box_is_in_the_image_and_each_track_once_on_it(drawn: list[list[list[object]]]) -> None:
    form = MotForm(Classes(["n", "m"], {}), ["train", "val"])
    paths: list[str] = []
    count = left_out = 0
    for number, frames in enumerate(drawn):
        for frame, objects in enumerate(frames):
            written = form.add(
                sample(f"drive-{number}", 3 * frame, objects, is_alone=False), ("train", "val")[number % 2], ".png"
            )
            paths += written.image_paths
            count += len(written.classes)
            left_out += len(written.left_out)
    assert count + left_out == sum(len(objects) for frames in drawn for objects in frames)
    files = files_of(form)
    lines = 0
    for number, frames in enumerate(drawn):
        directory = f"{('train', 'val')[number % 2]}/drive-{number}"
        rows = [[float(part) for part in line.split(",")] for line in files[f"{directory}/gt/gt.txt"].decode().split()]
        lines += len(rows)
        assert max(collections.Counter((row[0], row[1]) for row in rows).values(), default=1) == 1
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        tracks = {row[1] for row in rows}
        assert tracks == {*range(1, len(tracks) + 1)}
        for image, _, left, top, width, height, *others in rows:
            assert 1 <= image <= len(frames)
            assert left >= 1
            assert top >= 1
            assert left + width <= 41.001
            assert top + height <= 31.001
            assert others in ([1, 1, 1], [1, 2, 1])
        information = configparser.ConfigParser()
        information.read_string(files[f"{directory}/seqinfo.ini"].decode())
        assert information.getint("Sequence", "seqLength") == len(frames)
        assert [path for path in paths if path.startswith(f"{directory}/")] == [
            f"{directory}/img1/{image:06d}.png" for image in range(1, len(frames) + 1)
        ]
    assert lines == count


def test_a_frame_rate_is_written_as_a_whole_number() -> None:
    """A reader that asks for one fails with another."""
    form = MotForm(Classes(["n"], {}), ["train"])
    for data_hash, rate in (("a", 29.97), ("b", 0.2), ("c", None)):
        form.add(sample(data_hash, is_alone=False, frame_rate=rate), "train", ".jpg")
    rates = [
        content.decode().partition("frameRate=")[2].split("\n")[0]
        for path, content in files_of(form).items()
        if path.endswith(".ini")
    ]
    assert rates == ["30", "1", "1"]
