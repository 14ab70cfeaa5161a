"""Read the label rows of data groups or scenes space by space, draw a box on an image, save, and read again."""

from account import arguments, show, sign_in
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates

options = arguments("project", "draw")
client = sign_in(options)


def rows():
    return [row for row in client.get_project(options.project).list_label_rows_v2() if row.label_hash]


def read(row):
    row.initialise_labels()
    spaces = {space.space_id: space for space in row.get_spaces()}
    return {
        "type": row.data_type.value,
        "spaces": sorted(type(space).__name__ for space in spaces.values()),
        "on_spaces": sorted(one.object_hash for space in spaces.values() for one in space.get_object_instances()),
        "objects": sorted(one.object_hash for one in row.get_object_instances()),
        "classes": sorted(one.classification_name for one in row.get_classification_instances()),
    }


before = {row.data_title: read(row) for row in rows()}
drawn = []
for row in rows():
    row.initialise_labels()
    if options.draw == "yes":
        car = row.ontology_structure.get_child_by_title("Car", type_=Object)
        space = next(one for one in row.get_spaces() if type(one).__name__ == "ImageSpace")
        instance = car.create_instance()
        box = BoundingBoxCoordinates(height=0.1, width=0.2, top_left_x=0.3, top_left_y=0.4)
        space.put_object_instance(instance, box)
        drawn.append(instance.object_hash)
    row.save()
show({"before": before, "drawn": drawn, "after": {row.data_title: read(row) for row in rows()}})
