"""The fields of answers as the protocol reference lists them (sections 7.1 to 7.8), for comparison with what comes.

It repeats what the records of the client know, and lists more: records name only what is read.
"""

from __future__ import annotations

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
}
"""By the names of the registry. A sequence stands for each of its members."""
