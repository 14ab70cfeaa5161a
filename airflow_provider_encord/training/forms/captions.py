"""COCO captions: ``annotations/captions_<split>.json``, and the images in ``images/<split>``.

A caption is the answer to a text classification, or to a text attribute of one. An image may have several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_encord.exports.formats.coco import coco_id
from airflow_provider_encord.training.forms.coco import document_of, image_in
from airflow_provider_encord.training.forms.json_parts import JsonParts
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.samples import Sample

_OBJECT = "objects have no place in captions"
_NO_CAPTION = "it has no caption"


class CaptionsForm:
    """See `forms.Form`.

    :param question: Name of the text classification, or of the attribute, whose answer is the caption.
    """

    entries = ("images", "annotations")

    def __init__(self, question: str, splits: Sequence[str]):
        self._question, self._splits = question, splits
        self._images = {split: JsonParts(b",\n") for split in splits}
        self._annotations = {split: JsonParts(b",\n") for split in splits}

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add an image with its captions."""
        written = WrittenSample()
        written.leave_objects(sample, _OBJECT)
        about = image_in(sample, suffix)
        written.leave_other_answers(sample, self._question)
        for annotation in sample.classifications:
            caption = annotation.answers.get(self._question)
            if not isinstance(caption, str) or not caption.strip():
                continue
            written.classes.append(self._question)
            id_ = coco_id(sample.label_hash, sample.place.unit, sample.place.frame, annotation.hash)
            self._annotations[split].add({"id": id_, "image_id": about["id"], "caption": caption})
        if written.classes:
            written.image_paths.append(f"images/{split}/{about['file_name']}")
            self._images[split].add(about)
        else:
            written.leave_image(sample, _NO_CAPTION)
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The documents of the splits."""
        for split in self._splits:
            yield f"annotations/captions_{split}.json", document_of(self._images[split], self._annotations[split])
