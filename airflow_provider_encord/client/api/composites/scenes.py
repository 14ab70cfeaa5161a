"""Scenes: point clouds, camera images and their geometry, as one storage item. Signed URLs are secrets."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request


class SceneRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A scene.

    :param type: ``composite``, of several streams, or ``self_contained``, a single file.
    :param streams: The streams by id, in Encord's format. Their events contain signed URLs.
    :param url: The file of a self-contained scene. `signed_url` and `format` belong to it.
    """

    type: str
    streams: dict[str, Any] = {}
    url: str | None = None
    signed_url: str | None = None
    format: str | None = None
    default_ground_height: float | None = None
    world_convention: dict[str, Any] | None = None
    camera_convention: dict[str, Any] | None = None
    view_settings: dict[str, Any] | None = None
    layout: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"SceneRecord({self.type!r}, streams={sorted(self.streams)!r})"


_SCENE = v2_reader(SceneRecord)


@operation("scene.get", "v2")
def get_scene(item: str) -> Call[SceneRecord]:
    """Read a scene, with a signed URL for each of its files.

    :param item: Id of the storage item.
    """
    return Call(request=Request("GET", f"scene/{item}"), read=_SCENE)
