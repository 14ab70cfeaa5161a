"""Rows of the table: stages, tasks, label reviews, issues."""

from __future__ import annotations

from ..requests import listing
from ..requests.operations import Operation
from ..workflow import issues, reviews, task_actions, tasks
from .rows import CHANGES, READS, v2

_STAGE = "projects/{project}/workflow/stages/{stage}"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "workflow.tasks.list", f"GET {_STAGE}/tasks", tasks.list_page, tasks.TaskListing),
    v2(CHANGES, "workflow.task.act", f"POST {_STAGE}/actions", task_actions.act, body=list[task_actions.Action]),
    v2(CHANGES, "workflow.task.move", f"POST {_STAGE}/move-tasks", task_actions.move, body=task_actions.MoveBody),
    v2(READS, "workflow.task.label_reviews.list", f"GET {_STAGE}/tasks/{{task}}/reviews", reviews.list_page,
        listing.PageQuery),
    v2(CHANGES, "workflow.task.label_review.act", f"POST {_STAGE}/tasks/{{task}}/reviews/actions", reviews.act,
        body=list[reviews.ReviewAction]),
    v2(READS, "workflow.task.issues.list", "GET projects/{project}/issues", issues.list_page, issues.IssueListing),
    v2(CHANGES, "workflow.task.issues.add", "POST projects/{project}/issues", issues.add, body=issues.NewIssues),
    v2(CHANGES, "workflow.task.issues.delete", "POST projects/{project}/issues/delete", issues.delete,
        body=issues.Deletion),
)
# fmt: on
