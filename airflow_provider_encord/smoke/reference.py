"""The fields of Encord's responses, as listed in the protocol reference (section 7).

The records of the client have only the fields that the client uses; these shapes have all fields.
"""

from __future__ import annotations

import dataclasses

from airflow_provider_encord.smoke.shapes import Shape, by_id, shape


def _page(results: Shape) -> Shape:
    return shape("results nextPageToken?", results=results)


_STAGE = shape("stageType uuid title pathways?", pathways=shape("uuid title destinationUuid"))
_PROJECT = shape(
    "projectHash projectType status title description createdAt lastEditedAt creatorEmail ontologyHash editorOntology "
    "userRole? sourceProjects? workflowManagerUuid? workflow?",
    workflow=shape("stages", stages=_STAGE),
)
_PROJECT_V1 = shape(
    "project_hash title description created_at last_edited_at editor_ontology ontology_hash datasets label_rows "
    "source_projects workflow_manager_uuid",
    datasets=shape("dataset_hash title description dataset_type"),
)
_ONTOLOGY = shape(
    "ontologyUuid title description editor createdAt lastEditedAt userRole",
    editor=shape("objects classifications skeleton_templates? skeletonTemplates?"),
)
_DATASET_IN_LISTING = shape(
    "datasetUuid title description createdAt lastEditedAt userRole storageLocation? backingFolderUuid?"
)
_IMAGE_OF_GROUP = shape(
    "image_hash title file_link file_type file_size storage_location created_at last_edited_at height width signed_url?"
)
_DATA_ROW = shape(
    "data_hash data_title data_type created_at last_edited_at width height file_link file_size file_type "
    "storage_location frames_per_second duration client_metadata? signed_url? is_optimised_image_group? "
    "backing_item_uuid? images_data?",
    images_data=_IMAGE_OF_GROUP,
)
_LABEL_ROW_METADATA = shape(
    "label_hash created_at last_edited_at branch_name data_hash dataset_hash dataset_title data_title data_type "
    "data_link label_status annotation_task_status number_of_frames spaces workflow_graph_node? is_shadow_data? "
    "duration? frames_per_second? height? width? audio_sample_rate? audio_codec? audio_bit_depth? "
    "audio_num_channels? group_hash? task_uuid? priority? client_metadata? images_data? file_type? is_valid? "
    "backing_item_uuid? assigned_user_email? last_actioned_by_user_email?",
    workflow_graph_node=shape("uuid title"),
)
_LABEL_ROW = shape(
    "label_hash branch_name created_at last_edited_at dataset_hash dataset_title data_title data_hash data_type "
    "label_status annotation_task_status object_answers classification_answers object_actions data_units is_valid? "
    "spaces? scene?",
    data_units=by_id(
        shape(
            "data_hash data_title data_link data_type data_sequence width height labels data_fps? data_duration?",
        )
    ),
)
_LISTED_PROJECT_V1 = shape(
    "user_role project", project=shape("project_hash title description created_at last_edited_at")
)
_BRANCH = shape("name")
_USER_OF_ORGANISATION = shape("email roleMnemonicName roleUuid memberType createdAt lastEditedAt")
_TAG = shape("uuid name")
_GROUP = shape("groupHash name description createdAt")
_GROUP_OF_RESOURCE = shape("groupHash name description createdAt isSameOrganisation userRole")
_MEMBER = shape("userEmail userRole")
_METADATA_TYPE = shape("ty hint? format? maxLength? timezone? values? size? api? deletedTy?")
_FOLDER = shape(
    "uuid parent name description clientMetadata owner createdAt lastEditedAt userRole syncedDatasetHash pathToRoot "
    "folderType? integrationHash? remoteUrl?",
    pathToRoot=shape("uuid parentUuid name syncedDatasetHash"),
)
_FOLDER_SUMMARY = shape(
    "files folders videos images imageGroups imageSequences dicomFiles dicomSeries niftis audios pdfs plainTexts "
    "tombstones uploadJobs totalSize"
)
_ITEM = shape(
    "uuid parent itemType name description? clientMetadata owner createdAt lastEditedAt isTombstone? isPlaceholder? "
    "backedDataUnitsCount storageLocation integrationHash url signedUrl fileSize mimeType duration fps height width "
    "dicomInstanceUid dicomStudyUid dicomSeriesUid frameCount audioSampleRate audioBitDepth audioCodec "
    "audioNumChannels timeseriesSettings? clientMetadataSignedUrl?"
)
_ITEM_OR_ID = dataclasses.replace(_ITEM, required=frozenset({"uuid"}), optional=_ITEM.required | _ITEM.optional)
_ITEM_SUMMARY = shape(
    "frameInGroups accessibleGroupItems usedInDatasets accessibleDatasets groupLayout?",
    accessibleGroupItems=shape("uuid name parentUuid parentName itemType"),
    accessibleDatasets=shape("datasetHash backingFolderUuid title dataHashes dataUnitsCreatedAt"),
)
_VALIDATION_STATE = shape("labelHash branchName version isValid errors")
_CLASSIFICATIONS = shape(
    "labels",
    labels=shape("labelUuid dataUuid dataTitle? branchName classificationAnswers exportUuid? exportedAt?"),
)
_TASK = shape(
    "uuid createdAt updatedAt dataHash dataTitle status? labelBranchName? assignee? lastActionedBy? subtasks? options?",
    options=shape("annotator labelBranchName labelHash"),
)
_LABEL_REVIEW = shape("reviewUuid status labelType labelId")
_ISSUE = shape(
    "type uuid dataUuid comments tags resolutionHistory spaceId? frameIndex? coordinate? frameRanges? annotationId?",
    comments=shape("content authorEmail createdAt"),
    tags=shape("name uuid"),
    resolutionHistory=shape("isResolved createdAt actorEmail"),
)
_LABEL_LOG = shape(
    "log_hash user_hash user_email data_hash action created_at identifier feature_hash label_name time_taken frame "
    "annotation_hash?"
)
_EDITOR_LOG = shape(
    "id action actionCategory dataUnitId workflowStageId branchName workflowTaskId timestamp sessionId actorUserId "
    "actorOrganisationId actorUserEmail projectId projectOrganisationId projectUserRole projectOrganisationUserRole "
    "dataUnitTitle dataUnitDataType dataUnitDatasetId dataUnitDatasetTitle ontologyId labelId workflowStageType "
    "workflowStageTitle labelName? featureId? labelRanges? objectShape? objectCurrentFrame? objectHash? objectId? "
    "classificationHash?"
)
_TIME_SPENT = shape(
    "periodStartTime periodEndTime timeSpentSeconds userEmail projectUserRole dataUuid dataTitle datasetUuid "
    "datasetTitle workflowTaskUuid? workflowStage?",
    workflowStage=shape("stageType uuid title"),
)
_TASK_ACTION = shape("timestamp actionType projectUuid workflowStageUuid taskUuid dataUnitUuid actorEmail")
_TIMER = shape("userEmail userRole dataTitle? timeSeconds")
_COLLECTION = shape("uuid topLevelFolderUuid name description createdAt? lastEditedAt?")
_PRESET = shape("uuid name description createdAt? lastUpdatedAt?")
_PROJECT_COLLECTION = shape("collectionUuid name description createdAt? lastEditedAt? projectUuid collectionType")
_COLLECTED = shape(
    "labelRowMetadata instances",
    labelRowMetadata=shape(
        "labelUuid? dataUuid groupUuid? datasetUuid branchName datasetTitle dataTitle dataType dataLink? labelStatus "
        "annotationTaskStatus? workflowGraphNode? isShadowData? framesPerSecond numberOfFrames duration height width "
        "audioSampleRate audioCodec audioBitDepth audioNumChannels taskUuid? priority? clientMetadata? imagesData? "
        "fileType? isValid? backingItemUuid? assignedUserEmail? lastActionedByUserEmail? createdAt? lastEditedAt?",
        workflowGraphNode=shape("uuid title"),
    ),
    instances=shape("frame annotationId?"),
)
_PROJECT_PRESET = shape("presetUuid name createdAt? updatedAt?")
_MODEL_GROUP = shape("createdAt description features model modelUuid title type")
_MODEL_ITERATION = shape("batchSize createdAt duration epochs lossLog trainingUuid")
_MODEL = shape("modelGroup modelIterations", modelGroup=_MODEL_GROUP, modelIterations=_MODEL_ITERATION)
_MODEL_ATTACHMENT = shape(
    "modelGroup projectModel projectModelIterations",
    modelGroup=_MODEL_GROUP,
    projectModel=shape("createdAt iterationPolicy modelUuid projectModelUuid projectUuid featuresMapping"),
    projectModelIterations=_MODEL_ITERATION,
)

