"""Two annotators label the same data on branches of their own; a reviewer sends it back once, then takes it."""

from account import arguments, attempt, show, sign_in
from encord.utilities.project_user import ProjectUserRole
from encord.workflow import ConsensusAnnotationStage, ConsensusReviewStage

options = arguments("project", "ann", "bob")
user = sign_in(options)
project = user.get_project(options.project)
project.add_users([options.ann, options.bob], ProjectUserRole.ANNOTATOR_REVIEWER)
annotate = project.workflow.get_stage(name="Annotate", type_=ConsensusAnnotationStage)
review = project.workflow.get_stage(name="Review", type_=ConsensusReviewStage)

task = next(iter(annotate.get_tasks()))
data = str(task.data_hash)


def subtasks():
    found = next(iter(annotate.get_tasks(data_hash=data)))
    return found.subtasks


branches = [subtask.label_branch_name for subtask in task.subtasks]
first, second = task.subtasks
first.assign(options.ann)
same_annotator = attempt(lambda: second.assign(options.ann))
second.assign(options.bob)
of_ann = [one.data_title for one in annotate.get_tasks(assignee=options.ann)]
(row,) = project.list_label_rows_v2(data_hashes=[data], branch_name=branches[0])
row.initialise_labels()
first.submit()
after_first = [[one.status.value, one.assignee] for one in subtasks()]
twice = attempt(first.submit)
in_review_too_early = len(list(review.get_tasks()))
second.submit()

(at_review,) = review.get_tasks()
offered = [
    [
        option.annotator,
        option.label_branch_name,
        str(option.label_hash) == row.label_hash if option.label_hash else None,
    ]
    for option in at_review.options
]
at_review.assign(options.bob)
at_review.reject()
reopened = [one.status.value for one in subtasks()]
for one in subtasks():
    one.submit()
(at_review,) = review.get_tasks()
at_review.assign(options.ann)
(at_review,) = review.get_tasks(assignee=options.ann)
before = project.list_label_rows_v2(data_hashes=[data])[0].label_hash
at_review.approve()
main = project.list_label_rows_v2(data_hashes=[data])[0].label_hash

other = next(iter(annotate.get_tasks()))
other.move(destination_stage_uuid=project.workflow.get_stage(name="Complete").uuid)

show(
    {
        "branches": branches,
        "same_annotator": same_annotator,
        "of_ann": of_ann,
        "after_first": after_first,
        "twice": twice,
        "in_review_too_early": in_review_too_early,
        "offered": offered,
        "same_uuid": str(at_review.uuid) == str(task.uuid),
        "reopened": reopened,
        "before": before,
        "main_is_a_row_of_its_own": main not in (None, row.label_hash),
        "done": sorted(one.data_title for one in project.workflow.get_stage(name="Complete").get_tasks()),
        "left": len(list(annotate.get_tasks())),
    }
)
