"""Read one label row with each of the filters that reading knows."""

from account import arguments, show, sign_in
from encord.objects import Classification, Object

options = arguments("project", "title")
project = sign_in(options).get_project(options.project)
car = project.ontology_structure.get_child_by_title("Car", type_=Object).feature_node_hash
note = project.ontology_structure.get_child_by_title("Note", type_=Classification).feature_node_hash


def read(**how):
    (row,) = project.list_label_rows_v2(data_title_eq=options.title)
    row.initialise_labels(**how)
    return {
        "objects": sorted(instance.object_name for instance in row.get_object_instances()),
        "classifications": sorted(one.classification_name for one in row.get_classification_instances()),
        "data_link": row.data_link,
    }


show(
    {
        "everything": read(),
        "cars": read(include_object_feature_hashes={car}),
        "notes": read(include_classification_feature_hashes={note}),
        "nothing": read(include_object_feature_hashes=set(), include_classification_feature_hashes=set()),
        "signed": read(include_signed_url=True),
    }
)
