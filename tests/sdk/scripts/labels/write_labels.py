"""Label the rows of a project. Works with either SDK.

The first image gets every shape and every kind of answer, the others a classification, and each video a box on several
frames.
"""

from account import arguments, show, sign_in
from encord.constants.enums import DataType
from encord.objects import Classification, Object, Option
from encord.objects.coordinates import (
    BoundingBoxCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
)
from encord.objects.frames import Range

options = arguments("project")
project = sign_in(options).get_project(options.project)
ontology = project.ontology_structure


def item(title, kind=Object):
    return ontology.get_child_by_title(title, type_=kind)


def add_object(row, title, coordinates, frames=0, **known):
    instance = item(title).create_instance()
    instance.set_for_frames(coordinates=coordinates, frames=frames, **known)
    row.add_object_instance(instance)
    return instance


def add_classification(row, title, answer, frames=0):
    classification = item(title, Classification)
    instance = classification.create_instance()
    if not isinstance(answer, str):
        answer = [classification.get_child_by_title(label, type_=Option) for label in answer]
        answer = answer if title == "Seen" else answer[0]
    instance.set_answer(answer)
    instance.set_for_frames(frames=frames)
    row.add_classification_instance(instance)
    return instance


def label_richly(row):
    car = add_object(row, "Car", BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4), confidence=0.75, manual_annotation=False)
    car.set_answer(item("Car").get_child_by_title("Blue", type_=Option))
    car.set_answer("teal", attribute=item("Car").get_child_by_title("Which blue"))
    car.set_answer("B-XY 12", attribute=item("Car").get_child_by_title("Plate"))
    if any(attribute.name == "Seats" for attribute in item("Car").attributes):
        car.set_answer(4.5, attribute=item("Car").get_child_by_title("Seats"))
    corners = [PointCoordinate(0.1, 0.1), PointCoordinate(0.5, 0.1), PointCoordinate(0.3, 0.6)]
    add_object(row, "Lane", PolygonCoordinates(corners))
    add_object(row, "Kerb", PolylineCoordinates(corners))
    add_object(row, "Lamp", PointCoordinate(0.25, 0.75))
    add_object(row, "Lorry", RotatableBoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4, 12.5))
    add_classification(row, "Weather", ["Heavy rain"])
    add_classification(row, "Seen", ["People", "Signs"])
    add_classification(row, "Note", "a wet street")


def label_video(row):
    car = add_object(row, "Car", BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4), frames=[0, 1, 4])
    car.set_for_frames(BoundingBoxCoordinates(0.2, 0.2, 0.5, 0.5), frames=2)
    car.set_answer(item("Car").get_child_by_title("Dark red", type_=Option))
    car.set_answer("pressed", attribute=item("Car").get_child_by_title("Brake"), frames=[Range(1, 2)])
    add_classification(row, "Note", "driving", frames=[Range(1, 3)])


rows = sorted(project.list_label_rows_v2(), key=lambda row: row.data_title)
images = [row for row in rows if row.data_type == DataType.IMAGE]
videos = [row for row in rows if row.data_type == DataType.VIDEO]

images[0].initialise_labels()
with project.create_bundle() as bundle:
    for row in images[1:] + videos:
        row.initialise_labels(bundle=bundle)

label_richly(images[0])
images[0].save()
for row in images[1:]:
    add_classification(row, "Weather", ["Dry"])
for row in videos:
    label_video(row)
with project.create_bundle() as bundle:
    for row in images[1:] + videos:
        row.save(bundle=bundle, validate_before_saving=True)

show({row.data_title: row.to_encord_dict() for row in rows})
