"""What is in the data units before they are assigned to splits: the number of labels of each class."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.training.build import batches_of
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.media_index import MediaIndex
from airflow_provider_encord.training.samples import Filter, Sample, samples_of
from airflow_provider_encord.training.split_keys import SplitKeys


def classes_by_key(
    rows: Iterable[Mapping[str, Any]],
    classes: Classes,
    question: str | None,
    *,
    index: MediaIndex,
    names: Names,
    keys: SplitKeys,
    filters: Filter,
) -> dict[str, collections.Counter[str]]:
    """The number of labels of each class, by the key that decides the split. Keys without samples are left out.

    :param question: The question whose answers are the classes; None for the classes of objects.
    """
    counts: dict[str, collections.Counter[str]] = {}
    for some in batches_of(rows):
        files = index.of([unit for row in some for unit in row.get("data_units") or ()])
        for row in some:
            for sample in samples_of(row, names, files, filters):
                if isinstance(sample, Sample):
                    found = counts.setdefault(keys.of(sample.data_hash), collections.Counter())
                    found.update(_classes_in(sample, classes, question))
    return counts


def _classes_in(sample: Sample, classes: Classes, question: str | None) -> Iterator[str]:
    if question is None:
        named = (classes.of(classes.name_of(one.feature_hash, one.name)) for one in sample.objects)
    else:
        given = (one.answers.get(question) for one in sample.classifications)
        named = (classes.of(answer) for answers in given if isinstance(answers, list) for answer in answers)
    yield from (name for name in named if name is not None)
