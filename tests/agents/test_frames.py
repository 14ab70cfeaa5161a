"""Frames of real files: videos that PyAV writes, and images."""

from __future__ import annotations

import itertools
import struct
import sys
import tracemalloc
from pathlib import Path

import av
import numpy
import pytest
from PIL import Image

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.media.frames import Frame, Frames, FramesError, require_frames

LIGHTER = 10  # from frame to frame


def write_video(path: Path, frames: int = 12, width: int = 64, height: int = 48, *, turned: int = 0) -> Path:
    """A video whose frames are evenly grey, each lighter than the one before; with `turned`, half black."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", 5
        for number in range(frames):
            image = numpy.full((height, width, 3), (number * LIGHTER) % 250, dtype=numpy.uint8)
            if turned:
                image[:] = 0
                image[:, : width // 2] = 250  # the left half is light
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    if turned:
        _turn(path, turned)
    return path


def _turn(path: Path, degrees: int) -> None:
    """Let the header of the track say that players turn the pictures counterclockwise, as cameras write it."""
    one = 1 << 16
    turns = {0: (one, 0, 0, one), 90: (0, -one, one, 0), -90: (0, one, -one, 0), 180: (-one, 0, 0, -one)}

    def matrix(degrees: int) -> bytes:
        a, b, c, d = turns[degrees]
        return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)

    before, name, track = path.read_bytes().partition(b"tkhd")
    assert matrix(0) in track
    path.write_bytes(before + name + track.replace(matrix(0), matrix(degrees), 1))


def test_each_frame_of_a_video_has_its_number_and_picture(tmp_path: Path) -> None:
    frames = list(Frames(write_video(tmp_path / "clip.mp4"), "clip.mp4"))
    assert [frame.number for frame in frames] == list(range(12))
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert {str(frame.image.dtype) for frame in frames} == {"uint8"}
    assert [frame.image.mean() for frame in frames] == pytest.approx([n * LIGHTER for n in range(12)], abs=4)
    assert repr(frames[3]) == "Frame(3, 64x48)"


def test_each_loop_begins_with_the_first_frame_and_loops_do_not_disturb_each_other(tmp_path: Path) -> None:
    frames = Frames(write_video(tmp_path / "clip.mp4"), "clip.mp4")
    assert [frame.number for frame in itertools.islice(frames, 3)] == [0, 1, 2]
    pairs = [(one.number, other.number) for one, other in zip(frames, frames, strict=True)]
    assert pairs == [(number, number) for number in range(12)]


def test_the_memory_does_not_depend_on_the_length_of_the_video(tmp_path: Path) -> None:
    frames = Frames(write_video(tmp_path / "long.mp4", 200, 320, 240), "long.mp4")
    one = 320 * 240 * 3
    tracemalloc.start()
    try:
        assert sum(1 for _ in frames) == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * one


@pytest.mark.parametrize(
    ("mode", "name"), [("RGB", "a.png"), ("RGB", "a.jpg"), ("L", "a.png"), ("RGBA", "a.png"), ("RGB", "a%03d.webp")]
)
def test_an_image_is_exactly_one_frame(tmp_path: Path, mode: str, name: str) -> None:
    Image.new(mode, (41, 21), 200 if mode == "L" else (200,) * len(mode)).save(tmp_path / name)
    (frame,) = Frames(tmp_path / name, name, single=True)
    assert (frame.number, frame.image.shape) == (0, (21, 41, 3))
    assert frame.image.mean() == pytest.approx(200, abs=3)


def test_an_animation_that_is_an_image_is_one_frame(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (10, 200)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    assert [frame.number for frame in Frames(tmp_path / "a.gif", "a.gif", single=True)] == [0]


def light_side(frame: Frame) -> str:
    image = frame.image.mean(axis=2)
    height, width = image.shape
    sides = {
        "left": image[:, : width // 2],
        "right": image[:, width // 2 :],
        "top": image[: height // 2],
        "bottom": image[height // 2 :],
    }
    return max(sides, key=lambda side: sides[side].mean())


@pytest.mark.parametrize(
    ("turned", "size", "shape", "light"),
    [
        (90, (48, 64), (64, 48, 3), "bottom"),  # 90 degrees counterclockwise
        (-90, (48, 64), (64, 48, 3), "top"),
        (180, (64, 48), (48, 64, 3), "right"),
        (90, (None, None), (64, 48, 3), "bottom"),
        (90, (64, 48), (48, 64, 3), "left"),  # Encord shows it as it is stored
    ],
)
def test_frames_are_turned_as_encord_shows_them(
    tmp_path: Path, turned: int, size: tuple[int | None, int | None], shape: tuple[int, int, int], light: str
) -> None:
    path = write_video(tmp_path / "turned.mp4", 2, turned=turned)
    for frame in Frames(path, "turned.mp4", size=size):
        assert frame.image.shape == shape
        assert light_side(frame) == light
        assert frame.image.flags.c_contiguous


def test_photographs_are_turned_by_their_exif_orientation(tmp_path: Path) -> None:
    picture, exif = Image.new("RGB", (40, 20)), Image.Exif()
    picture.paste((250, 250, 250), (0, 0, 20, 20))
    exif[0x0112] = 6  # to be shown 90 degrees clockwise
    picture.save(tmp_path / "a.jpg", exif=exif)
    (frame,) = Frames(tmp_path / "a.jpg", "a.jpg", single=True, size=(20, 40))
    assert frame.image.shape == (40, 20, 3)
    assert light_side(frame) == "top"


def test_frames_cannot_be_read_after_the_function_has_returned(tmp_path: Path) -> None:
    frames = Frames(write_video(tmp_path / "clip.mp4"), "clip.mp4")
    begun = iter(frames)
    assert next(begun).number == 0
    frames.close()
    with pytest.raises(FramesError, match=r"clip\.mp4: its frames can only be read while the function runs"):
        next(begun)
    with pytest.raises(FramesError, match="while the function runs"):
        iter(frames)


@pytest.mark.parametrize("content", [b"", b"no video", b"\x00" * 4096])
def test_a_file_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.mp4").write_bytes(content)
    with pytest.raises(FramesError, match=r"^broken\.mp4: "):
        list(Frames(tmp_path / "broken.mp4", "broken.mp4"))


def test_a_sound_has_no_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(numpy.zeros((1, 800), dtype=numpy.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        for packet in [*stream.encode(silence), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(FramesError, match=r"sound\.wav: it has no pictures"):
        list(Frames(tmp_path / "sound.wav", "sound.wav"))


@pytest.mark.parametrize("module", ["av", "numpy"])
def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidArgumentError, match=r"pip install 'airflow-provider-encord\[frames\]'"):
        require_frames("Frames: the function asks for frames")
