"""Operators on label rows. One module each; users import them from here."""

from airflow_provider_encord.operators.labels.export import EncordExportLabelsOperator
from airflow_provider_encord.operators.labels.partition import EncordPartitionLabelsOperator

__all__ = ["EncordExportLabelsOperator", "EncordPartitionLabelsOperator"]
