"""Importing a project into Active and syncing it. Both are taken, and nothing of them can be seen afterwards."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ..requests import access
from ..requests.exchange import Exchange
from ..wire.shapes import StrictCamel


class ImportBody(StrictCamel, frozen=True):
    project_mode: Literal["data", "label", "metric", "advanced"]
    video_sampling_rate: Annotated[float, msgspec.Meta(gt=0)] | None = None


def start_import(exchange: Exchange) -> None:
    access.require_manager(exchange, "project", exchange.path["project"])


def start_sync(exchange: Exchange) -> None:
    access.require_manager(exchange, "project", exchange.path["project"])
