"""Which data units, images and objects are in a training set. What is filtered out is counted under its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.labels import LabelRowFilter, StageName
from airflow_provider_encord.client.api.workflow import choose_stage, stages_of
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.gates.findings import findings_of
from airflow_provider_encord.training.answers import WantedAnswers

_ROWS_PER_REQUEST = 1000
_OUT = "filtered out by"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterSpec:
    """What is asked for.

    :param stage: Titles or ids of workflow stages; empty for all.
    :param gate_report: Path object of the report of a quality gate, whose data units are left out.
    :param gate_measures: The measures whose findings count; empty for all.
    """

    stage: Sequence[str] = ()
    classification_answers: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    object_answers: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    gate_report: Any = None
    gate_measures: Sequence[str] = ()

    def __post_init__(self) -> None:
        """:raises InvalidArgumentError: Measures are passed without a report."""
        if self.gate_measures and self.gate_report is None:
            raise InvalidArgumentError("gate_measures: it needs `gate_report`, the report of a quality gate.")

    @property
    def asked(self) -> dict[str, Any]:
        """The filters that are set, as JSON values."""
        values = {
            "stage": list(self.stage),
            "classification_answers": {name: list(answers) for name, answers in self.classification_answers.items()},
            "object_answers": {name: list(answers) for name, answers in self.object_answers.items()},
            "gate_report": None if self.gate_report is None else str(self.gate_report),
            "gate_measures": list(self.gate_measures),
        }
        return {name: value for name, value in values.items() if value}


class Filters:
    """Decides what is filtered out. A reason is returned for that, and None for what is kept.

    :param structure: Structure of the ontology.
    :raises InvalidArgumentError: The project does not have the stage, or its ontology not the question or answer; or
        the report is not one of a quality gate of this project.
    """

    def __init__(self, client: EncordClient, project_id: str, spec: FilterSpec, structure: Mapping[str, Any]):
        self._client, self._project_id, self._spec = client, project_id, spec
        self._images = WantedAnswers(
            "classification_answers", spec.classification_answers, structure, "classifications"
        )
        self._objects = WantedAnswers("object_answers", spec.object_answers, structure, "objects")
        self._is_wanted = _stages(client, project_id, spec.stage) if spec.stage else None
        self._out: dict[str, str] = {}
        if spec.gate_report is not None:
            for data_hash, measure in findings_of(spec.gate_report, "gate_report", project_id).items():
                wanted = [one for one in measure if not spec.gate_measures or one in spec.gate_measures]
                if wanted:
                    self._out[data_hash] = f"{_OUT} gate_report ({wanted[0]})"

    @property
    def fingerprint(self) -> str | None:
        """A hash of what is filtered out; None without filters."""
        asked = {name: value for name, value in self._spec.asked.items() if name != "gate_report"}
        return fingerprint(asked=asked, out=self._out) if self._spec.asked else None

    def read(self, data_hashes: Callable[[], Iterable[str]]) -> None:
        """Read the stages of all data units, if they decide."""
        if self._is_wanted is None:
            return
        for some in chunks(sorted({*data_hashes()}), _ROWS_PER_REQUEST):
            kept = self._in_stages(some, self._is_wanted)
            self._out |= {data_hash: f"{_OUT} stage" for data_hash in some if data_hash not in kept}

    def of_row(self, data_hash: str) -> str | None:
        """Why a data unit is filtered out."""
        return self._out.get(data_hash)

    def of_image(self, classifications: Iterable[Annotation]) -> str | None:
        """Why an image with these classifications is filtered out."""
        question = self._images.not_wanted(classifications)
        return None if question is None else f"{_OUT} classification_answers ({question})"

    def of_object(self, object_: Annotation) -> str | None:
        """Why an object is filtered out."""
        attribute = self._objects.not_wanted_of(object_)
        return None if attribute is None else f"{_OUT} object_answers ({attribute})"

    def _in_stages(self, data_hashes: Sequence[str], is_wanted: Callable[[StageName], bool]) -> set[str]:
        rows = self._client.project(self._project_id).label_rows(LabelRowFilter(data_hashes=data_hashes))
        return {row.data_hash for row in rows if row.workflow_graph_node and is_wanted(row.workflow_graph_node)}


def _stages(client: EncordClient, project_id: str, wanted: Sequence[str]) -> Callable[[StageName], bool]:
    """Whether a stage is one of those that are wanted. With an API key, it is not known which stages there are."""
    if isinstance(client.credential, ApiKey):
        names = {*wanted, *(name.lower() for name in wanted)}
        return lambda stage: stage.uuid in names or stage.title in names
    stages = client.run(stages_of(project_id))
    ids = {choose_stage(stages, name).uuid for name in wanted}
    return lambda stage: stage.uuid in ids
