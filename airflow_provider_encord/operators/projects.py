"""Operators on projects: create, copy, get and list projects, and change their datasets, users and status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import project_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
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

_NAMED_IN_EVENTS = 100  # ids; the XCom has all


class EncordCreateProjectOperator(EncordBaseOperator):
    """Create a project, unless one with its title exists.

    Safe to retry with the default `if_exists`: a retry finds the project by its title, even if Encord's response was
    lost or the worker died. If several tasks created a project with this title at the same time (within ten minutes),
    the oldest is used and a warning is logged. An existing project is not changed: attach further datasets with
    `EncordAttachDatasetsOperator`. Encord's API cannot delete projects. Needs an SSH key. Encord API: ``project`` POST
    (v1).

    :param title: Title (templated).
    :param description: Description (templated).
    :param dataset_ids: Ids of the datasets to attach, or one id (templated).
    :param ontology_id: Id of the ontology (templated). Default: Encord creates an empty ontology.
    :param workflow_template_id: Id of a workflow template that was created in Encord's web app (templated). Default:
        Encord's default workflow.
    :param if_exists: What to do if a project with this title exists (templated). ``"reuse"`` (default) returns the
        project with exactly this title that the connection can see, and fails if there are several. ``"fail"`` fails
        the task, also on a retry after an attempt that created the project. ``"new"`` creates another project at every
        attempt.
    :return: Id of the project.
    :raises AirflowFailException: A project with this title exists (see `if_exists`), or Encord rejects the arguments.
    :raises AirflowException: Encord could not be reached, or its response was lost. A retry looks for the project.
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

    Only reads. With an API key, Encord returns fewer fields: status, type, workflow and creator are None.

    :param project_id: Id of the project (templated). Optional with an API key; default: the project of the key.
    :return: The project as a dictionary: ``project_id``, ``title``, ``description``, ``ontology_id``, ``status``,
        ``workflow`` with its stages, and so on.
    :raises AirflowFailException: The project does not exist, or the connection has no access to it.
    """

    template_fields: Sequence[str] = ("project_id", "encord_conn_id")

    def __init__(self, *, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Read the project."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        return as_dictionary(self.remember_project(project.get()))


class EncordListProjectsOperator(ListingOperator):
    """List the projects that the user of the connection can see.

    Only reads. Needs an SSH key. A project must match all filters; without filters, all projects are listed. The list
    is stored in XCom, so use filters to keep it small. If exactly one project is found, "Open in Encord" opens it;
    otherwise there is no link.

    :param title: Only projects with exactly this title (templated).
    :param title_like: Only projects whose title matches this SQL LIKE pattern, such as ``"Street %"`` (templated).
    :param created_after: Only projects created after this time, a string or `datetime` (templated).
    :param created_before: Only projects created before this time (templated).
    :param edited_after: Only projects last edited after this time (templated).
    :param edited_before: Only projects last edited before this time (templated).
    :param tags: Only projects with at least one of these organisation tags, by name (templated).
    :param include_organisation: Also list the other projects of the organisation; only for its admins (templated).
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
    """Base of the operators that attach or detach datasets."""

    template_fields: Sequence[str] = ("project_id", "dataset_ids", "encord_conn_id")

    def __init__(self, *, dataset_ids: Sequence[str] | str, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.dataset_ids = dataset_ids

    def wanted(self) -> list[str]:
        """Return the ids of the datasets.

        An empty list is allowed: it may be the result of an upstream task that found no datasets.

        :raises InvalidArgumentError: A template rendered to an empty string, or an element is not an id.
        """

        if blank_to_none(self.dataset_ids) in (None, "None"):
            raise InvalidArgumentError("dataset_ids: it is empty (check the rendered template); nothing was changed.")
        wanted = require_ids(parse_list(self.dataset_ids, "dataset_ids"), "dataset_ids")
        if not wanted:
            self.log.warning("dataset_ids is an empty list; project %s is not changed.", self.project_id)
        return wanted


class EncordAttachDatasetsOperator(_ChangeDatasetsOperator):
    """Attach datasets to a project. Encord then creates a label row and a task in the first stage for each data unit.

    If the template of `dataset_ids` renders to an empty string, the task fails. An empty list is allowed and changes
    nothing. Safe to repeat: datasets that are already attached are skipped. If Encord's response is lost, the task
    reads the project to find out what was attached. Encord API: ``projectdataset`` POST (v1).

    :param dataset_ids: Ids of the datasets, or one id (templated).
    :param project_id: Id of the project (templated). Optional with an API key.
    :return: Ids of the datasets that this task attached.
    """

    def _execute(self, context: Context) -> list[str]:
        """Attach the datasets that are not attached yet."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        attached = project.attach_datasets(self.wanted())
        self.log.info(
            "Attached %d datasets to project %s; the others were already attached.", len(attached), project.id
        )
        extra = {"project_id": project.id, "attached": len(attached), "dataset_ids": attached[:_NAMED_IN_EVENTS]}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return attached


class EncordDetachDatasetsOperator(_ChangeDatasetsOperator):
    """Detach datasets from a project. This removes the label rows of their data units, with all labels.

    If the template of `dataset_ids` renders to an empty string, the task fails. An empty list is allowed and changes
    nothing. Safe to repeat: datasets that are not attached are skipped. If Encord's response is lost, the task reads
    the project to find out what was detached. If none of the datasets is attached, the task succeeds with a warning,
    because an earlier attempt may have detached them. Encord API: ``projectdataset`` DELETE (v1).

    :param dataset_ids: Ids of the datasets, or one id (templated).
    :param project_id: Id of the project (templated). Optional with an API key.
    :return: Ids of the datasets that this task detached.
    """

    def _execute(self, context: Context) -> list[str]:
        """Detach the datasets that are attached."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        wanted = self.wanted()
        detached = project.detach_datasets(wanted)
        self.log.info("Detached %d datasets from project %s; the others were not attached.", len(detached), project.id)
        if wanted and not detached:
            self.log.warning(
                "None of the %d datasets (such as %s) is attached to project %s. If no earlier attempt detached them, "
                "check the ids.",
                len(wanted),
                wanted[0],
                project.id,
            )
        extra = {"project_id": project.id, "detached": len(detached), "dataset_ids": detached[:_NAMED_IN_EVENTS]}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return detached


class EncordAddProjectUsersOperator(AddUsersOperator):
    """Add users to a project.

    Safe to repeat: users who are already in the project keep their role; a warning lists those with another role.
    Works with an SSH key, or with an API key of the project. Encord API: ``projectusers`` POST (v1).

    :param project_id: Id of the project (templated). Optional with an API key.
    :param user_emails: Email addresses of the users, or one address (templated).
    :param role: ``"admin"``, ``"annotator"``, ``"reviewer"``, ``"annotator_reviewer"``, ``"team_manager"`` or
        ``"viewer"`` (templated).
    :return: ``{"users", "role_unchanged"}``: how many of these users are in the project now, and the addresses of
        those who keep another role.
    :raises AirflowFailException: An address or the role is invalid, or Encord rejects the request.
    """

    template_fields: Sequence[str] = ("project_id", *AddUsersOperator.template_fields)

    def __init__(self, *, project_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Add the users who are not in the project."""
        project = self.client.project(blank_to_none(self.project_id))
        self.push_link(context, project_url, project.id)
        result = self.add_to(project)
        extra = {"project_id": project.id, **result}
        self.record_asset_event(context, project_uri(self.client.settings.base_url, project.id), extra)
        return result


class EncordCopyProjectOperator(EncordBaseOperator):
    """Copy a project: its ontology and settings, and optionally its datasets, labels and users.

    Safe to retry with the default `if_exists`: a retry finds the copy by its title, even if Encord's response was lost
    or the worker died. If several tasks created a project with this title at the same time (within ten minutes), the
    oldest is used and a warning is logged. Encord's API cannot delete projects. Needs an SSH key. Encord API:
    ``projectcopy`` POST (v1).

    :param project_id: Id of the project to copy (templated).
    :param title: Title of the copy (templated).
    :param description: Its description (templated).
    :param copy_datasets: Attach the datasets of the original to the copy (templated). Default: False.
    :param copy_labels: Copy the labels (templated). Default: False.
    :param copy_collaborators: Add the users of the original to the copy, with the same roles (templated). Default:
        False.
    :param if_exists: What to do if a project with this title exists (templated). ``"reuse"`` (default) returns the
        project with exactly this title that the connection can see, and fails if there are several. ``"fail"`` fails
        the task, also on a retry after an attempt that created the copy. ``"new"`` creates another copy at every
        attempt.
    :return: Id of the copy.
    :raises AirflowFailException: A project with this title exists (see `if_exists`), or Encord rejects the arguments.
    :raises AirflowException: Encord could not be reached, or its response was lost. A retry first looks for the copy.
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
        from airflow_provider_encord.client.flows.projects import copy_project_once

        project = self.client.project(blank_to_none(self.project_id))
        created = self.client.run(
            copy_project_once(
                project.id,
                parse_text(self.title, "title") or "",
                description=parse_text(self.description, "description"),
                attach_datasets=parse_bool(self.copy_datasets, "copy_datasets"),
                copy_labels=parse_bool(self.copy_labels, "copy_labels"),
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

    Safe to repeat: if the project already has the status, nothing is sent. Needs an SSH key. Encord API:
    ``projects/{id}/status`` (v2).

    :param project_id: Id of the project (templated).
    :param status: ``"notStarted"``, ``"inProgress"``, ``"inReview"``, ``"paused"``, ``"completed"``, ``"cancelled"`` or
        ``"archived"`` (templated).
    :return: ``{"project_id", "status", "previous_status"}``.
    :raises AirflowFailException: The status is invalid, the project does not exist, or Encord rejects the change.
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
        """Set the status, unless the project already has it."""
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
