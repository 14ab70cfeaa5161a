"""Let an agent look at pictures before people do: it draws a box around what is bright, and sorts out dark pictures.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``stage``: title or id of the agent stage;
- ``found``, ``nothing``: pathways of pictures with something bright, and of the others;
- ``feature``: name of the object in the ontology, whose shape is a bounding box;
- ``work``: where reports and results go (``s3://connection_id@bucket/agent``).

Needs the connection ``encord_default`` with an SSH key. The pictures are PNG files with 8 bits per channel.

Changes the project: labels are saved and tasks move. Run it as often as you like: each run handles the tasks that are
in the stage. Labels that somebody edits meanwhile are left alone.
"""

from __future__ import annotations

import datetime
import struct
import zlib
from collections.abc import Iterator

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_provider_encord.agents import AgentResult, EditableLabels, LocalAsset

SHARDS = 4  # mapped task instances, which share the tasks of the stage


def rows_of(png: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number of channels and the samples of each row. With Pillow, this is ``Image.open(path)``."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    if png[:4] != b"\x89PNG" or depth != 8 or kind == 3 or png[28]:
        raise ValueError("This is not a PNG file with 8 bits per channel, without palette and interlacing.")
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    data, place = b"", 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += size + 12
    content, length = zlib.decompress(data), width * channels
    above = bytearray(length)
    for number in range(height):
        start = number * (length + 1)
        row = bytearray(content[start + 1 : start + 1 + length])
        for at in range(length):
            left, up = (row[at - channels] if at >= channels else 0), above[at]
            corner = above[at - channels] if at >= channels else 0
            nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            row[at] = (row[at] + (0, left, up, (left + up) // 2, nearest)[content[start]]) % 256
        above = row
        yield channels, bytes(row)


def bright_box(png: bytes, least: int = 200) -> dict[str, float] | None:
    """The box around all bright pixels, as fractions of width and height; None if the picture is dark."""
    columns: set[int] = set()
    rows: set[int] = set()
    width = height = 0
    for number, (channels, row) in enumerate(rows_of(png)):
        width, height = len(row) // channels, number + 1
        bright = {at // channels for at in range(0, len(row), channels) if row[at] >= least}
        columns |= bright
        rows |= {number} if bright else set()
    if not rows:
        return None
    x, y = min(columns), min(rows)
    w, h = max(columns) + 1 - x, max(rows) + 1 - y
    return {"x": x / width, "y": y / height, "w": w / width, "h": h / height}


with DAG(
    dag_id="example_encord_task_agent",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "stage": Param("Pre-label", type="string", description="Title or id of the agent stage."),
        "found": Param("found", type="string", description="Pathway of pictures with something bright."),
        "nothing": Param("nothing", type="string", description="Pathway of the other pictures."),
        "feature": Param("Car", type="string", description="Name of the object in the ontology."),
        "work": Param("s3://aws_default@agents/bright", type="string", description="Where reports and results go."),
    },
    doc_md=__doc__,
    tags=["encord", "example"],
) as dag:

    @task.encord_agent(
        project_id="{{ params.project_id }}",
        stage="{{ params.stage }}",
        shards=SHARDS,
        report="{{ params.work }}/{{ run_id }}/report-{{ ti.map_index }}.jsonl",
        cache="{{ params.work }}/results",
    )
    def find_bright(asset: LocalAsset, labels: EditableLabels, feature: str, found: str, nothing: str) -> AgentResult:
        """Draw a box around what is bright. A model that costs money would be called here."""
        box = bright_box(asset.read_bytes())
        if box is None:
            return AgentResult(nothing, priority=0.0)
        labels.add_object(feature, boundingBox=box, confidence=0.5)
        return AgentResult(found)

    find_bright.partial(
        feature="{{ params.feature }}", found="{{ params.found }}", nothing="{{ params.nothing }}"
    ).expand(shard=list(range(SHARDS)))
