"""BASE KEY PROJECT OUT FORMAT: labels and images of a project into a training set, as the operators do it.

Airflow is left out: what is measured is what is below the operators. The three steps are timed apart.
"""

import json
import pathlib
import resource
import sys
import time

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import DEFAULT_SPLIT, MEDIA_LAYOUT, PARALLEL_DOWNLOADS, PARALLEL_READS
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.media import pulling
from airflow_provider_encord.training.building import BuildSpec, build_training_set, manifest_of

base, key_file, project, out, format_ = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
directory = pathlib.Path(out)
labels, media = directory / "labels", directory / "media"
owner = Owner.this_process()
costs: dict[str, float] = {}


def timed(name: str, started: tuple[float, float]) -> None:
    """Note wall and CPU seconds, and the most memory so far."""
    costs[f"{name}_seconds"] = time.perf_counter() - started[0]
    costs[f"{name}_cpu_seconds"] = time.process_time() - started[1]
    costs[f"{name}_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def now() -> tuple[float, float]:
    """Wall and CPU clock."""
    return time.perf_counter(), time.process_time()


started = now()
spec = ExportSpec(selection=RowSelection(project_id=project), logical_date="2026-11-24T00:00:00+00:00")
export_labels(client, spec, labels, reading=ReadOptions(max_concurrency=PARALLEL_READS))
timed("export", started)

started = now()
pulled = pulling.pull_media(
    client,
    pulling.MediaSource(labels=labels),
    pulling.PullSpec(destination=media, max_concurrency=PARALLEL_DOWNLOADS),
    layout=MEDIA_LAYOUT,
    buckets={},
    frames=pulling.Frames(),
    verify_size=True,
    report_path=media / "media.jsonl",
    owner=owner,
)
timed("pull", started)

started = now()
build = BuildSpec(
    labels=labels,
    media=media,
    reports=[media / "media.jsonl"],
    destination=directory / "set",
    format=format_,
    class_map={},
    class_from=None,
    split=DEFAULT_SPLIT,
    split_by="data_hash",
    seed="",
    min_box_size=0,
    max_concurrency=PARALLEL_DOWNLOADS,
    overwrite=False,
)
record, _ = build_training_set(client, build, manifest_of(build), owner)
timed("build", started)
print(json.dumps({"images": record.images, "objects": record.objects, "pulled": pulled.files, **costs}))
