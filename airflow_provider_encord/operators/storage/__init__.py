"""Operators on files, cloud objects and storage folders. One module each; users import them from here."""

from airflow_provider_encord.operators.storage.create_folder import EncordCreateFolderOperator
from airflow_provider_encord.operators.storage.metadata import EncordUpdateMetadataOperator
from airflow_provider_encord.operators.storage.metadata_schema import EncordSetMetadataSchemaOperator
from airflow_provider_encord.operators.storage.partition_objects import EncordPartitionObjectsOperator
from airflow_provider_encord.operators.storage.registration import EncordRegisterCloudDataOperator
from airflow_provider_encord.operators.storage.sync import EncordSyncFolderOperator
from airflow_provider_encord.operators.storage.upload import EncordUploadFilesOperator

__all__ = [
    "EncordCreateFolderOperator",
    "EncordPartitionObjectsOperator",
    "EncordRegisterCloudDataOperator",
    "EncordSetMetadataSchemaOperator",
    "EncordSyncFolderOperator",
    "EncordUpdateMetadataOperator",
    "EncordUploadFilesOperator",
]
