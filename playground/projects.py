"""What is on the emulator when the playground opens: projects of different sizes, some work done, and people."""

from __future__ import annotations

import functools
import io
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.client.resources.projects import Project
from encord_emulator.fixtures.kinds import Kind
from encord_emulator.process import Emulator
from playground.pictures import HEIGHT, WIDTH, Box, Street, streets

OWNER = "you@example.com"
PEOPLE = ("ada@example.com", "bela@example.com", "chen@example.com")
STREETS, AGENT, PARKING, DASHCAM, ARCHIVE = (
    "Street scenes",
    "Night drive",
    "Parking lots",
    "Dashcam films",
    "Highway archive",
)
PICTURES = 24
LABELLED, COMPLETE = 20, 12
_STRUCTURE: dict[str, Any] = {
    "objects": [
        {
            "name": "Car",
            "shape": "bounding_box",
            "color": "#D33115",
            "attributes": [{"name": "Colour", "type": "radio", "options": ["Red", "Blue", "White"]}],
        },
        {"name": "Person", "shape": "polygon", "color": "#E27300"},
    ],
    "classifications": [{"name": "Weather", "type": "radio", "options": ["Dry", "Wet", "Snow"]}],
}
_AGENT_STAGES: list[dict[str, Any]] = [
    {
        "title": "Pre-label",
        "stageType": "AGENT",
        "pathways": [{"title": "found", "to": "Annotate"}, {"title": "nothing", "to": "Complete"}],
    },
    {"title": "Annotate", "stageType": "ANNOTATION", "next": "Review"},
    {"title": "Review", "stageType": "REVIEW", "next": "Complete", "reject_to": "Annotate"},
    {"title": "Complete", "stageType": "DONE"},
]


