"""A sample as a form wrote it."""

from __future__ import annotations

import dataclasses

from airflow_provider_encord.exports.formats.annotations import CLASSIFICATION, Annotation, LeftOut
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.samples import Sample, left_out

DROPPED = "dropped by class_map"
NOT_IN_ONTOLOGY = "its class is not in the ontology"
TOO_SMALL = "smaller than min_box_size"


@dataclasses.dataclass
class WrittenSample:
    """See `forms.Written`."""

    image_paths: list[str] = dataclasses.field(default_factory=list)
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    classes: list[str] = dataclasses.field(default_factory=list)
    box_sizes: list[tuple[float, float]] = dataclasses.field(default_factory=list)

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
