"""A reviewer judges each label, comments on data, and the annotator mends it."""

from uuid import uuid4

from account import arguments, attempt, show, sign_in
from encord.issues.issue_client import IssueFrameRange

options = arguments("project")
user = sign_in(options)
project = user.get_project(options.project)
annotate, review = project.workflow.get_stage(name="Annotate"), project.workflow.get_stage(name="Review")


def states(task):
    return {review.label_id: [review.status.value, review.label_type] for review in task.get_label_reviews()}


task = next(iter(review.get_tasks()))
at_first = states(task)
(row,) = project.list_label_rows_v2(data_hashes=[str(task.data_hash)])
row.initialise_labels()
labels = [instance.object_hash for instance in row.get_object_instances()]
labels += [one.classification_hash for one in row.get_classification_instances()]

judged = list(task.get_label_reviews())
judged[0].approve()
judged[1].reject(comment="too loose", issue_tags=["geometry"])
judged[2].reject()
judged[2].reopen()
one_by_one = [one.status.value for one in task.get_label_reviews()]
task.reject()
of_annotator = next(iter(annotate.get_tasks(data_hash=task.data_hash)))
about_label = [
    [type(one).__name__, one.annotation_id, [tag.name for tag in one.tags], one.comments[0].content]
    for one in of_annotator.issues.list()
]
of_annotator.submit()
again = next(iter(review.get_tasks(data_hash=task.data_hash)))
mended = [one.status.value for one in again.get_label_reviews()]
resolved = [[entry.is_resolved for entry in one.resolution_history] for one in again.issues.list()]

issues = again.issues
issues.add_file_issue("blurry", ["quality", "light"])
issues.add_frame_issue(0, "dark", [])
issues.add_coordinate_issue(0, 0.25, 0.75, "here", ["geometry"])
issues.add_scene_coordinate_issue(0, 1.0, 2.0, 3.0, "there", [])
issues.add_annotation_issue(labels[0], "wrong colour", [], frame_ranges=[IssueFrameRange(start=0, end=3)])
listed = list(issues.list())
summary = [[type(one).__name__, one.comments[0].content, sorted(tag.name for tag in one.tags)] for one in listed]
coordinate = [listed[3].coordinate.x, listed[3].coordinate.y]
ranges = [[one.start, one.end] for one in listed[5].frame_ranges]
author = listed[1].comments[0].author_email
with_a_stranger = attempt(lambda: issues.delete([listed[1], uuid4()]))
still = len(list(issues.list()))
issues.delete([listed[1], listed[2].uuid])
left = len(list(issues.list()))
again.approve()

show(
    {
        "at_first": at_first,
        "labels": labels,
        "one_by_one": one_by_one,
        "about_label": about_label,
        "rejected_label": judged[1].label_id,
        "mended": mended,
        "resolved": resolved,
        "summary": summary,
        "coordinate": coordinate,
        "ranges": ranges,
        "author": author,
        "with_a_stranger": with_a_stranger,
        "still": still,
        "left": left,
        "issue_tags": sorted(one.name for one in project.get_issue_tags()),
        "done": [one.data_title for one in project.workflow.get_stage(name="Complete").get_tasks()],
    }
)
