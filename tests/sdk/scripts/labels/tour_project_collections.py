"""Collections of frames and of labels in a project, its filter presets, and the two commands of Active."""

from account import arguments, attempt, show, sign_in
from encord.collection import (
    ProjectCollectionType,
    ProjectDataCollectionItemRequest,
    ProjectLabelCollectionItemRequest,
)
from encord.orm.active import ActiveProjectMode
from encord.orm.filter_preset import ActiveFilterPresetDefinition

options = arguments("project")
project = sign_in(options).get_project(options.project)
rows = [row for row in project.list_label_rows_v2() if row.label_hash]
for row in rows:
    row.initialise_labels()
labelled = next(row for row in rows if row.get_object_instances())
thing = labelled.get_object_instances()[0]
frame = thing.get_annotations()[0].frame

frames = project.create_collection("Frames", "d")
labels = project.create_collection("Labels", collection_type=ProjectCollectionType.LABEL)
labels.update_collection(name="Hard labels")
added = frames.add_items([ProjectDataCollectionItemRequest(data_uuid=row.data_hash, frame=0) for row in rows])
beyond = frames.add_items([ProjectDataCollectionItemRequest(data_uuid=rows[0].data_hash, frame=1000)])
wanted = ProjectLabelCollectionItemRequest(data_uuid=labelled.data_hash, frame=frame, annotation_id=thing.object_hash)
unknown = ProjectLabelCollectionItemRequest(data_uuid=labelled.data_hash, frame=frame, annotation_id="nothing")
added_labels = labels.add_items([wanted, unknown])

listed_frames = [
    [str(row.data_hash), [one.frame for one in instances]] for row, instances in frames.list_frames(page_size=1)
]
listed_labels = [
    [str(row.label_hash), [one.annotation_id for one in instances]] for row, instances in labels.list_annotations()
]
removed = labels.remove_items([wanted, unknown])
after = list(labels.list_annotations())

everything = project.create_filter_preset("All", ActiveFilterPresetDefinition())
area = {"localFilters": {}, "globalFilters": {"filters": [{"key": "area"}]}}
narrow = project.create_filter_preset("Small", ActiveFilterPresetDefinition.from_dict(area))
labels.add_preset_items(everything.uuid)
with_preset = sum(len(instances) for _, instances in labels.list_annotations())
labels.remove_preset_items(everything.uuid)
without_preset = list(labels.list_annotations())
everything.update_preset(name="Everything")
definition = project.get_filter_preset(narrow.uuid).get_filter_preset_json().to_dict()
project.delete_filter_preset(narrow.uuid)
presets = [one.name for one in project.list_filter_presets(page_size=1)]

collections = [[one.name, one.collection_type.value] for one in project.list_collections(page_size=1)]
project.delete_collection(frames.uuid)
project.active_import(ActiveProjectMode.ADVANCED, video_sampling_rate=0.5)
project.active_sync()

corner = {"h": 0.5, "w": 0.25, "y": 0.2}
key_frames = {
    frame: {"objects": [{"objectHash": "x", "featureHash": "aabb0001", "boundingBox": {**corner, "x": x}}]}
    for frame, x in (("0", 0.0), ("4", 0.4))
}
between = project.object_interpolation(key_frames, ["x"])["frames"]

show(
    {
        "between": {frame: round(found["objects"][0]["boundingBox"]["x"], 6) for frame, found in between.items()},
        "rows": [str(row.data_hash) for row in rows],
        "failed_frames": [len(added.failed_items), [one.frame for one in beyond.failed_items]],
        "failed_labels": [one.annotation_id for one in added_labels.failed_items],
        "listed_frames": listed_frames,
        "listed_labels": listed_labels,
        "wanted": [str(labelled.label_hash), thing.object_hash],
        "failed_to_remove": [one.annotation_id for one in removed.failed_items],
        "after": len(after),
        "with_preset": with_preset,
        "without_preset": len(without_preset),
        "definition": [definition, area],
        "presets": presets,
        "collections": collections,
        "deleted": attempt(lambda: project.get_collection(frames.uuid)),
    }
)
