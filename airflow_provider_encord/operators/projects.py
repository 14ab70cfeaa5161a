"""Operators on projects: create, copy, get, list; attach and detach datasets; users and status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import project_uri
from airflow_provider_encord.defaults import IF_EXISTS, PROJECT_STATUSES
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_list,
    parse_text,
    parse_texts,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.listing import ListingOperator
from airflow_provider_encord.operators.literals import check_literals, one_of
from airflow_provider_encord.operators.members import AddUsersOperator
from airflow_provider_encord.operators.records import as_dictionary

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_NAMED_IN_EVENTS = 100  # ids; the result of the task has all


class EncordCreateProjectOperator(EncordBaseOperator):
    """Create a project, unless one with its title exists.

    Safe to repeat with the default `if_exists`: the project of this title is found again, also when the answer to its
    creation was lost or the worker died. Of several that tasks created at the same time (within ten minutes) the oldest
    is taken, with a warning. What is found is not changed: attach further datasets with `EncordAttachDatasetsOperator`.
    A project cannot be deleted by API. Needs an SSH key. Encord API: ``project`` POST (v1).

    :param title: Title (templated).
    :param description: Description (templated).
    :param dataset_ids: Ids of the datasets to attach, or one id (templated).
    :param ontology_id: Id of the ontology (templated); without one Encord makes an empty one.
    :param workflow_template_id: Id of a workflow template (templated), made in Encord's web app; without one Encord
        uses its default workflow.
    :param if_exists: What to do if its title is taken (templated): ``"reuse"`` (default) takes the one project of
        exactly this title that the connection can see, and fails if there are several; ``"fail"`` fails if there is
        one, so also on a retry after the project was created; ``"new"`` makes another project at every try.
    :return: Id of the project.
    :raises AirflowFailException: The title is taken (see `if_exists`), or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or its answer was lost; a retry looks first.
    """

    template_fields: Sequence[str] = (
        "title",
        "description",
        "dataset_ids",
        "ontology_id",
        "workflow_template_id",
        "if_exists",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        title: str,
        description: str = "",
        dataset_ids: Sequence[str] | str = (),
        ontology_id: str | None = None,
        workflow_template_id: str | None = None,
        if_exists: str = "reuse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.title = title
        self.description = description
        self.dataset_ids = dataset_ids
        self.ontology_id = ontology_id
        self.workflow_template_id = workflow_template_id
        self.if_exists = if_exists
        check_literals(
            if_exists=(if_exists, one_of(*IF_EXISTS)),
        )

    def _execute(self, context: Context) -> str:
        """Create or find the project."""
        created = self.client.create_project(
            parse_text(self.title, "title") or "",
            description=parse_text(self.description, "description") or "",
            dataset_ids=parse_list(self.dataset_ids, "dataset_ids"),
            ontology_id=blank_to_none(self.ontology_id),
            workflow_template_id=blank_to_none(self.workflow_template_id),
            if_exists=self.if_exists,
        )
        self.push_link(context, project_url, created.id)
        self.log.info("%s project %s, %r.", "Created" if created.created else "Reuse", created.id, self.title)
        extra = {"project_id": created.id, "created": int(created.created)}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, created.id), extra)
        return created.id


class EncordGetProjectOperator(EncordBaseOperator):
    """Read a project.

    Only reads. An API key learns less than an SSH key: status, type, workflow and creator stay None.

    :param project_id: Id (templated). With an API key it may be left out: the key's own project is read.
    :return: The project as a dictionary: ``project_id``, ``title``, ``description``, ``ontology_id``, ``status``,
        ``workflow`` with its stages, and so on.
    :raises AirflowFailException: There is no such project, or the connection may not see it.
    """

    template_fields: Sequence[str] = ("project_id", "encord_conn_id")

    def __init__(self, *, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Read the project."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        return as_dictionary(project.get())


class EncordListProjectsOperator(ListingOperator):
    """List the projects that the user of the connection can see.

    Only reads. Needs an SSH key. The filters combine; without any, all are listed. The list becomes an XCom: filter it
    to what is used. If just one is found, "Open in Encord" leads to it; to a list there is no link.

    :param title: Exactly this title (templated).
    :param title_like: An SQL LIKE pattern for the title, such as ``"Street %"`` (templated).
    :param created_after: Only what was created after this time, as text or `datetime` (templated).
    :param created_before: Only what was created before this time (templated).
    :param edited_after: Only what was last edited after this time (templated).
    :param edited_before: Only what was last edited before this time (templated).
    :param tags: Names of organisation tags, of which a project has at least one (templated).
    :param include_organisation: Also the organisation's other projects; for its admins (templated).
    :return: A list of ``{"project_id", "title", "description", "status", "ontology_id", "created_at",
        "last_edited_at"}``.
    """

    template_fields: Sequence[str] = (*ListingOperator.template_fields, "tags")

    def __init__(self, *, tags: Sequence[str] | str = (), **kwargs: Any):
        super().__init__(**kwargs)
        self.tags = tags

    def _execute(self, context: Context) -> list[dict[str, Any]]:
        """List the projects."""
        found = self.client.projects(self.which(), tags=parse_texts(self.tags, "tags") or ())
        if len(found) == 1:
            self.push_link(context, project_url, found[0].project_hash)
        self.log.info("Found %d projects.", len(found))
        fields = ("project_hash", "title", "description", "status", "ontology_hash", "created_at", "last_edited_at")
        return [as_dictionary(match, fields) for match in found]


class _ChangeDatasetsOperator(EncordBaseOperator):
    """Attach or detach datasets; the difference is one method of the project."""

    template_fields: Sequence[str] = ("project_id", "dataset_ids", "encord_conn_id")

    def __init__(self, *, dataset_ids: Sequence[str] | str, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.dataset_ids = dataset_ids

    def wanted(self) -> list[str]:
        """The ids of the datasets. An empty list is allowed, because another task may have changed nothing.

        :raises InvalidArgumentError: A template rendered to nothing, or one is not an id.
        """
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.identifiers import require_ids

        if blank_to_none(self.dataset_ids) in (None, "None"):
            raise InvalidArgumentError("dataset_ids: it is empty (check the rendered template); nothing was changed.")
        wanted = require_ids(parse_list(self.dataset_ids, "dataset_ids"), "dataset_ids")
        if not wanted:
            self.log.warning("dataset_ids is an empty list; project %s is not changed.", self.project_id)
        return wanted


class EncordAttachDatasetsOperator(_ChangeDatasetsOperator):
    """Attach datasets to a project. Every data unit in them then has a row, and a task in the first stage.

    A template that renders to nothing is refused; an empty list is allowed, and changes nothing. Safe to repeat: what
    is attached already is left alone, and a lost answer is looked up. Encord API: ``projectdataset`` POST (v1).

    :param dataset_ids: Ids of the datasets, or one id (templated).
    :param project_id: Id of the project (templated). With an API key it may be left out.
    :return: Ids of the datasets that were not attached before.
    """

    def _execute(self, context: Context) -> list[str]:
        """Attach what is not attached."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        attached = project.attach_datasets(self.wanted())
        self.log.info("Attached %d datasets to project %s; the others were attached.", len(attached), project.id)
        extra = {"project_id": project.id, "attached": len(attached), "dataset_ids": attached[:_NAMED_IN_EVENTS]}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return attached


