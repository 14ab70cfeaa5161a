"""The public client for Encord's HTTP API, which does not need Airflow.

::

    from airflow_provider_encord.client import EncordClient, SshKey

This package exports the clients, credentials and errors, the handles on projects, datasets and other resources, the
records that they return, and the filters that they take. A name is loaded when it is first used, so importing this
package is fast. The modules below it are internal and may change in any version.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.analytics import (
        CollaboratorTimer,
        EditorLog,
        LabelLog,
        StageOfTask,
        TaskAction,
        TimeSpent,
    )
    from airflow_provider_encord.client.api.core.data_items import (
        AUDIO,
        DICOM,
        IMAGE,
        NIFTI,
        PDF,
        SCENE,
        TEXT,
        TIME_SERIES,
        VIDEO,
        DicomSeries,
        ImageGroup,
        ImageGroupFromItems,
        Kind,
        Part,
        Scene,
        UploadedFile,
    )
    from airflow_provider_encord.client.api.core.listing import Filter
    from airflow_provider_encord.client.api.curation.collections import AddedTitles, CollectionRecord, ItemOfCollection
    from airflow_provider_encord.client.api.data_rows import EditedDataRow, ReEncodedVideo, ReEncoding
    from airflow_provider_encord.client.api.datasets import DataRow, DatasetRecord, ImageInGroup
    from airflow_provider_encord.client.api.groups import GroupRecord, GroupUser
    from airflow_provider_encord.client.api.keys import ApiKeyRecord
    from airflow_provider_encord.client.api.label_actions import DataLinks, RowClassifications, ValidationState
    from airflow_provider_encord.client.api.labels import (
        GroupImage,
        LabelRow,
        LabelRowFilter,
        LabelRowMetadata,
        StageName,
    )
    from airflow_provider_encord.client.api.members import Member, MemberGroup
    from airflow_provider_encord.client.api.ontologies import OntologyRecord
    from airflow_provider_encord.client.api.organisation import CloudIntegration, OrganisationUser, Tag
    from airflow_provider_encord.client.api.project_copy import ClonedDataset, CopiedLabels
    from airflow_provider_encord.client.api.projects import (
        Pathway,
        ProjectDataset,
        ProjectOntology,
        ProjectRecord,
        Stage,
        Workflow,
    )
    from airflow_provider_encord.client.api.storage_folders import (
        FolderFilter,
        FolderSummary,
        FolderSync,
        PathPart,
        StorageFolderRecord,
    )
    from airflow_provider_encord.client.api.storage_items import (
        DatasetOfItem,
        GroupItem,
        ItemFilter,
        ItemSummary,
        RemovedItems,
        StorageItemRecord,
    )
    from airflow_provider_encord.client.api.uploads import RegisteredFile, UnitError, UploadJob
    from airflow_provider_encord.client.api.workflow import Option, Subtask, Task, TaskFilter
    from airflow_provider_encord.client.api.workflow_issues import (
        Coordinate,
        FrameRange,
        Issue,
        IssueComment,
        IssueResolution,
        IssueTag,
        NewIssue,
        OnAnnotation,
        OnDataUnit,
        OnFrame,
        OnPoint,
        OnScenePoint,
    )
    from airflow_provider_encord.client.api.workflow_reviews import LabelReview
    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.client.call import Call, Download, Downloaded, Flow, Resource
    from airflow_provider_encord.client.client import EncordClient
    from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
    from airflow_provider_encord.client.errors import (
        AuthenticationError,
        ConflictError,
        CredentialError,
        EncordError,
        InvalidArgumentError,
        InvalidRequestError,
        NotFoundError,
        OutcomeUnknownError,
        PartialFailureError,
        PayloadTooLargeError,
        PermissionDeniedError,
        RateLimitedError,
        RefusedError,
        SignedUrlRefusedError,
        TransientError,
        UnavailableError,
        UnexpectedResponseError,
        UnsupportedByCredentialError,
    )
    from airflow_provider_encord.client.flows.creation import Created
    from airflow_provider_encord.client.flows.metadata_schema import SavedSchema
    from airflow_provider_encord.client.flows.outcomes import BulkOutcome
    from airflow_provider_encord.client.flows.uploads import LocalFile, Uploaded
    from airflow_provider_encord.client.flows.workflow_actions import TasksOutcome
    from airflow_provider_encord.client.resources.activity import Activity
    from airflow_provider_encord.client.resources.collections import Collection
    from airflow_provider_encord.client.resources.datasets import Dataset
    from airflow_provider_encord.client.resources.label_rows import LabelRows
    from airflow_provider_encord.client.resources.ontologies import Ontology
    from airflow_provider_encord.client.resources.organisation import Group, Organisation
    from airflow_provider_encord.client.resources.project_tags import ProjectTags
    from airflow_provider_encord.client.resources.projects import Project
    from airflow_provider_encord.client.resources.storage import StorageFolder, StorageItem
    from airflow_provider_encord.client.resources.workflow import WorkflowStage
    from airflow_provider_encord.client.resources.workflow_issues import DataUnitIssues
    from airflow_provider_encord.client.resources.workflow_reviews import TaskReviews
    from airflow_provider_encord.client.structure import complete_structure
    from airflow_provider_encord.client.transport.settings import Settings

__all__ = [
    "AUDIO",
    "DICOM",
    "IMAGE",
    "NIFTI",
    "PDF",
    "SCENE",
    "TEXT",
    "TIME_SERIES",
    "VIDEO",
    "Activity",
    "AddedTitles",
    "ApiKey",
    "ApiKeyRecord",
    "AsyncEncordClient",
    "AuthenticationError",
    "BulkOutcome",
    "Call",
    "ClonedDataset",
    "CloudIntegration",
    "CollaboratorTimer",
    "Collection",
    "CollectionRecord",
    "ConflictError",
    "Coordinate",
    "CopiedLabels",
    "Created",
    "Credential",
    "CredentialError",
    "DataLinks",
    "DataRow",
    "DataUnitIssues",
    "Dataset",
    "DatasetOfItem",
    "DatasetRecord",
    "DicomSeries",
    "Download",
    "Downloaded",
    "EditedDataRow",
    "EditorLog",
    "EncordClient",
    "EncordError",
    "Filter",
    "Flow",
    "FolderFilter",
    "FolderSummary",
    "FolderSync",
    "FrameRange",
    "Group",
    "GroupImage",
    "GroupItem",
    "GroupRecord",
    "GroupUser",
    "ImageGroup",
    "ImageGroupFromItems",
    "ImageInGroup",
    "InvalidArgumentError",
    "InvalidRequestError",
    "Issue",
    "IssueComment",
    "IssueResolution",
    "IssueTag",
    "ItemFilter",
    "ItemOfCollection",
    "ItemSummary",
    "Kind",
    "LabelLog",
    "LabelReview",
    "LabelRow",
    "LabelRowFilter",
    "LabelRowMetadata",
    "LabelRows",
    "LocalFile",
    "Member",
    "MemberGroup",
    "NewIssue",
    "NotFoundError",
    "OnAnnotation",
    "OnDataUnit",
    "OnFrame",
    "OnPoint",
    "OnScenePoint",
    "Ontology",
    "OntologyRecord",
    "Option",
    "Organisation",
    "OrganisationUser",
    "OutcomeUnknownError",
    "Part",
    "PartialFailureError",
    "PathPart",
    "Pathway",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Project",
    "ProjectDataset",
    "ProjectOntology",
    "ProjectRecord",
    "ProjectTags",
    "RateLimitedError",
    "ReEncodedVideo",
    "ReEncoding",
    "RefusedError",
    "RegisteredFile",
    "RemovedItems",
    "Resource",
    "RowClassifications",
    "SavedSchema",
    "Scene",
    "Settings",
    "SignedUrlRefusedError",
    "SshKey",
    "Stage",
    "StageName",
    "StageOfTask",
    "StorageFolder",
    "StorageFolderRecord",
    "StorageItem",
    "StorageItemRecord",
    "Subtask",
    "Tag",
    "Task",
    "TaskAction",
    "TaskFilter",
    "TaskReviews",
    "TasksOutcome",
    "TimeSpent",
    "TransientError",
    "UnavailableError",
    "UnexpectedResponseError",
    "UnitError",
    "UnsupportedByCredentialError",
    "UploadJob",
    "Uploaded",
    "UploadedFile",
    "ValidationState",
    "Workflow",
    "WorkflowStage",
    "complete_structure",
]

_MODULES = {
    "api.analytics": "CollaboratorTimer EditorLog LabelLog StageOfTask TaskAction TimeSpent",
    "api.curation.collections": "AddedTitles CollectionRecord ItemOfCollection",
    "api.core.data_items": (
        "AUDIO DICOM IMAGE NIFTI PDF SCENE TEXT TIME_SERIES VIDEO DicomSeries ImageGroup "
        "ImageGroupFromItems Kind Part Scene UploadedFile"
    ),
    "api.data_rows": "EditedDataRow ReEncodedVideo ReEncoding",
    "api.datasets": "DataRow DatasetRecord ImageInGroup",
    "api.groups": "GroupRecord GroupUser",
    "api.keys": "ApiKeyRecord",
    "api.label_actions": "DataLinks RowClassifications ValidationState",
    "api.labels": "GroupImage LabelRow LabelRowFilter LabelRowMetadata StageName",
    "api.core.listing": "Filter",
    "api.members": "Member MemberGroup",
    "api.ontologies": "OntologyRecord",
    "api.organisation": "CloudIntegration OrganisationUser Tag",
    "api.project_copy": "ClonedDataset CopiedLabels",
    "api.projects": "Pathway ProjectDataset ProjectOntology ProjectRecord Stage Workflow",
    "api.storage_folders": "FolderFilter FolderSummary FolderSync PathPart StorageFolderRecord",
    "api.storage_items": "DatasetOfItem GroupItem ItemFilter ItemSummary RemovedItems StorageItemRecord",
    "api.uploads": "RegisteredFile UnitError UploadJob",
    "api.workflow": "Option Subtask Task TaskFilter",
    "api.workflow_issues": (
        "Coordinate FrameRange Issue IssueComment IssueResolution IssueTag NewIssue OnAnnotation "
        "OnDataUnit OnFrame OnPoint OnScenePoint"
    ),
    "api.workflow_reviews": "LabelReview",
    "async_client": "AsyncEncordClient",
    "call": "Call Download Downloaded Flow Resource",
    "client": "EncordClient",
    "credentials": "ApiKey Credential SshKey",
    "errors": (
        "AuthenticationError ConflictError CredentialError EncordError InvalidArgumentError "
        "InvalidRequestError NotFoundError OutcomeUnknownError PartialFailureError PayloadTooLargeError "
        "PermissionDeniedError RateLimitedError RefusedError SignedUrlRefusedError TransientError UnavailableError "
        "UnexpectedResponseError UnsupportedByCredentialError"
    ),
    "resources.activity": "Activity",
    "flows.creation": "Created",
    "resources.collections": "Collection",
    "resources.datasets": "Dataset",
    "resources.label_rows": "LabelRows",
    "resources.ontologies": "Ontology",
    "resources.organisation": "Group Organisation",
    "flows.metadata_schema": "SavedSchema",
    "flows.outcomes": "BulkOutcome",
    "resources.project_tags": "ProjectTags",
    "resources.projects": "Project",
    "resources.storage": "StorageFolder StorageItem",
    "flows.uploads": "LocalFile Uploaded",
    "resources.workflow": "WorkflowStage",
    "flows.workflow_actions": "TasksOutcome",
    "resources.workflow_issues": "DataUnitIssues",
    "resources.workflow_reviews": "TaskReviews",
    "structure": "complete_structure",
    "transport.settings": "Settings",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