def seed(emulator: Emulator, client: EncordClient) -> dict[str, str]:
    """Make all projects; their ids by title."""
    projects = {STREETS: _streets(client)}
    template = emulator.template("Agent first", _AGENT_STAGES)["uuid"]
    projects[AGENT] = _pictures(client, AGENT, streets(8), template)[0]
    made_up: tuple[tuple[str, int, Kind, int], ...] = (
        (PARKING, 200, "image", 60),
        (DASHCAM, 12, "video", 4),
        (ARCHIVE, 5_000, "image", 0),
    )
    for title, rows, kind, labelled in made_up:
        made = emulator.project(
            owner=OWNER,
            title=title,
            rows=rows,
            kind=kind,
            created=0.9 if title == ARCHIVE else 0.0,
        )
        projects[title] = made["project_id"]
        if labelled:
            emulator.annotate(made["project_id"], count=labelled, objects_per_row=3, email=PEOPLE[0], advance="submit")
            emulator.annotate(
                made["project_id"],
                data_hashes=made["data_hashes"][: labelled // 2],
                objects_per_row=0,
                advance="complete",
            )
    return projects


def write_pictures(directory: pathlib.Path, count: int = 6) -> None:
    """Pictures that are not in the emulator yet, for the DAGs that bring some in."""
    for street in streets(PICTURES + count)[PICTURES:]:
        (directory / street.name).write_bytes(street.png())


def _streets(client: EncordClient) -> str:
    """The project with real pictures and labels that fit them."""
    pictures = streets(PICTURES)
    project, data_hashes = _pictures(client, STREETS, pictures, None)
    by_hash = {data_hashes[street.name]: street for street in pictures[:LABELLED]}
    ontology = client.project(project).ontology()
    drawer = _Drawer(ontology.editor_ontology)
    rows = client.project(project).create_label_rows(list(by_hash))
    drawn = {row.label_hash: drawer.labels(row.decoded(), by_hash[row.data_hash]) for row in rows}
    client.project(project).save_label_rows(drawn)
    _move_on(client.project(project), list(by_hash))
    return project


def _move_on(project: Project, labelled: Sequence[str]) -> None:
    """Submit the tasks that are labelled, and approve some of them."""
    annotate = project.stage("Annotate")
    annotate.submit([task for task in annotate.tasks() if task.data_hash in labelled])
    review = project.stage("Review")
    review.approve([task for task in review.tasks() if task.data_hash in labelled[:COMPLETE]])


def _pictures(
    client: EncordClient, title: str, pictures: Iterable[Street], template: str | None
) -> tuple[str, dict[str, str]]:
    """A project with uploaded pictures; its id, and the data hashes by the names of the pictures."""
    dataset = client.create_dataset(title).id
    files = [_file(street.name, street.png()) for street in pictures]
    client.dataset(dataset).upload(files, timeout=60)
    ontology = client.create_ontology(title, structure=_STRUCTURE).id
    project = client.create_project(
        title, dataset_ids=[dataset], ontology_id=ontology, workflow_template_id=template
    ).id
    return project, {row.data_title: row.data_hash for row in client.project(project).label_rows()}


def _file(name: str, content: bytes) -> LocalFile:
    return LocalFile(
        title=name, kind=IMAGE, size=len(content), open=functools.partial(io.BytesIO, content), media_type="image/png"
    )


class _Drawer:
    """Puts the cars and people of a picture into its label row, as a person would."""

    def __init__(self, structure: Mapping[str, Any]):
        self._features = {feature["name"]: feature for feature in structure["objects"]}
        (self._weather_feature,) = structure["classifications"]

    def labels(self, row: dict[str, Any], street: Street) -> dict[str, Any]:
        """The row with labels, in place."""
        (unit,) = row["data_units"].values()
        number, author = street.number, PEOPLE[street.number % len(PEOPLE)]
        for place, (colour, box) in enumerate(street.cars):
            left, top, width, height = box
            sides = {"x": left / WIDTH, "y": top / HEIGHT, "w": width / WIDTH, "h": height / HEIGHT}
            identifier = f"car{number:02}{place:03}"
            unit["labels"]["objects"].append(self._object("Car", identifier, author, {"boundingBox": sides}))
            row["object_answers"][identifier] = {"objectHash": identifier, "classifications": [self._colour(colour)]}
        for place, box in enumerate(street.people):
            identifier = f"man{number:02}{place:03}"
            unit["labels"]["objects"].append(self._object("Person", identifier, author, _outline(box)))
            row["object_answers"][identifier] = {"objectHash": identifier, "classifications": []}
        identifier = f"sky{number:05}"
        row["classification_answers"][identifier] = self._weather(identifier, street.weather, author)
        return row

    def _object(self, name: str, identifier: str, author: str, geometry: dict[str, Any]) -> dict[str, Any]:
        feature = self._features[name]
        return {
            "name": name,
            "color": feature["color"],
            "shape": feature["shape"],
            "value": name.lower(),
            "confidence": 1.0,
            "objectHash": identifier,
            "featureHash": feature["featureNodeHash"],
            "manualAnnotation": True,
            "createdBy": author,
            "lastEditedBy": author,
            **geometry,
        }

    def _colour(self, colour: str) -> dict[str, Any]:
        (attribute,) = self._features["Car"]["attributes"]
        return _answer(attribute, colour)

    def _weather(self, identifier: str, weather: str, author: str) -> dict[str, Any]:
        (attribute,) = self._weather_feature["attributes"]
        return {
            "classificationHash": identifier,
            "featureHash": self._weather_feature["featureNodeHash"],
            "classifications": [_answer(attribute, weather)],
            "range": [[0, 0]],
            "createdBy": author,
            "lastEditedBy": author,
        }


def _answer(attribute: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The answer to a radio attribute."""
    (option,) = [option for option in attribute["options"] if option["label"] == label]
    chosen = {"name": label, "value": option["value"], "featureHash": option["featureNodeHash"]}
    head = {"name": attribute["name"], "value": attribute["name"].lower(), "featureHash": attribute["featureNodeHash"]}
    return {**head, "answers": [chosen], "manualAnnotation": True}


def _outline(box: Box) -> dict[str, Any]:
    """A person as a polygon: shoulders narrower at the head."""
    left, top, width, height = box
    quarter, head = width // 4, top + height // 4
    right, bottom = left + width, top + height
    corners = [
        *((left + quarter, top), (right - quarter, top), (right - quarter, head), (right, head)),
        *((right, bottom), (left, bottom), (left, head), (left + quarter, head)),
    ]
    points = {str(number): {"x": x / WIDTH, "y": y / HEIGHT} for number, (x, y) in enumerate(corners)}
    flat = [side for point in points.values() for side in (point["x"], point["y"])]
    return {"polygon": points, "polygons": [[flat]]}
