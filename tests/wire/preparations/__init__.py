"""What must exist before a recording can be replayed, beyond what every `World` has: one module per subject.

A module's ``PREPARATIONS`` has a function for each operation that needs one; it makes things and adds to ``world.ids``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.wire.preparations import (
    analytics,
    collections,
    datasets,
    labels,
    models,
    organisation,
    project_collections,
    projects,
    storage,
    uploads,
    workflow,
)

PREPARATIONS: dict[str, Callable[[Any], None]] = {
    **analytics.PREPARATIONS,
    **collections.PREPARATIONS,
    **datasets.PREPARATIONS,
    **labels.PREPARATIONS,
    **models.PREPARATIONS,
    **organisation.PREPARATIONS,
    **project_collections.PREPARATIONS,
    **projects.PREPARATIONS,
    **storage.PREPARATIONS,
    **uploads.PREPARATIONS,
    **workflow.PREPARATIONS,
}
