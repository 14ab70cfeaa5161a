"""The configuration of a folder that is synced with a bucket: whether files are taken as metadata of their neighbours.

Saving replaces the whole configuration, so parts that this client does not know are kept and sent back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

_INGESTION = ("metadataIngestion", "metadata_ingestion")


class SuffixMatcher(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which files are metadata: those whose names end with a suffix.

    :param suffix: 1 to 128 characters.
    """

    mode: str = "suffix"
    suffix: str = ".metadata.json"


class MetadataIngestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How files in the bucket become client metadata of the files beside them.

    :param paused: Take the files out of the listing, but do not attach them.
    """

    matcher: SuffixMatcher = SuffixMatcher()
    paused: bool = False


class FolderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of a folder.

    :param metadata_ingestion: None if no file is taken as metadata.
    :param other: All other parts, as Encord sent them, without those that are null.
    """

    metadata_ingestion: MetadataIngestion | None = None
    other: dict[str, Any] = {}


class _Ingestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    metadata_ingestion: MetadataIngestion | None = None


_KNOWN = v2_reader(_Ingestion)
_EVERYTHING = v2_reader(dict[str, Any])


def _read(answer: bytes) -> FolderConfig:
    other = {name: value for name, value in _EVERYTHING(answer).items() if name not in _INGESTION and value is not None}
    return FolderConfig(metadata_ingestion=_KNOWN(answer).metadata_ingestion, other=other)


@operation("storage.folder.config.get", "v2")
def get_folder_config(folder: str) -> Call[FolderConfig]:
    """Read the configuration of a folder."""
    return Call(request=Request("GET", f"storage/folders/{folder}/folder-config"), read=_read)


@operation("storage.folder.config.set", "v2")
def set_folder_config(folder: str, config: FolderConfig) -> Call[None]:
    """Replace the configuration of a folder. Only administrators of the folder may."""
    body = {"metadataIngestion": msgspec.to_builtins(config.metadata_ingestion), **config.other}
    request = Request("POST", f"storage/folders/{folder}/folder-config", json=body)
    return Call(request=request, changes=True, read=ignored)
