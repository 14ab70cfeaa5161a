"""Encord Active, the explorer of a project: starting an import and a sync. Encord does not report when they end."""

from __future__ import annotations

from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

IMPORT_MODES = ("data", "label", "metric", "advanced")


@operation("project.active.import", "v2")
def start_active_import(project: str, mode: str, *, video_sampling_rate: float | None = None) -> Call[None]:
    """Start importing a project into Active.

    :param mode: One of `IMPORT_MODES`: what to import, from the data alone to everything.
    :param video_sampling_rate: Share of the frames of videos to import.
    """
    wanted = {"projectMode": mode, "videoSamplingRate": video_sampling_rate}
    body = {key: value for key, value in wanted.items() if value is not None}
    request = Request("POST", f"active/{project}/import", json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("project.active.sync", "v2")
def start_active_sync(project: str) -> Call[None]:
    """Start syncing a project that was imported into Active."""
    return Call(request=Request("POST", f"active/{project}/sync"), changes=True, repeatable=False, read=ignored)
