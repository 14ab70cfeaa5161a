"""Read one label row, move its first box, delete its classifications, save, and show it. Works with either SDK."""

from account import arguments, show, sign_in
from encord.objects.coordinates import BoundingBoxCoordinates

options = arguments("project", "title")
project = sign_in(options).get_project(options.project)
(row,) = project.list_label_rows_v2(data_title_eq=options.title)
row.initialise_labels()
car = next(instance for instance in row.get_object_instances() if instance.object_name == "Car")
car.set_for_frames(BoundingBoxCoordinates(0.5, 0.5, 0.25, 0.25), frames=0, overwrite=True)
for classification in row.get_classification_instances():
    row.remove_classification(classification)
row.save()
show({"car": car.object_hash})
