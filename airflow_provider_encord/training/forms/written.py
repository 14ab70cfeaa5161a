"""A sample as a form wrote it."""

from __future__ import annotations

import dataclasses

from airflow_provider_encord.exports.formats.annotations import CLASSIFICATION, Annotation, LeftOut
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.samples import Sample, left_out

DROPPED = "dropped by class_map"
NOT_IN_ONTOLOGY = "its class is not in the ontology"
NO_AREA = "it covers nothing of the image"
OTHER_QUESTION = "it answers another question"
TOO_SMALL = "smaller than min_box_size"


@dataclasses.dataclass
class WrittenSample:
    """See `forms.Written`.

    :param is_packed: Whether the image goes into a file of many images, which the form writes itself.
    """

    image_paths: list[str] = dataclasses.field(default_factory=list)
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    classes: list[str] = dataclasses.field(default_factory=list)
    box_sizes: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    is_packed: bool = False

    @property
    def has_image(self) -> bool:
        """See `forms.Written`."""
        return self.is_packed or bool(self.image_paths)

    def class_of(self, annotation: Annotation, classes: Classes) -> str | None:
        """The class of an object; None if it is left out, which is noted."""
        name = classes.name_of(annotation.feature_hash, annotation.name)
        class_name = classes.of(name)
        if class_name is None:
            reason = DROPPED if classes.knows(name) else NOT_IN_ONTOLOGY
            self.left_out.append(left_out(annotation, reason))
        return class_name

    def leave_classifications(self, sample: Sample) -> None:
        """Note that the classifications of a sample are left out."""
        self.left_out += [left_out(annotation, CLASSIFICATION) for annotation in sample.classifications]

    def leave_other_answers(self, sample: Sample, question: str) -> None:
        """Note that the classifications of a sample that do not answer a question are left out."""
        others = (annotation for annotation in sample.classifications if question not in annotation.answers)
        self.left_out += [left_out(annotation, OTHER_QUESTION) for annotation in others]

    def leave_objects(self, sample: Sample, reason: str) -> None:
        """Note that the objects of a sample are left out."""
        self.left_out += [left_out(annotation, reason) for annotation in sample.objects]

    def leave_image(self, sample: Sample, reason: str) -> None:
        """Note that an image is left out."""
        place = sample.place
        self.left_out.append(LeftOut(hash=place.unit, kind="image", reason=reason, unit=place.unit, frame=place.frame))

    def leave_all(self, sample: Sample, reason: str) -> None:
        """Note that an image is left out with all of its labels."""
        self.leave_objects(sample, reason)
        self.left_out += [left_out(annotation, reason) for annotation in sample.classifications]
        self.leave_image(sample, reason)
