"""An agent as the vendor's runner works: tasks in batches, their label rows in one bundle, proceeding in another."""

from datetime import UTC, datetime, timedelta

from account import arguments, show, sign_in
from encord.objects.coordinates import BoundingBoxCoordinates

options = arguments("project")
user = sign_in(options)
project = user.get_project(options.project)
stage = project.workflow.get_stage(name="Pre-label")
car = next(one for one in project.ontology_structure.objects if one.name == "Car")
ways = {way.name: way.uuid for way in stage.pathways}

tasks = list(stage.get_tasks())
rows = {str(row.data_hash): row for row in project.list_label_rows_v2(data_hashes=[task.data_hash for task in tasks])}
with project.create_bundle() as bundle:
    for row in rows.values():
        row.initialise_labels(bundle=bundle)

with project.create_bundle() as save, project.create_bundle() as proceed:
    for task in sorted(tasks, key=lambda one: one.data_title):
        row = rows[str(task.data_hash)]
        even = int(task.data_title[6:12]) % 2 == 0
        if even:
            box = car.create_instance()
            box.set_for_frames(BoundingBoxCoordinates(height=0.2, width=0.2, top_left_x=0.1, top_left_y=0.1), frames=0)
            row.add_object_instance(box)
            row.save(bundle=save)
            row.set_priority(0.75, bundle=save)
            task.proceed(pathway_uuid=str(ways["labelled"]), bundle=proceed)
        else:
            task.proceed(pathway_name="empty", bundle=proceed)

labelled = {}
for task in project.workflow.get_stage(name="Annotate").get_tasks():
    (row,) = project.list_label_rows_v2(data_hashes=[task.data_hash])
    row.initialise_labels()
    labelled[task.data_title] = [len(row.get_object_instances()), row.priority]

titles = {str(one.uuid): one.title for one in project.workflow.stages}
since = datetime.now(UTC) - timedelta(hours=1)
actions = [
    [action.action_type.value, action.actor_email, titles[str(action.workflow_stage_uuid)]]
    for action in project.get_task_actions(after=since)
]
show(
    {
        "worked_on": len(tasks),
        "labelled": labelled,
        "empty": sorted(task.data_title for task in project.workflow.get_stage(name="Complete").get_tasks()),
        "left": len(list(stage.get_tasks())),
        "actions": actions,
    }
)
