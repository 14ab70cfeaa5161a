"""Make an ontology with every kind of attribute, and read it back."""

from account import arguments, show, sign_in
from street_structure import street_structure

options = arguments("title", description="", numeric="yes")
structure = street_structure(options.numeric == "yes")
user = sign_in(options)
made = user.create_ontology(options.title, options.description, structure=structure)
read = user.get_ontology(made.ontology_hash)
show(
    {
        "ontology_hash": made.ontology_hash,
        "sent": structure.to_dict(),
        "made": made.structure.to_dict(),
        "read": read.structure.to_dict(),
        "title": read.title,
        "description": read.description,
    }
)
