"""Interpolating objects between frames. Encord computes the objects and returns them; nothing is saved."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.core.reading import single, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Resource

_RESULT = single(v1_reader(dict[str, Any]))


@operation("label_rows.interpolate", "v1")
def interpolate_objects(
    project: str, key_frames: Mapping[str, Any], objects: Sequence[str], *, request_id: str | None = None
) -> Call[dict[str, Any]]:
    """Interpolate objects between key frames. The form of the result is not documented; it is returned unchanged.

    :param key_frames: Objects by frame, in the format of a label row.
    :param objects: Hashes of the objects to interpolate.
    :param request_id: Any UUID; None for a new one. It names nothing.
    """
    payload = {
        "algorithm_name": "interpolation",
        "algorithm_parameters": {"key_frames": dict(key_frames), "objects_to_interpolate": list(objects)},
    }
    uid = request_id or str(uuid.uuid4())
    request = Envelope("labelingalgorithm", "POST", Resource("project", project), uid, payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_RESULT)
