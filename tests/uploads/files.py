"""Files to plan with: names and sizes, without anything on a disk."""

from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.uploads import IMAGE, Kind
from airflow_provider_encord.sources.files import SourceFile


def a_file(title: str = "a.png", size: int = 10, *, folder: str = "in", kind: Kind = IMAGE) -> SourceFile:
    """A file of that name and size; `folder` distinguishes those that have both in common."""
    return SourceFile(
        path=None, uri=f"s3://{folder}/{title}", title=title, size=size, kind=kind, media_type=f"{kind.upload_type}/x"
    )


def a_row(title: str = "a.png", size: int | None = 10, *, data_hash: str = "", data_type: str = "IMAGE") -> DataRow:
    """A data row of that title and size."""
    data_hash = data_hash or f"hash of {title} {size}"
    return DataRow(
        data_hash=data_hash,
        data_title=title,
        data_type=data_type,
        file_size=size,
        backing_item_uuid=f"item {data_hash}",
    )