SHAPES: dict[tuple[str, str], Shape] = {
    ("api_key.lookup", "v1"): shape("title resource_type"),
    ("api_key.project.list", "v1"): shape("api_key title scopes"),
    ("api_key.dataset.list", "v1"): shape("resource_hash api_key title key_hash scopes"),
    ("user.get_bearer_token", "v2"): shape("token"),
    ("cloud_integrations.list", "v2"): shape("result", result=shape("integrationUuid title")),
    ("cloud_integrations.list", "v1"): shape("id title"),
    ("projects.list", "v2"): _page(_PROJECT),
    ("project.get", "v2"): _PROJECT,
    ("project.get", "v1"): _PROJECT_V1,
    ("project.list_datasets", "v2"): _page(shape("datasetHash title description")),
    ("project.list_datasets", "v1"): _PROJECT_V1,
    ("datasets.list", "v2"): shape("result", result=_DATASET_IN_LISTING),
    ("dataset.get", "v1"): shape("dataset_hash title description dataset_type backing_folder_uuid? data_rows?"),
    ("dataset.list_data_rows", "v1"): _DATA_ROW,
    ("ontology.list", "v2"): _page(_ONTOLOGY),
    ("ontology.get", "v2"): _ONTOLOGY,
    ("label_rows.list", "v1"): _LABEL_ROW_METADATA,
    ("label_rows.get", "v1"): _LABEL_ROW,
    ("projects.list", "v1"): _LISTED_PROJECT_V1,
    ("project.get_ontology", "v2"): _PROJECT,
    ("project.get_ontology", "v1"): _PROJECT_V1,
    ("project.list_branches", "v2"): _page(_BRANCH),
    ("project.list_users", "v2"): _page(_MEMBER),
    ("project.list_groups", "v2"): _page(_GROUP_OF_RESOURCE),
    ("project.get_organisation_tags", "v2"): _page(_TAG),
    ("project.get_issue_tags", "v2"): _page(_TAG),
    ("project.get_data", "v1"): shape("data_hash video images"),
    ("dataset.data_row.get", "v1"): _DATA_ROW,
    ("dataset.list_users", "v2"): _page(shape("datasetUuid userEmail userRole")),
    ("dataset.list_groups", "v2"): _page(_GROUP_OF_RESOURCE),
    ("ontology.list_groups", "v2"): _page(_GROUP_OF_RESOURCE),
    ("organisation.list_users", "v2"): _page(_USER_OF_ORGANISATION),
    ("organisation_tags.list", "v2"): _page(_TAG),
    ("groups.list", "v2"): _page(_GROUP),
    ("groups.get", "v2"): _GROUP,
    ("groups.list_users", "v2"): _page(shape("userEmail")),
    ("ml_models.list", "v2"): _page(_MODEL),
    ("ml_models.get", "v2"): _MODEL,
    ("ml_models.training_data", "v2"): _page(
        shape("dataUuid datasetTitle datasetUuid fileTitle itemType labelUuid projectTitle projectUuid")
    ),
    ("project.models.list", "v2"): _page(_MODEL_ATTACHMENT),
    ("scene.get", "v2"): shape(
        "type streams? url? signedUrl? format? defaultGroundHeight? worldConvention? cameraConvention? viewSettings? "
        "layout?"
    ),
    ("metadata_schema.get", "v2"): by_id(_METADATA_TYPE),
    ("metadata_schema.get_first_form", "v2"): shape("uuid metadataSchema organisationId createdAt updatedAt"),
    ("storage.folders.list", "v2"): _page(_FOLDER),
    ("storage.folders.search", "v2"): _page(_FOLDER),
    ("storage.folder.get", "v2"): _FOLDER,
    ("storage.folder.subfolders", "v2"): _page(_FOLDER),
    ("storage.folder.summary", "v2"): _FOLDER_SUMMARY,
    ("storage.folder.list_groups", "v2"): _page(_GROUP_OF_RESOURCE),
    ("storage.folder.config.get", "v2"): shape("metadataIngestion", metadataIngestion=shape("matcher paused")),
    ("storage.folder.items", "v2"): _page(_ITEM),
    ("storage.items.search", "v2"): _page(_ITEM),
    ("storage.item.get", "v2"): _ITEM,
    ("storage.items.get_bulk", "v2"): _page(_ITEM),
    ("storage.item.summary", "v2"): _ITEM_SUMMARY,
    ("storage.item.children", "v2"): _page(_ITEM),
    ("collections.list", "v2"): _page(_COLLECTION),
    ("collections.get", "v2"): _page(_COLLECTION),
    ("collections.items.list", "v2"): _page(_ITEM),
    ("collections.items.list_all", "v2"): _page(_ITEM_OR_ID),
    ("presets.list", "v2"): _page(_PRESET),
    ("presets.get", "v2"): _page(_PRESET),
    ("presets.definition", "v2"): shape("localFilters globalFilters"),
    ("project.collections.list", "v2"): _page(_PROJECT_COLLECTION),
    ("project.collections.get", "v2"): _page(_PROJECT_COLLECTION),
    ("project.collections.frames", "v2"): _page(_COLLECTED),
    ("project.collections.labels", "v2"): _page(_COLLECTED),
    ("project.presets.list", "v2"): _page(_PROJECT_PRESET),
    ("project.presets.get", "v2"): _page(_PROJECT_PRESET),
    ("project.presets.definition", "v2"): shape("localFilters globalFilters"),
    ("label_rows.validation_state", "v2"): _VALIDATION_STATE,
    ("label_rows.classifications", "v2"): _CLASSIFICATIONS,
    ("workflow.tasks.list", "v2"): _page(_TASK),
    ("workflow.task.label_reviews.list", "v2"): _page(_LABEL_REVIEW),
    ("workflow.task.issues.list", "v2"): _page(_ISSUE),
    ("label_logs.list", "v1"): _LABEL_LOG,
    ("editor_logs.list", "v2"): _page(_EDITOR_LOG),
    ("analytics.time_spent", "v2"): _page(_TIME_SPENT),
    ("analytics.task_actions", "v2"): _page(_TASK_ACTION),
    ("analytics.collaborator_timers", "v2"): _page(_TIMER),
}
"""Shapes by operation and API version. For a list, the shape describes each element."""

PARTLY_IN_SNAKE_CASE = frozenset({"metadata_schema.get", "presets.definition"})
"""Operations of v2 whose answers are in ``snake_case``, or have users' keys (protocol, sections 7.13 and 7.15)."""
