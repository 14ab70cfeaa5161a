"""The schemas of the package, made from the classes and fields that write the files.

``python -m tests.docs.schemas`` writes them; a test checks that those in the package are these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_encord.agents import report as agent_report
from airflow_provider_encord.analytics.export import ANALYTICS, AnalyticsManifest
from airflow_provider_encord.exports import verify
from airflow_provider_encord.exports.manifest import LABELS, Manifest
from airflow_provider_encord.gates import gate
from airflow_provider_encord.media import report as media_report
from airflow_provider_encord.prelabels import report as import_report
from airflow_provider_encord.registration import lines as registration_lines
from airflow_provider_encord.snapshots import memory as snapshot_memory
from airflow_provider_encord.task_actions import lines as task_lines
from airflow_provider_encord.task_actions.selected import SelectedLine
from airflow_provider_encord.uploads import report as upload_report
from tests.docs import table_schemas

DIRECTORY = Path(__file__).parents[2] / "airflow_provider_encord" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

REPORTS: dict[str, type[msgspec.Struct]] = {
    upload_report.OPERATION: upload_report.UploadLine,
    registration_lines.OPERATION: registration_lines.RegistrationLine,
    import_report.OPERATION: import_report.ImportLine,
    snapshot_memory.OPERATION: snapshot_memory.SnapshotLine,
    verify.OPERATION: verify.Mismatch,
    task_lines.OPERATION: task_lines.TaskLine,
    task_lines.SELECTION: SelectedLine,
    gate.OPERATION: gate.GateLine,
    agent_report.OPERATION: agent_report.AgentLine,
    media_report.OPERATION: media_report.MediaLine,
}
MANIFESTS: dict[str, type[msgspec.Struct]] = {LABELS: Manifest, ANALYTICS: AnalyticsManifest}


def made() -> dict[str, str]:
    """The text of each schema, by the name of its file."""
    return {
        "report.schema.json": _text("A line of a report", "operation", REPORTS),
        "manifest.schema.json": _text("The manifest of an export", "kind", MANIFESTS),
        "annotations.schema.json": table_schemas.line_schema(DIALECT),
        **table_schemas.made(),
    }


def _text(title: str, tag: str, kinds: dict[str, type[msgspec.Struct]]) -> str:
    """A schema of several kinds of objects, each of which is known by the value of one field."""
    references, components = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    for component in components.values():
        component.pop("description", None)
        if "properties" in component:
            component["required"] = list(component["properties"])  # all fields are written, also those with a default
    for value, class_ in kinds.items():
        components[class_.__name__]["properties"][tag] = {"const": value}
    schema: dict[str, Any] = {"$schema": DIALECT, "title": title, "oneOf": list(references), "$defs": components}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    for name, text in made().items():
        (DIRECTORY / name).write_text(text)
