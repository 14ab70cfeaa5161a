"""A project, under either kind of credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import keys, labels, project_copy, projects, workflow
from airflow_provider_encord.client.api.labels import LabelRow, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.api.project_copy import ClonedDataset, CopiedLabels
from airflow_provider_encord.client.api.projects import ProjectDataset, ProjectOntology, ProjectRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.resources import api_versions, members
from airflow_provider_encord.client.resources.activity import Activity
from airflow_provider_encord.client.resources.chunks import as_far_as_possible, chunks, in_parts
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol
from airflow_provider_encord.client.resources.creation import (
    Created,
    Existing,
    another_description,
    existing,
    get_or_create,
)
from airflow_provider_encord.client.resources.identifiers import require_id, require_ids
from airflow_provider_encord.client.resources.label_rows import LabelRows
from airflow_provider_encord.client.resources.members import HasGroups, HasUsers
from airflow_provider_encord.client.resources.project_tags import ProjectTags
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.client.resources.workflow_issues import DataUnitIssues
from airflow_provider_encord.client.structure import complete_structure

ROWS_PER_READ = 100  # label rows are heavy; the documentation's examples read as many


class Project(HasUsers, HasGroups):
    """Handle on one project. Making it sends nothing.

    :param client: Sends what the methods need.
    :param id: The project's id.
    """

    member_calls = members.OF_PROJECT

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "project_id")

    def __repr__(self) -> str:
        return f"Project({self.id!r})"

    def get(self) -> ProjectRecord:
        """What Encord returns about the project. An API key learns less: see `ProjectRecord`."""
        return self._client.run(api_versions.PROJECT.flow(self._client.credential.kind, self.id))

    def status(self) -> str | None:
        """The status, of `projects.STATUSES`; None with an API key, which does not receive it."""
        return self.get().status

    def set_status(self, status: str) -> None:
        """Set the status. SSH keys only.

        :param status: Of `projects.STATUSES`.
        """
        if status not in projects.STATUSES:
            raise InvalidArgumentError(f"status: {status!r} is not one of {', '.join(projects.STATUSES)}.")
        self._client.send(projects.set_project_status(self.id, status))

    @property
    def tags(self) -> ProjectTags:
        """Its tags, those for issues among them. SSH keys only."""
        return ProjectTags(self._client, self.id)

    def branches(self) -> list[str]:
        """The names of the branches of its labels; the main one is ``main``. SSH keys only."""
        return self._client.run(projects.all_project_branches(self.id))

    def ontology(self) -> ProjectOntology:
        """Its ontology, which both kinds of credential can read."""
        return self._client.run(api_versions.PROJECT_ONTOLOGY.flow(self._client.credential.kind, self.id))

    def replace_ontology(self, structure: Mapping[str, Any]) -> None:
        """Give the ontology of the project another structure, also for every other project that uses it.

        :param structure: See `complete_structure`. Labels of what it leaves out lose their feature.
        """
        self._client.send(projects.replace_project_ontology(self.id, complete_structure(structure)))

    def copy(
        self,
        *,
        title: str | None = None,
        description: str | None = None,
        attach_datasets: bool = False,
        clone_datasets: ClonedDataset | None = None,
        only_data: Mapping[str, Sequence[str]] | None = None,
        labels: CopiedLabels | None = None,
        collaborators: bool = False,
        models: bool = False,
    ) -> str:
        """Copy the project; not safe to repeat: every run makes another one. The options are those of `copy_project`.

        :return: Id of the new project.
        """
        if attach_datasets and clone_datasets:
            raise InvalidArgumentError("attach_datasets, clone_datasets: a copy gets the same datasets or its own.")
        unknown = [one for one in (labels.statuses or [] if labels else []) if one not in project_copy.LABEL_STATUSES]
        if unknown:
            known = ", ".join(project_copy.LABEL_STATUSES)
            raise InvalidArgumentError(f"labels: unknown status {', '.join(unknown)}; choose from {known}.")
        call = project_copy.copy_project(
            self.id,
            title=title,
            description=description,
            attach_datasets=attach_datasets,
            clone_datasets=clone_datasets,
            only_data={require_id(one, "only_data"): data for one, data in (only_data or {}).items()},
            labels=labels,
            collaborators=collaborators,
            models=models,
        )
        return self._client.send(call)

    def datasets(self) -> list[ProjectDataset]:
        """The datasets attached to the project."""
        return self._client.run(self._datasets())

    def attach_datasets(self, datasets: Sequence[str]) -> list[str]:
        """Attach datasets; safe to repeat, what is attached already is left alone.

        :return: Ids of those that were not attached before.
        """
        return self._client.run(self._change_datasets(require_ids(datasets, "dataset_ids"), attach=True))

    def detach_datasets(self, datasets: Sequence[str]) -> list[str]:
        """Detach datasets; safe to repeat, what is not attached is left alone.

        :return: Ids of those that were attached before.
        """
        return self._client.run(self._change_datasets(require_ids(datasets, "dataset_ids"), attach=False))

    def stages(self) -> list[WorkflowStage]:
        """The stages of its workflow, in order. SSH keys only."""
        stages = self._client.run(workflow.stages_of(self.id))
        return [WorkflowStage(self._client, self.id, stage, stages) for stage in stages]

    def stage(self, wanted: str) -> WorkflowStage:
        """A stage by its id or title; else an error that lists all stages. SSH keys only."""
        stages = self._client.run(workflow.stages_of(self.id))
        return WorkflowStage(self._client, self.id, workflow.choose_stage(stages, wanted), stages)

    def issues(self, data_hash: str) -> DataUnitIssues:
        """The issues of a data unit. SSH keys only."""
        return DataUnitIssues(self._client, self.id, data_hash)

    @property
    def rows(self) -> LabelRows:
        """What is done with many of its label rows at once: complete, reopen, prioritise, copy to a branch."""
        return LabelRows(self._client, self.id)

    @property
    def activity(self) -> Activity:
        """What people did in it, and how long it took them."""
        return Activity(self._client, self.id)

    def label_rows(self, which: LabelRowFilter | None = None) -> list[LabelRowMetadata]:
        """The metadata of the label rows, by default of all, also of those that have no labels yet."""
        return self._client.send(labels.list_label_rows(self.id, which or labels.EVERY_ROW))

    def read_label_rows(
        self, label_hashes: Sequence[str], *, rows_per_read: int = ROWS_PER_READ, **options: Any
    ) -> Iterator[LabelRow]:
        """Read label rows, bundle by bundle; a bundle that is too large for Encord, or takes too long, is halved.

        Never creates a row. The order within a bundle is Encord's. What was read before a failure comes before it.

        :param rows_per_read: How many to ask for at once.
        :param options: As `labels.get_label_rows` takes them.
        """
        for part in chunks(label_hashes, rows_per_read):
            outcome = self._client.run(
                as_far_as_possible(
                    part, lambda some: labels.get_label_rows(self.id, some, **options), size=rows_per_read
                )
            )
            for rows in outcome.results:
                yield from rows
            outcome.checked()

    def create_label_rows(self, data_hashes: Sequence[str], *, branch: str | None = None) -> list[LabelRow]:
        """Create the label rows of data units that have none; a write. Large numbers go in several requests.

        :raises PartialFailureError: A request failed after others succeeded. Its `outcome` is a `PartsOutcome`:
            `results` are the lists of rows that were created before, `unknown` are the data units of a request whose
            response was lost.
        :raises EncordError: The first request failed.
        """
        create = in_parts(
            data_hashes,
            lambda some: labels.create_label_rows(self.id, some, branch=branch),
            size=labels.MOST_ROWS_PER_REQUEST,
        )
        return [row for rows in self._client.run(create) for row in rows]

    def save_label_rows(self, rows: dict[str, Any], *, validate_before_saving: bool = True) -> None:
        """Save label rows: afterwards their labels are exactly those given. Large numbers go in several requests.

        :param rows: Whole rows by `label_hash`.
        :raises PartialFailureError: A request failed after others succeeded. Its `outcome` names the rows that were
            saved before (`done`).
        :raises EncordError: The first request failed.
        """
        save = in_parts(
            list(rows),
            lambda some: labels.save_label_rows(
                self.id, some, [rows[item] for item in some], validate_before_saving=validate_before_saving
            ),
            size=labels.MOST_ROWS_PER_REQUEST,
        )
        self._client.run(save)

    def create_api_key(self, title: str, scopes: Sequence[str]) -> str:
        """Create an API key for this project and return it. It is a secret."""
        return self._client.send(keys.create_project_api_key(self.id, title=title, scopes=scopes))

    def api_keys(self) -> list[keys.ApiKeyRecord]:
        """The project's API keys, secrets included."""
        return self._client.send(keys.list_project_api_keys(self.id))

    def _datasets(self) -> Flow[list[ProjectDataset]]:
        return api_versions.PROJECT_DATASETS.flow(self._client.credential.kind, self.id)

    def _change_datasets(self, wanted: list[str], *, attach: bool) -> Flow[list[str]]:
        """Change what differs. If the answer is lost, look: what is as wanted then was done."""
        differing = yield from self._differing(wanted, attach=attach)
        if not differing:
            return []
        change = projects.attach_datasets if attach else projects.detach_datasets
        try:
            yield from change(self.id, differing)
        except OutcomeUnknownError:
            if (yield from self._differing(wanted, attach=attach)):
                raise
        return differing

    def _differing(self, wanted: list[str], *, attach: bool) -> Flow[list[str]]:
        attached = {one.dataset_hash for one in (yield from self._datasets())}
        return [item for item in wanted if (item in attached) != attach]


