"""A project, under either kind of credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    keys,
    labels,
    project_copy,
    projects,
    workflow,
)
from airflow_provider_encord.client.api.labels import LabelRow, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.project_copy import ClonedDataset, CopiedLabels
from airflow_provider_encord.client.api.projects import ProjectDataset, ProjectOntology, ProjectRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.flows import api_versions, members
from airflow_provider_encord.client.flows.chunks import as_far_as_possible, chunks, in_parts
from airflow_provider_encord.client.identifiers import require_id, require_ids
from airflow_provider_encord.client.resources.activity import Activity
from airflow_provider_encord.client.resources.label_rows import LabelRows
from airflow_provider_encord.client.resources.members import HasGroups, HasUsers
from airflow_provider_encord.client.resources.project_tags import ProjectTags
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.client.resources.workflow_issues import DataUnitIssues
from airflow_provider_encord.client.structure import complete_structure

ROWS_PER_READ = 100  # label rows are large; the examples in Encord's documentation read the same number


class Project(HasUsers, HasGroups):
    """Handle on one project. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    :param id: The project's id.
    """

    member_calls = members.OF_PROJECT

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "project_id")

    def __repr__(self) -> str:
        return f"Project({self.id!r})"

    def get(self) -> ProjectRecord:
        """Read the project's record. With an API key, some of its fields are empty; see `ProjectRecord`."""
        return self._client.run(api_versions.PROJECT.flow(self._client.credential.kind, self.id))

    def status(self) -> str | None:
        """The status, one of `projects.STATUSES`; None with an API key, because Encord does not return it then."""
        return self.get().status

    def set_status(self, status: str) -> None:
        """Set the status. SSH keys only.

        :param status: One of `projects.STATUSES`.
        """
        if status not in projects.STATUSES:
            raise InvalidArgumentError(f"status: {status!r} is not one of {', '.join(projects.STATUSES)}.")
        self._client.send(projects.set_project_status(self.id, status))

    @property
    def tags(self) -> ProjectTags:
        """The tags of the project and of its issues. SSH keys only."""
        return ProjectTags(self._client, self.id)

    def branches(self) -> list[str]:
        """The names of the project's label branches. The main branch is ``main``. SSH keys only."""
        return self._client.run(projects.all_project_branches(self.id))

    def ontology(self) -> ProjectOntology:
        """Read the project's ontology. Works with both kinds of credential."""
        return self._client.run(api_versions.PROJECT_ONTOLOGY.flow(self._client.credential.kind, self.id))

    def replace_ontology(self, structure: Mapping[str, Any]) -> None:
        """Replace the structure of the project's ontology. This changes all projects that use the same ontology.

        :param structure: The new structure; see `complete_structure`. If it leaves a feature out, existing labels of
            this feature lose it.
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
        """Copy the project. Not safe to repeat: every run creates another copy.

        The options are those of `copy_project`.

        :return: Id of the new project.
        """
        if attach_datasets and clone_datasets:
            raise InvalidArgumentError(
                "attach_datasets, clone_datasets: both are set. Set only one: a copy gets the same datasets or new "
                "ones."
            )
        unknown = [
            status for status in (labels.statuses or [] if labels else []) if status not in project_copy.LABEL_STATUSES
        ]
        if unknown:
            known = ", ".join(project_copy.LABEL_STATUSES)
            raise InvalidArgumentError(f"labels: unknown status {', '.join(unknown)}. Choose from {known}.")
        call = project_copy.copy_project(
            self.id,
            title=title,
            description=description,
            attach_datasets=attach_datasets,
            clone_datasets=clone_datasets,
            only_data={require_id(data_hash, "only_data"): data for data_hash, data in (only_data or {}).items()},
            labels=labels,
            collaborators=collaborators,
            models=models,
        )
        return self._client.send(call)

    def datasets(self) -> list[ProjectDataset]:
        """The datasets attached to the project."""
        return self._client.run(self._datasets())

    def attach_datasets(self, datasets: Sequence[str]) -> list[str]:
        """Attach datasets; safe to repeat.

        :return: Ids of the datasets that were not attached before.
        """
        return self._client.run(self._change_datasets(require_ids(datasets, "dataset_ids"), attach=True))

    def detach_datasets(self, datasets: Sequence[str]) -> list[str]:
        """Detach datasets; safe to repeat.

        :return: Ids of the datasets that were attached before.
        """
        return self._client.run(self._change_datasets(require_ids(datasets, "dataset_ids"), attach=False))

    def stages(self) -> list[WorkflowStage]:
        """The stages of the project's workflow, in order. SSH keys only."""
        stages = self._client.run(workflow.stages_of(self.id))
        return [WorkflowStage(self._client, self.id, stage, stages) for stage in stages]

    def stage(self, wanted: str) -> WorkflowStage:
        """Find a stage by its id or title. If it does not exist, the error lists all stages. SSH keys only."""
        stages = self._client.run(workflow.stages_of(self.id))
        return WorkflowStage(self._client, self.id, workflow.choose_stage(stages, wanted), stages)

    def issues(self, data_hash: str) -> DataUnitIssues:
        """The issues of a data unit. SSH keys only."""
        return DataUnitIssues(self._client, self.id, data_hash)

    @property
    def rows(self) -> LabelRows:
        """Bulk operations on the project's label rows: complete, reopen, prioritise, copy to a branch."""
        return LabelRows(self._client, self.id)

    @property
    def activity(self) -> Activity:
        """Logs and analytics of the project: who did what, and how long it took."""
        return Activity(self._client, self.id)

    def label_rows(self, which: LabelRowFilter | None = None) -> list[LabelRowMetadata]:
        """The metadata of the label rows, including rows that have no labels yet.

        :param which: The filter; None for all rows.
        """
        return self._client.send(labels.list_label_rows(self.id, which or labels.EVERY_ROW))

    def read_label_rows(
        self,
        label_hashes: Sequence[str],
        *,
        rows_per_read: int = ROWS_PER_READ,
        get_signed_url: bool = False,
        include_reviews: bool = False,
        include_archived: bool | None = None,
    ) -> Iterator[LabelRow]:
        """Iterate over label rows, one request at a time. A request that is too large or takes too long is halved.

        Never creates a row. Within one request, the order of the rows is Encord's. If a request fails, the rows read
        before are yielded before the error is raised.

        :param rows_per_read: How many rows to request at once.
        :param get_signed_url: Include signed URLs of the files. They are secrets, because for a limited time they need
            no credential.
        :param include_reviews: Include the reviews of the labels.
        :param include_archived: Sent since SDK 0.1.181; None leaves it out.
        """

        def read(some: Sequence[str]) -> Call[list[LabelRow]]:
            return labels.get_label_rows(
                self.id,
                some,
                get_signed_url=get_signed_url,
                include_reviews=include_reviews,
                include_archived=include_archived,
            )

        for part in chunks(label_hashes, rows_per_read):
            outcome = self._client.run(as_far_as_possible(part, read, size=rows_per_read))
            for rows in outcome.results:
                yield from rows
            outcome.checked()

    def create_label_rows(self, data_hashes: Sequence[str], *, branch: str | None = None) -> list[LabelRow]:
        """Create the label rows of data units that have none. Large numbers are sent in several requests.

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
        """Save label rows. The given labels replace all labels of these rows.

        Large numbers are sent in several requests.

        :param rows: Complete rows by `label_hash`.
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

    def _datasets(self) -> Flow[list[ProjectDataset]]:
        return api_versions.PROJECT_DATASETS.flow(self._client.credential.kind, self.id)

    def _change_datasets(self, wanted: list[str], *, attach: bool) -> Flow[list[str]]:
        """Attach or detach the datasets that are not in the wanted state yet.

        If the response is lost, check the state.
        """
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
        attached = {dataset.dataset_hash for dataset in (yield from self._datasets())}
        return [item for item in wanted if (item in attached) != attach]