class EncordDetachDatasetsOperator(_ChangeDatasetsOperator):
    """Detach datasets from a project. The rows of their data units, and so their labels, leave the project.

    A template that renders to nothing is refused; an empty list is allowed, and changes nothing. Safe to repeat: what
    is not attached is left alone, and a lost answer is looked up. If none of the datasets is attached, the task
    succeeds with a warning, because an earlier attempt may have detached them. Encord API: ``projectdataset`` DELETE
    (v1).

    :param dataset_ids: Ids of the datasets, or one id (templated).
    :param project_id: Id of the project (templated). With an API key it may be left out.
    :return: Ids of the datasets that were attached before.
    """

    def _execute(self, context: Context) -> list[str]:
        """Detach what is attached."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        wanted = self.wanted()
        detached = project.detach_datasets(wanted)
        self.log.info("Detached %d datasets from project %s; the others were not attached.", len(detached), project.id)
        if wanted and not detached:
            self.log.warning(
                "None of the %d datasets is attached to project %s, such as %s. If no earlier attempt detached them, "
                "check the ids.",
                len(wanted),
                project.id,
                wanted[0],
            )
        extra = {"project_id": project.id, "detached": len(detached), "dataset_ids": detached[:_NAMED_IN_EVENTS]}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return detached


class EncordAddProjectUsersOperator(AddUsersOperator):
    """Add users to a project.

    Safe to repeat: who is there already keeps the old role, and is named. Works with an SSH key and with an API key of
    the project. Encord API: ``projectusers`` POST (v1).

    :param project_id: Id of the project (templated). With an API key it may be left out.
    :param user_emails: Their addresses, or one address (templated).
    :param role: ``"admin"``, ``"annotator"``, ``"reviewer"``, ``"annotator_reviewer"``, ``"team_manager"`` or
        ``"viewer"`` (templated).
    :return: ``{"users", "role_unchanged"}``: how many of them are in the project now, and the addresses of those who
        already had another role, which they keep.
    :raises AirflowFailException: An address or the role is wrong, or Encord refuses.
    """

    template_fields: Sequence[str] = ("project_id", *AddUsersOperator.template_fields)

    def __init__(self, *, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Add who is not there."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        result = self.add_to(project)
        extra = {"project_id": project.id, **result}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return result


class EncordCopyProjectOperator(EncordBaseOperator):
    """Copy a project: its ontology and settings, and on request its datasets, labels and users.

    Safe to repeat with the default `if_exists`: the project of this title is found again, also when the answer to the
    copy was lost or the worker died. Of several that tasks created at the same time (within ten minutes) the oldest is
    taken, with a warning. Projects cannot be deleted by API. Needs an SSH key. Encord API: ``projectcopy`` POST (v1).

    :param project_id: Id of the project to copy (templated).
    :param title: Title of the copy (templated).
    :param description: Its description (templated).
    :param copy_datasets: Attach the same datasets (templated). Default: False.
    :param copy_labels: Let the labels go along (templated). Default: False.
    :param copy_collaborators: Give its users the same roles (templated). Default: False.
    :param if_exists: What to do if its title is taken (templated): ``"reuse"`` (default) takes the one project of
        exactly this title that the connection can see, and fails if there are several; ``"fail"`` fails if there is
        one; ``"new"`` makes another copy at every try.
    :return: Id of the copy.
    :raises AirflowFailException: The title is taken (see `if_exists`), or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or its answer was lost; a retry looks first.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "title",
        "description",
        "copy_datasets",
        "copy_labels",
        "copy_collaborators",
        "if_exists",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        project_id: str,
        title: str,
        description: str | None = None,
        copy_datasets: bool | str = False,
        copy_labels: bool | str = False,
        copy_collaborators: bool | str = False,
        if_exists: str = "reuse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.title = title
        self.description = description
        self.copy_datasets = copy_datasets
        self.copy_labels = copy_labels
        self.copy_collaborators = copy_collaborators
        self.if_exists = if_exists
        check_literals(
            copy_datasets=(copy_datasets, parse_bool),
            copy_labels=(copy_labels, parse_bool),
            copy_collaborators=(copy_collaborators, parse_bool),
            if_exists=(if_exists, one_of(*IF_EXISTS)),
        )

    def _execute(self, context: Context) -> str:
        """Copy the project, or find the copy."""
        from airflow_provider_encord.client.api.project_copy import CopiedLabels
        from airflow_provider_encord.client.resources.projects import copy_project_once

        project = self.client.project(blank_to_none(self.project_id))
        created = self.client.run(
            copy_project_once(
                project.id,
                parse_text(self.title, "title") or "",
                description=parse_text(self.description, "description"),
                attach_datasets=parse_bool(self.copy_datasets, "copy_datasets"),
                labels=CopiedLabels() if parse_bool(self.copy_labels, "copy_labels") else None,
                collaborators=parse_bool(self.copy_collaborators, "copy_collaborators"),
                if_exists=self.if_exists,
            )
        )
        self.push_link(context, project_url, created.id)
        self.log.info("%s %s, %r.", "Copied to project" if created.created else "Reuse project", created.id, self.title)
        extra = {"project_id": created.id, "created": int(created.created), "copied_project_id": project.id}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, created.id), extra)
        return created.id


class EncordSetProjectStatusOperator(EncordBaseOperator):
    """Set the status of a project.

    Safe to repeat: a project that has the status already is left alone. Needs an SSH key. Encord API:
    ``projects/{id}/status`` (v2).

    :param project_id: Id of the project (templated).
    :param status: ``"notStarted"``, ``"inProgress"``, ``"inReview"``, ``"paused"``, ``"completed"``, ``"cancelled"`` or
        ``"archived"`` (templated).
    :return: ``{"project_id", "status", "previous_status"}``.
    :raises AirflowFailException: There is no such status or project, or Encord refuses.
    """

    template_fields: Sequence[str] = ("project_id", "status", "encord_conn_id")

    def __init__(self, *, project_id: str, status: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.status = status
        check_literals(
            status=(status, one_of(*PROJECT_STATUSES)),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Set it, if it is another."""
        parse_choice(self.status, "status", PROJECT_STATUSES)
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        previous = project.status()
        if previous != self.status:
            project.set_status(self.status)
        self.log.info("The status of project %s is %s; it was %s.", project.id, self.status, previous)
        result = {"project_id": project.id, "status": self.status, "previous_status": previous}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), result)
        return result
