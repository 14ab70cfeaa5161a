"""Folders: an image of a class is in ``<split>/<class>/``, as image classifiers read it.

The class is the answer to a classification, or to one of its attributes. An image with several answers, of a checklist
for instance, is in several folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.answered import Answers
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.samples import Sample

FOLDERS = "folders"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


class FoldersForm:
    """See `forms.Form`.

    :param question: Name of the classification, or of the attribute, whose answer is the class.
    :raises InvalidArgumentError: Two classes would have the same folder.
    """

    def __init__(self, question: str, classes: Classes, splits: Sequence[str]):
        self._answers = Answers(question, classes)
        self._folders = {name: _folder(name) for name in classes.names}
        if len({folder.casefold() for folder in self._folders.values()}) < len(self._folders):
            raise InvalidArgumentError("class_map: two classes would have the same folder. Give one another name.")
        self.entries = tuple(splits)

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Decide into which folders an image goes."""
        written = WrittenSample()
        written.leave_other_answers(sample, self._answers.question)
        self._answers.add_classes(sample, written)
        written.image_paths = [f"{split}/{self._folders[name]}/{sample.name}{suffix}" for name in written.classes]
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """No files: the folders say everything."""
        return iter(())


def _folder(name: str) -> str:
    return _UNSAFE.sub("_", name).strip(" .") or "_"
