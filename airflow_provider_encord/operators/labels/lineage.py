"""The asset event and the OpenLineage facets of an export. Its input is the labels of a project, its output files."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import MAIN_BRANCH, labels_uri

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.exports.manifest import Manifest
    from airflow_provider_encord.operators.base import EncordBaseOperator
    from airflow_provider_encord.storage_paths import StoragePath


def lineage_of(exported: tuple[str, Manifest, ObjectStoragePath] | None) -> Any:
    """Return an ``OperatorLineage``. Input: the asset of the labels. Output: the directory, with its counts.

    :param exported: Base URL of the API, the manifest, and the directory of the export. Paths of object stores never
        contain signed URLs. None if the task has exported nothing: then the lineage is empty.
    :return: None if Airflow's OpenLineage provider is not installed.
    """
    try:
        from airflow.providers.common.compat.openlineage.facet import (
            Dataset,
            OutputDataset,
            OutputStatisticsOutputDatasetFacet,
        )
        from airflow.providers.openlineage.extractors import OperatorLineage
    except ImportError:
        return None
    if exported is None:
        return OperatorLineage()

    api, manifest, directory = exported
    labels = urllib.parse.urlsplit(labels_uri(api, manifest.project_id, manifest.branch or MAIN_BRANCH))
    namespace, name = _place(str(directory))
    counts = OutputStatisticsOutputDatasetFacet(
        rowCount=manifest.counts.exported, size=manifest.bytes, fileCount=len(manifest.shards)
    )
    return OperatorLineage(
        inputs=[Dataset(namespace=f"{labels.scheme}://{labels.netloc}", name=labels.path.lstrip("/"))],
        outputs=[OutputDataset(namespace=namespace, name=name, outputFacets={"outputStatistics": counts})],
    )


def _place(directory: str) -> tuple[str, str]:
    """Namespace and name of a directory. As in Airflow's paths, ``#`` and ``?`` are parts of the name."""
    scheme, separator, rest = directory.partition("://")
    if not separator:
        return "file", directory
    authority, _, path = rest.partition("/")
    if scheme in ("file", "local"):
        return "file", f"/{path}"
    store = authority.rpartition("@")[2]  # without the id of the Airflow connection
    return f"{scheme}://{store}", path


def counts_of(manifest: Manifest, directory: StoragePath) -> dict[str, Any]:
    """The counts of an export and the URI of its manifest, for XCom and asset events."""
    from airflow_provider_encord.exports.manifest import MANIFEST

    return {
        "manifest": str(directory / MANIFEST),
        "rows": manifest.counts.exported,
        "without_labels": manifest.counts.without_labels,
        "shards": len(manifest.shards),
        "bytes": manifest.bytes,
        "unchanged": manifest.counts.unchanged,
        "removed": manifest.counts.removed,
        "not_found": manifest.counts.not_found,
        "failed": manifest.counts.failed,
    }


def record_labels(operator: EncordBaseOperator, context: Context, manifest: Manifest, directory: StoragePath) -> None:
    """Add the counts of an export to the asset event of the labels.

    If an incremental export found no change, an asset alias gets no event. For an outlet that is the asset itself,
    Airflow always creates an event; its counts show that nothing changed.
    """

    uri = labels_uri(manifest.host, manifest.project_id, manifest.branch or MAIN_BRANCH)
    result = {"project_id": manifest.project_id, **counts_of(manifest, directory)}
    changed = manifest.previous is None or manifest.counts.exported + manifest.counts.removed > 0
    operator.record_asset_event(
        context,
        uri,
        {**result, "watermark": manifest.watermark, "logical_date": manifest.logical_date},
        changed=changed,
    )
