"""Copies of DICOM files without what their tags say about the patient. Text in the images stays."""

from __future__ import annotations

import pathlib

_PATIENT = 0x0010
"""The group of tags that is about the patient."""


def value_of(path: pathlib.Path, tag: str) -> str:
    """What a tag such as ``x00080060`` says; an empty text if the file does not have it."""
    import pydicom  # here, because it takes half a second

    number = int(tag.removeprefix("x"), 16)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return str(header[number].value) if number in header else ""


def copy(source: pathlib.Path, target: pathlib.Path, *, redact_tags: bool) -> None:
    """Write the copy of a DICOM file, and the folder that it is in."""
    import pydicom

    content = pydicom.dcmread(source)
    for element in list(content) if redact_tags else ():
        if element.tag.group == _PATIENT:
            del content[element.tag]
    target.parent.mkdir(parents=True, exist_ok=True)
    content.save_as(target, enforce_file_format=False)
