"""Folders: an image of a class is in ``<split>/<class>/``, as image classifiers read it.

The class is the answer to a classification, or to one of its attributes. An image with several answers, of a checklist
for instance, is in several folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import LeftOut
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.written import DROPPED, NOT_IN_ONTOLOGY, WrittenSample
from airflow_provider_encord.training.samples import Sample, left_out

FOLDERS = "folders"
NO_ANSWER = "it has no answer"
_OBJECT = "objects have no place in folders"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


class FoldersForm:
    """See `forms.Form`.

    :param question: Name of the classification, or of the attribute, whose answer is the class.
    :raises InvalidArgumentError: Two classes would have the same folder.
    """

    def __init__(self, question: str, classes: Classes, splits: Sequence[str]):
        self._question, self._classes = question, classes
        self._folders = {name: _folder(name) for name in classes.names}
        if len({folder.casefold() for folder in self._folders.values()}) < len(self._folders):
            raise InvalidArgumentError("class_map: two classes would have the same folder. Give one another name.")
        self.entries = tuple(splits)

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Decide into which folders an image goes."""
        written = WrittenSample()
        written.left_out += [left_out(annotation, _OBJECT) for annotation in sample.objects]
        answered = False
        for annotation in sample.classifications:
            answers = annotation.answers.get(self._question)
            for answer in answers if isinstance(answers, list) else []:
                answered = True
                class_name = self._classes.of(answer)
                if class_name is None:
                    known = self._classes.knows(answer)
                    written.left_out.append(left_out(annotation, DROPPED if known else NOT_IN_ONTOLOGY))
                elif class_name not in written.classes:
                    written.classes.append(class_name)
        if not answered:
            place = sample.place
            written.left_out.append(
                LeftOut(hash=place.unit, kind="image", reason=NO_ANSWER, unit=place.unit, frame=place.frame)
            )
        written.image_paths = [f"{split}/{self._folders[name]}/{sample.name}{suffix}" for name in written.classes]
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """No files: the folders say everything."""
        return iter(())


def _folder(name: str) -> str:
    return _UNSAFE.sub("_", name).strip(" .") or "_"
