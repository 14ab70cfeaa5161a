"""The classes of images: the answers to a question of the ontology."""

from __future__ import annotations

from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.written import DROPPED, NOT_IN_ONTOLOGY, WrittenSample
from airflow_provider_encord.training.samples import Sample, left_out

NO_ANSWER = "it has no answer"
SEVERAL_ANSWERS = "it has several answers"
_OBJECT = "objects have no place in a set of classified images"


class Answers:
    """Finds the classes of images.

    :param question: Name of the classification, or of the attribute, whose answer is the class.
    """

    def __init__(self, question: str, classes: Classes):
        self.question, self._classes = question, classes

    def add_classes(self, sample: Sample, written: WrittenSample) -> None:
        """Add the classes of an image, each once. What is no class is noted as left out, as are objects."""
        written.leave_objects(sample, _OBJECT)
        answered = False
        for annotation in sample.classifications:
            answers = annotation.answers.get(self.question)
            for answer in answers if isinstance(answers, list) else []:
                answered = True
                class_name = self._classes.of(answer)
                if class_name is None:
                    known = self._classes.knows(answer)
                    written.left_out.append(left_out(annotation, DROPPED if known else NOT_IN_ONTOLOGY))
                elif class_name not in written.classes:
                    written.classes.append(class_name)
        if not answered:
            written.leave_image(sample, NO_ANSWER)

    def only_class(self, sample: Sample, written: WrittenSample) -> str | None:
        """The class of an image; None if it has not exactly one, which is noted."""
        self.add_classes(sample, written)
        if len(written.classes) > 1:
            written.classes.clear()
            written.leave_image(sample, SEVERAL_ANSWERS)
        return written.classes[0] if written.classes else None
