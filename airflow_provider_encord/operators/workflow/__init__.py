"""Operators on workflow tasks. Users import them from here."""

from airflow_provider_encord.operators.workflow.assigning import (
    EncordAssignTasksOperator,
    EncordReleaseTasksOperator,
    EncordSetPriorityOperator,
)
from airflow_provider_encord.operators.workflow.finishing import (
    EncordProceedTasksOperator,
    EncordReviewTasksOperator,
    EncordSubmitTasksOperator,
)
from airflow_provider_encord.operators.workflow.issues import EncordAddIssuesOperator
from airflow_provider_encord.operators.workflow.moving import EncordMoveTasksOperator, EncordReopenTasksOperator
from airflow_provider_encord.operators.workflow.revert import EncordRevertTasksOperator
from airflow_provider_encord.operators.workflow.selecting import (
    EncordPartitionTasksOperator,
    EncordSampleTasksOperator,
)

__all__ = [
    "EncordAddIssuesOperator",
    "EncordAssignTasksOperator",
    "EncordMoveTasksOperator",
    "EncordPartitionTasksOperator",
    "EncordProceedTasksOperator",
    "EncordReleaseTasksOperator",
    "EncordReopenTasksOperator",
    "EncordRevertTasksOperator",
    "EncordReviewTasksOperator",
    "EncordSampleTasksOperator",
    "EncordSetPriorityOperator",
    "EncordSubmitTasksOperator",
]