def _id(there: ProjectRecord) -> str:
    return there.project_hash


def create_project_once(title: str, *, if_exists: str, **arguments: Any) -> Flow[Created]:
    """Create a project unless there is one of its title; see `get_or_create` and `projects.create_project`.

    The datasets of an existing project are not compared, because the search does not list them.
    """

    def differs(there: ProjectRecord) -> list[str]:
        return [
            *_another_ontology(arguments.get("ontology"), there.ontology_hash),
            *another_description(arguments.get("description"), there.description),
        ]

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from projects.all_projects(Filter(title_eq=title))
        return existing(title, found, id_of=_id, differs=differs)

    def create(title: str) -> Call[str]:
        return projects.create_project(title, **arguments)

    return (yield from get_or_create("project", title, find=find, create=create, id_of=str, if_exists=if_exists))


def copy_project_once(project: str, title: str, *, if_exists: str, **arguments: Any) -> Flow[Created]:
    """Copy a project unless there is one of the copy's title; see `get_or_create` and `project_copy.copy_project`."""

    def differs(there: ProjectRecord) -> list[str]:
        return another_description(arguments.get("description"), there.description)

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from projects.all_projects(Filter(title_eq=title))
        copies = (record for record in found if record.project_hash != project)
        return existing(title, copies, id_of=_id, differs=differs)

    def create(title: str) -> Call[str]:
        return project_copy.copy_project(project, title=title, **arguments)

    return (yield from get_or_create("project", title, find=find, create=create, id_of=str, if_exists=if_exists))


def _another_ontology(wanted: str | None, there: str | None) -> list[str]:
    differ = wanted and there and wanted.lower() != there.lower()
    return [f"its ontology is {there}, and {wanted} was asked for"] if differ else []
