"""What people and agents do with the tasks of a project that has a stage of every type but consensus."""

from account import arguments, attempt, show, sign_in
from encord.orm.workflow import WorkflowStageType
from encord.utilities.project_user import ProjectUserRole
from encord.workflow import AgentStage, AnnotationStage, FinalStage, ReviewStage
from encord.workflow.stages.annotation import AnnotationTaskStatus
from encord.workflow.stages.review import ReviewTaskStatus

options = arguments("project", "annotator", "reviewer")
user = sign_in(options)
project = user.get_project(options.project)
project.add_users([options.annotator], ProjectUserRole.ANNOTATOR)
project.add_users([options.reviewer], ProjectUserRole.REVIEWER)
workflow = project.workflow
annotate = workflow.get_stage(name="Annotate", type_=AnnotationStage)
review = workflow.get_stage(name="Review", type_=ReviewStage)
agent = workflow.get_stage(name="Agent", type_=AgentStage)
done = workflow.get_stage(name="Complete", type_=FinalStage)
archive = workflow.get_stage(name="Archive", type_=FinalStage)


def titles(stage, **filters):
    return [task.data_title for task in stage.get_tasks(**filters)]


def counts():
    return {stage.title: len(list(stage.get_tasks())) for stage in workflow.stages}


def row(task):
    """What the metadata of the label row says of a task."""
    (found,) = project.list_label_rows_v2(data_hashes=[str(task.data_hash)])
    return [
        found.workflow_graph_node.title,
        str(found.task_uuid) == str(task.uuid),
        found.assigned_user_email,
        found.last_actioned_by_user_email,
    ]


stages = {stage.title: [str(stage.stage_type.value), type(stage).__name__] for stage in workflow.stages}
by_uuid = workflow.get_stage(uuid=review.uuid).title
first = list(annotate.get_tasks())
shown = first[0]
before = [shown.status.value, shown.label_branch_name, shown.assignee, row(shown)]

with project.create_bundle() as bundle:
    for task in first[:3]:
        task.assign(options.annotator, bundle=bundle)
assigned = titles(annotate, assignee=options.annotator)
filtered = {
    "status": titles(annotate, status=AnnotationTaskStatus.ASSIGNED),
    "statuses": len(titles(annotate, status=[AnnotationTaskStatus.NEW, AnnotationTaskStatus.RELEASED])),
    "title": titles(annotate, data_title="000004"),
    "data": titles(annotate, data_hash=[first[1].data_hash, first[5].data_hash]),
    "nothing": titles(annotate, assignee="stranger@example.com"),
}
while_assigned = row(first[0])
first[2].release()
released = [task.status.value for task in annotate.get_tasks(data_hash=first[2].data_hash)]

nobody_to_retain = attempt(lambda: first[5].submit(retain_assignee=True))
with project.create_bundle() as bundle:
    first[0].submit(retain_assignee=True, bundle=bundle)
    first[1].submit(assignee=options.reviewer, bundle=bundle)
    first[2].submit(bundle=bundle)
submitted = {task.data_title: [task.status.value, task.assignee] for task in review.get_tasks()}
by_reviewer = titles(review, status=ReviewTaskStatus.ASSIGNED, assignee=options.reviewer)


def submit_one_that_left():
    with project.create_bundle() as bundle:
        first[3].submit(bundle=bundle)
        first[0].submit(bundle=bundle)


stale = attempt(submit_one_that_left)
nothing_done = len(titles(annotate))

reviews = list(review.get_tasks())
reviews[0].approve()
approved = row(reviews[0])
reviews[1].reject()
rejected = {task.data_title: task.status.value for task in annotate.get_tasks(data_hash=reviews[1].data_hash)}
reviews[2].assign(options.reviewer)
reviews[2].release()
reviews[2].reject(assignee=options.annotator)
sent_back = {
    task.data_title: [task.status.value, task.assignee] for task in annotate.get_tasks(data_hash=reviews[2].data_hash)
}

todo = list(agent.get_tasks())
pathways = [
    [way.name, str(way.destination_uuid) == str(stage.uuid)]
    for way, stage in zip(agent.pathways, [review, archive], strict=True)
]
agent_task = [todo[0].status.value, todo[0].label_branch_name, todo[0].assignee, todo[0].last_actioned_by]
with project.create_bundle() as bundle:
    for task in todo:
        task.move(destination_stage_uuid=annotate.uuid, bundle=bundle)
list(annotate.get_tasks())[-1].move(destination_stage_uuid=agent.uuid)
list(annotate.get_tasks())[-1].move(destination_stage_uuid=agent.uuid)
by_name, by_id = list(agent.get_tasks())
wrong_way = attempt(lambda: by_name.proceed(pathway_name="nowhere"))
by_name.proceed(pathway_name="to review")
by_id.proceed(pathway_uuid=agent.pathways[1].uuid)
went = [row(by_name)[0], row(by_id)[0]]

out_of_archive = next(iter(archive.get_tasks()))
out_of_archive.move(destination_stage_uuid=done.uuid)
in_same_stage = attempt(lambda: out_of_archive.move(destination_stage_uuid=done.uuid))
finals = titles(done)

(of_row,) = project.list_label_rows_v2(data_hashes=[str(out_of_archive.data_hash)])
of_row.initialise_labels()
of_row.workflow_reopen()
reopened = [[task.data_title, task.status.value] for task in annotate.get_tasks(data_hash=out_of_archive.data_hash)]
of_row.workflow_complete()
completed = row(out_of_archive)

show(
    {
        "stages": stages,
        "by_uuid": by_uuid,
        "before": before,
        "assigned": assigned,
        "filtered": filtered,
        "while_assigned": while_assigned,
        "released": released,
        "nobody_to_retain": nobody_to_retain,
        "submitted": submitted,
        "by_reviewer": by_reviewer,
        "stale": stale,
        "nothing_done": nothing_done,
        "approved": approved,
        "rejected": rejected,
        "sent_back": sent_back,
        "pathways": pathways,
        "agent_task": agent_task,
        "wrong_way": wrong_way,
        "went": went,
        "in_same_stage": in_same_stage,
        "finals": finals,
        "reopened": reopened,
        "completed": completed,
        "counts": counts(),
        "types": [WorkflowStageType.AGENT.value],
    }
)
