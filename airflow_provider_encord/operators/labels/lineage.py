"""What OpenLineage is told of an export: labels of a project in, files out."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_encord.export.manifest import Manifest


def lineage_of(api: str, manifest: Manifest, directory: ObjectStoragePath) -> Any:
    """An ``OperatorLineage``: the asset of the labels as the input, the directory with its counts as the output.

    :param api: Base URL of the API.
    :param directory: Of the export. Never a signed URL: paths of object stores have none.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_encord.assets import labels_uri
    from airflow_provider_encord.client.api.labels import MAIN_BRANCH

    labels = urllib.parse.urlsplit(labels_uri(api, manifest.project.id, manifest.branch or MAIN_BRANCH))
    files = urllib.parse.urlsplit(str(directory))
    store = files.netloc.rpartition("@")[2]  # without the id of the connection, which is Airflow's
    counts = OutputStatisticsOutputDatasetFacet(
        rowCount=manifest.counts.exported, size=manifest.bytes, fileCount=len(manifest.shards)
    )
    return OperatorLineage(
        inputs=[Dataset(namespace=f"{labels.scheme}://{labels.netloc}", name=labels.path.lstrip("/"))],
        outputs=[
            OutputDataset(
                namespace=f"{files.scheme}://{store}" if store else files.scheme or "file",
                name=files.path if files.scheme in ("", "file") else files.path.lstrip("/"),
                outputFacets={"outputStatistics": counts},
            )
        ],
    )
