"""Label a sound, a text, a page, a video with a changing answer and an image group, and read what was saved.

What is read is shown one entry for each object or classification on each frame or range, as a table has it.
"""

import pathlib

from account import arguments, show, sign_in
from encord.objects import Classification, Object, OntologyStructure, Shape
from encord.objects.attributes import TextAttribute
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    HtmlCoordinates,
    TextCoordinates,
)
from encord.objects.frames import Range
from encord.objects.html_node import HtmlNode, HtmlRange
from encord.orm.dataset import StorageLocation

options = arguments("files", title="Kinds")
client = sign_in(options)
files = pathlib.Path(options.files)
structure = OntologyStructure()
for name, shape in (("Speech", Shape.AUDIO), ("Entity", Shape.TEXT), ("Car", Shape.BOUNDING_BOX)):
    structure.add_object(name, shape)
structure.get_child_by_title("Car").add_attribute(TextAttribute, "Brake", dynamic=True)
structure.get_child_by_title("Speech").add_attribute(TextAttribute, "Speaker")
structure.add_classification().add_attribute(TextAttribute, "Note")

made = client.create_dataset(options.title, StorageLocation.CORD_STORAGE, create_backing_folder=True)
dataset = client.get_dataset(made.dataset_hash)
folder = client.get_storage_folder(made.backing_folder_uuid)
folder.upload_audio(files / "horn.wav")
folder.upload_text(files / "notes.txt")
folder.upload_text(files / "h.html")
dataset.upload_video(files / "drive.mp4", title="drive.mp4")
dataset.create_image_group([files / "a.png", files / "b.png"], title="group")
ontology = client.create_ontology(options.title, structure=structure)
created = client.create_project(options.title, [made.dataset_hash], ontology_hash=ontology.ontology_hash)
project = client.get_project(created)
known = project.ontology_structure
car, speech, entity = (known.get_child_by_title(name, type_=Object) for name in ("Car", "Speech", "Entity"))
note = known.get_child_by_title("Note", type_=Classification)

WITHOUT_FRAMES = ("audio", "plain_text")


def add(row, feature, coordinates, frames=0):
    instance = feature.create_instance()
    instance.set_for_frames(coordinates=coordinates, frames=frames)
    row.add_object_instance(instance)
    return instance


def classify(row, text, frames=0):
    instance = note.create_instance(range_only=row.data_type.value in WITHOUT_FRAMES)
    instance.set_answer(text)
    instance.set_for_frames(frames=frames)
    row.add_classification_instance(instance)


def label_sound(row):
    heard = add(row, speech, AudioCoordinates(range=[Range(0, 150), Range(400, 900)]))
    heard.set_answer("a driver", attribute=speech.get_child_by_title("Speaker"))
    classify(row, "loud")


def label_text(row):
    add(row, entity, TextCoordinates(range=[Range(0, 3), Range(9, 12)]))
    classify(row, "short")


def label_page(row):
    path = "/html[1]/body[1]/p[1]/text()[1]"
    part = HtmlRange(start=HtmlNode(xpath=path, offset=1), end=HtmlNode(xpath=path, offset=3))
    add(row, entity, HtmlCoordinates(range=[part]))


def label_video(row):
    driving = add(row, car, BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4), frames=[0, 1, 4])
    driving.set_for_frames(BoundingBoxCoordinates(0.2, 0.2, 0.5, 0.5), frames=2)
    driving.set_answer("pressed", attribute=car.get_child_by_title("Brake"), frames=[Range(1, 2)])
    driving.set_answer("released", attribute=car.get_child_by_title("Brake"), frames=[Range(4, 4)])
    classify(row, "driving", frames=[Range(1, 3)])


def label_group(row):
    add(row, car, BoundingBoxCoordinates(0.25, 0.25, 0.5, 0.5), frames=1)
    classify(row, "second", frames=1)


LABELLERS = {
    "horn.wav": label_sound,
    "notes.txt": label_text,
    "h.html": label_page,
    "drive.mp4": label_video,
    "group": label_group,
}
for row in project.list_label_rows_v2():
    row.initialise_labels()
    LABELLERS[row.data_title](row)
    row.save(validate_before_saving=True)


def places(row, instance):
    """Frames with their box, or ranges. A classification of a whole file has one place, without either."""
    if row.data_type.value in WITHOUT_FRAMES and hasattr(instance, "classification_hash"):
        yield {}
        return
    for annotation in instance.get_annotations():
        coordinates = getattr(annotation, "coordinates", None)
        if isinstance(coordinates, HtmlCoordinates):
            for part in coordinates.range:
                yield {"range": [part.start.offset, part.end.offset], "xpath": part.start.xpath}
        elif isinstance(coordinates, (AudioCoordinates, TextCoordinates)):
            for part in coordinates.range:
                yield {"range": [part.start, part.end]}
        else:
            unit = row.get_image_hash(annotation.frame) if row.data_type.value == "img_group" else row.data_hash
            found = {"frame": annotation.frame, "unit": unit}
            if coordinates is not None:
                found["box"] = [
                    coordinates.top_left_x,
                    coordinates.top_left_y,
                    coordinates.width,
                    coordinates.height,
                ]
            yield found


def answers(instance, place):
    found = {}
    for attribute in instance.ontology_item.attributes:
        if not attribute.dynamic:
            found[attribute.name] = instance.get_answer(attribute=attribute)
            continue
        for answer in instance.get_answer(attribute=attribute):
            if any(part.start <= place["frame"] <= part.end for part in answer.ranges):
                found[attribute.name] = answer.answer
    return {name: answer for name, answer in found.items() if answer is not None}


def entry(row, hash_, name, instance, place):
    about = {"title": row.data_title, "hash": hash_, "name": name, "feature": instance.feature_hash}
    return {**about, "answers": answers(instance, place), **place}


read = []
for row in client.get_project(project.project_hash).list_label_rows_v2():
    row.initialise_labels()
    labels = [(one.object_hash, one.object_name, one) for one in row.get_object_instances()]
    labels += [(one.classification_hash, one.classification_name, one) for one in row.get_classification_instances()]
    for label in labels:
        read += [entry(row, *label, place) for place in places(row, label[-1])]
show({"project": project.project_hash, "read": read})
