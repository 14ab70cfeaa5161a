"""Making lines of the short form: classes become features, scores become confidence.

What does not come in is counted by reason: classes that `class_map` maps to None, scores under the threshold, exact
duplicates, and attributes that the ontology does not have. Clipped objects come in, and are counted too.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.prelabels.features import Features, WrongLabelsError, attribute_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Tag, Wrong
from airflow_provider_encord.prelabels.forms.scale import number
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.frame_ranges import union
from airflow_provider_encord.prelabels.sources import Prelabel

CLASS_MAP = "class_map"
SCORE_THRESHOLD = "score_threshold"
DUPLICATE = "duplicate"
ATTRIBUTE = "attribute"
CLIPPED = "clipped"
_MOST_PROBLEMS = 5  # named for a line


class _Unknown(msgspec.Struct, frozen=True):
    """A class without a feature."""


class Converter:
    """Makes lines of what a source has about a data unit.

    :param features: Features of the project's ontology.
    """

    def __init__(self, features: Features, spec: FormSpec):
        self._features, self._spec = features, spec
        self._known: dict[tuple[str, bool], Mapping[str, Any] | _Unknown | None] = {}

    def line(self, place: str, row: LabelRowMetadata, entries: Iterable[Entry], *, size: int = 0) -> Prelabel:
        """Make the line of a data unit.

        :param place: The data unit in the source, for messages and the report.
        :param size: About how many bytes it has in the source.
        """
        made = _Line()
        for entry in entries:
            try:
                self._add(made, entry)
            except WrongLabelsError as error:
                made.problems.append(f"{entry.where}: {str(error).removesuffix('.')}")
        return Prelabel(
            place=place,
            content={"data_hash": row.data_hash, "objects": made.objects, "classifications": made.classifications},
            problem=_named(made.problems),
            size=size,
            row=row,
            dropped=dict(+made.dropped),
            unknown_classes=dict(made.unknown),
        )

    def shape_of(self, label: str) -> str | None:
        """The shape of a class in the ontology; None if the class has no feature."""
        feature = self._feature(label, classification=False)
        return None if feature is None or isinstance(feature, _Unknown) else feature["shape"]

    def template_of(self, label: str) -> Mapping[str, Any] | None:
        """The skeleton of a class; None if the ontology has none."""
        feature = self._feature(label, classification=False)
        return None if feature is None or isinstance(feature, _Unknown) else self._features.skeleton(feature)

    def _add(self, made: _Line, entry: Entry) -> None:
        if isinstance(entry, Wrong):
            raise WrongLabelsError(entry.problem)
        feature = self._feature(entry.label, classification=isinstance(entry, Tag))
        if feature is None:
            made.dropped[CLASS_MAP] += 1
        elif isinstance(feature, _Unknown):
            name = self._spec.class_map.get(entry.label, entry.label)
            made.unknown[entry.label if name == entry.label else f"{entry.label} as {name}"] += 1
        elif not self._passes(entry.score):
            made.dropped[SCORE_THRESHOLD] += 1
        elif isinstance(entry, Tag):
            made.add_classification(_classification(entry, feature, made))
        else:
            made.add_object(_object(entry, feature, made))

    def _feature(self, label: str, *, classification: bool) -> Mapping[str, Any] | _Unknown | None:
        """The feature of a class; None if the class is left out."""
        key = (label, classification)
        if key not in self._known:
            self._known[key] = self._looked_up(label, classification=classification)
        return self._known[key]

    def _looked_up(self, label: str, *, classification: bool) -> Mapping[str, Any] | _Unknown | None:
        name = self._spec.class_map.get(label, label)
        if name is None:
            return None
        try:
            return self._features.classification(name) if classification else self._features.object(name)
        except WrongLabelsError:
            return _Unknown()

    def _passes(self, score: float | None) -> bool:
        least = self._spec.score_threshold
        if least is None:
            return True
        if score is None:
            raise WrongLabelsError("it has no score, but score_threshold needs it")
        return score >= least


class _Line:
    """The content of a line, while it is made."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.classifications: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.dropped: collections.Counter[str] = collections.Counter()
        self.unknown: collections.Counter[str] = collections.Counter()
        self._seen: set[bytes] = set()

    def add_object(self, drawn: dict[str, Any]) -> None:
        """Add an object, unless the line has exactly the same."""
        content = msgspec.json.encode(drawn, order="sorted")
        if content in self._seen:
            self.dropped[DUPLICATE] += 1
            return
        self._seen.add(content)
        self.objects.append(drawn)

    def add_classification(self, given: dict[str, Any]) -> None:
        """Add a classification. One with the same answers gets the frames of both."""
        for known in self.classifications:
            if "frames" in given and "frames" in known and {**known, "frames": None} == {**given, "frames": None}:
                known["frames"] = union(known["frames"], given["frames"])
                return
        self.classifications.append(given)


def _object(item: Item, feature: Mapping[str, Any], made: _Line) -> dict[str, Any]:
    draw = item.shapes.get(feature["shape"])
    if draw is None:
        raise WrongLabelsError(
            f"class {item.label[:80]!r}: {feature['name']!r} is a {feature['shape']} in the ontology, but this is "
            f"{' or '.join(item.shapes) or 'without a shape'}; map the class to a feature of that shape"
        )
    item.scale.clipped = False
    drawn = {"feature": feature["featureNodeHash"], **draw()}
    made.dropped[CLIPPED] += item.scale.clipped
    if item.frame is not None:
        drawn["frame"] = item.frame
    if item.track is not None:
        drawn["id"] = item.track
    return drawn | _more(item, feature, made)


def _classification(tag: Tag, feature: Mapping[str, Any], made: _Line) -> dict[str, Any]:
    given = {"feature": feature["featureNodeHash"], **_more(tag, feature, made)}
    if tag.answer is not None:
        given["answer"] = tag.answer
    if tag.frames is not None:
        given["frames"] = tag.frames
    return given


def _more(entry: Item | Tag, feature: Mapping[str, Any], made: _Line) -> dict[str, Any]:
    """The confidence and the answers."""
    more: dict[str, Any] = {} if entry.score is None else {"confidence": entry.score}
    found = {name: _attribute(feature, name) for name in entry.attributes}
    answers = {name: _answer(found[name], value) for name, value in entry.attributes.items() if found[name]}
    made.dropped[ATTRIBUTE] += len(entry.attributes) - len(answers)
    if answers:
        more["answers"] = answers
    return more


def _attribute(feature: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    try:
        return attribute_of(feature, name)
    except WrongLabelsError:
        return None


def _answer(attribute: Mapping[str, Any] | None, value: Any) -> Any:
    """An answer; the text of a number for an attribute with numbers."""
    if attribute and attribute.get("type") == "numeric" and isinstance(value, str):
        return number(value, f"attribute {attribute.get('name')!r}")
    return value


def _named(problems: list[str]) -> str | None:
    if not problems:
        return None
    more = len(problems) - _MOST_PROBLEMS
    return "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "") + "."
