"""What the operators import that select tasks for other tasks."""

from airflow_provider_encord.task_actions.partition import partition_tasks
from airflow_provider_encord.task_actions.sampling import SampleSpec, sample_tasks
from airflow_provider_encord.task_actions.selected import TaskQuery

__all__ = ["SampleSpec", "TaskQuery", "partition_tasks", "sample_tasks"]
