"""Tasks as SDK 0.1.145 knows them: tasks are not handed on, and nothing moves but along the workflow."""

from account import arguments, show, sign_in
from encord.utilities.project_user import ProjectUserRole

options = arguments("project", "annotator")
user = sign_in(options)
project = user.get_project(options.project)
project.add_users([options.annotator], ProjectUserRole.ANNOTATOR)
annotate, review = project.workflow.get_stage(name="Annotate"), project.workflow.get_stage(name="Review")
agent = project.workflow.get_stage(name="Agent")

tasks = list(annotate.get_tasks())
tasks[0].assign(options.annotator)
(first,) = annotate.get_tasks(assignee=options.annotator)
first.release()
released = next(iter(annotate.get_tasks(data_hash=first.data_hash))).status
with project.create_bundle() as bundle:
    for task in tasks[:3]:
        task.submit(bundle=bundle)
at_review = list(review.get_tasks())
judged = list(at_review[0].get_label_reviews())
judged[0].approve()
judged[1].reject()
reviews = [one.status.value for one in at_review[0].get_label_reviews()]
at_review[1].approve()
at_review[2].reject()
(at_agent,) = agent.get_tasks()
at_agent.proceed(pathway_name="to archive")

show(
    {
        "tasks": len(tasks),
        "assigned": [first.status.value, first.assignee],
        "released": released.value,
        "reviews": reviews,
        "reopened": next(iter(annotate.get_tasks(data_hash=at_review[2].data_hash))).status.value,
        "stages": {stage.title: len(list(stage.get_tasks())) for stage in project.workflow.stages},
    }
)
