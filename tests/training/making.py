"""Samples for tests of forms, without a project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.annotations import Annotation, Place
from airflow_provider_encord.training.forms import Form
from airflow_provider_encord.training.samples import File, Sample
from tests.training.test_outlines import annotation


def sample(
    data_hash: str,
    frame: int = 0,
    objects: Sequence[Annotation] = (),
    classifications: Sequence[Annotation] = (),
    *,
    size: tuple[int, int] = (40, 30),
    file: File | None = None,
    **about: Any,
) -> Sample:
    """A sample of a frame."""
    place = Place(unit=data_hash, unit_title=None, frame=frame, width=size[0], height=size[1])
    return Sample(
        data_hash=data_hash,
        label_hash=data_hash,
        place=place,
        file=file or File("picture.png", None, None),
        name=f"{data_hash}-{frame:06d}",
        objects=list(objects),
        classifications=list(classifications),
        **about,
    )


def stored(directory: Path, name: str, content: bytes) -> File:
    """A pulled file."""
    (directory / name).write_bytes(content)
    return File(name, hashlib.sha256(content).hexdigest(), "image/png", bytes=len(content))


def box(hash_: str, left: float, top: float, width: float, height: float, name: str = "n") -> Annotation:
    """An object with a box; numbers are fractions of the image."""
    drawn = annotation("bounding_box", boundingBox={"x": left, "y": top, "w": width, "h": height})
    return msgspec.structs.replace(drawn, hash=hash_, name=name)


def finished(form: Form) -> Iterator[tuple[str, bytes]]:
    """The files that a form writes at the end."""
    for path, blocks in form.finish():
        yield path, b"".join(blocks)


def files_of(form: Form) -> Mapping[str, bytes]:
    """The same, by path."""
    found: dict[str, bytes] = {}
    for path, content in finished(form):
        assert path not in found
        found[path] = content
    return found
