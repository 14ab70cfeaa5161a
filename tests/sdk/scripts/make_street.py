"""Make a dataset, fill it with images and videos, make an ontology and a project of both: a whole set-up in one go."""

from account import arguments, show, sign_in
from encord.orm.dataset import StorageLocation
from street_structure import street_structure

options = arguments("title", image=[], video=[], numeric="yes")
user = sign_in(options)
dataset_hash = user.create_dataset(options.title, StorageLocation.CORD_STORAGE).dataset_hash
dataset = user.get_dataset(dataset_hash)
for path in options.image:
    dataset.upload_image(path)
for path in options.video:
    dataset.upload_video(path)
ontology = user.create_ontology(options.title, structure=street_structure(options.numeric == "yes"))
project = user.create_project(options.title, [dataset_hash], ontology_hash=ontology.ontology_hash)
show({"project": project, "dataset": dataset_hash, "structure": ontology.structure.to_dict()})
