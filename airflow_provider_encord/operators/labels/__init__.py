"""Operators on label rows. One module each; users import them from here."""

from airflow_provider_encord.operators.labels.export import EncordExportLabelsOperator
from airflow_provider_encord.operators.labels.export_partition import EncordExportLabelsPartitionOperator
from airflow_provider_encord.operators.labels.import_labels import EncordImportLabelsOperator
from airflow_provider_encord.operators.labels.partition import EncordPartitionLabelsOperator
from airflow_provider_encord.operators.labels.snapshot import EncordSnapshotLabelsOperator
from airflow_provider_encord.operators.labels.verify import EncordVerifyExportOperator

__all__ = [
    "EncordExportLabelsOperator",
    "EncordExportLabelsPartitionOperator",
    "EncordImportLabelsOperator",
    "EncordPartitionLabelsOperator",
    "EncordSnapshotLabelsOperator",
    "EncordVerifyExportOperator",
]
