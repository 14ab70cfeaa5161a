"""What the function of ``@task.encord_agent`` can ask for with its annotations, and what it returns.

::

    from airflow_provider_encord.agents import AgentResult, LabelRowJson, Task

A name is loaded when it is first used, so importing this package is fast. Its modules are internal and may change in
any version.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_encord.agents.editable import EditableLabels
    from airflow_provider_encord.agents.kinds import AgentResult, LabelRowJson, LocalAsset, SignedUrl
    from airflow_provider_encord.client.api.projects import ProjectRecord
    from airflow_provider_encord.client.api.storage_items import StorageItemRecord
    from airflow_provider_encord.client.api.workflow import Task
    from airflow_provider_encord.media.frames import Frame, Frames

_PLACES = {
    "AgentResult": "agents.kinds",
    "EditableLabels": "agents.editable",
    "Frame": "media.frames",
    "Frames": "media.frames",
    "LabelRowJson": "agents.kinds",
    "LocalAsset": "agents.kinds",
    "ProjectRecord": "client.api.projects",
    "SignedUrl": "agents.kinds",
    "StorageItemRecord": "client.api.storage_items",
    "Task": "client.api.workflow",
}

__all__ = [
    "AgentResult",
    "EditableLabels",
    "Frame",
    "Frames",
    "LabelRowJson",
    "LocalAsset",
    "ProjectRecord",
    "SignedUrl",
    "StorageItemRecord",
    "Task",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"airflow_provider_encord.{_PLACES[name]}"), name)
