"""Make an ontology with every kind of attribute, and read it back."""

from account import arguments, show, sign_in
from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, NumericAttribute, RadioAttribute, TextAttribute

options = arguments("title", description="")
structure = OntologyStructure()

car = structure.add_object("Car", Shape.BOUNDING_BOX)
colour = car.add_attribute(RadioAttribute, "Colour", required=True)
colour.add_option("Dark red")
blue = colour.add_option("Blue")
blue.add_nested_attribute(TextAttribute, "Which blue")
car.add_attribute(TextAttribute, "Plate")
car.add_attribute(NumericAttribute, "Seats")
structure.add_object("Lane", Shape.POLYGON)
structure.add_object("Kerb", Shape.POLYLINE)
structure.add_object("Lamp", Shape.POINT)
structure.add_object("Lorry", Shape.ROTATABLE_BOUNDING_BOX)

weather = structure.add_classification().add_attribute(RadioAttribute, "Weather")
weather.add_option("Dry")
weather.add_option("Heavy rain")
seen = structure.add_classification().add_attribute(ChecklistAttribute, "Seen")
for label in ("People", "Animals", "Signs"):
    seen.add_option(label)
structure.add_classification().add_attribute(TextAttribute, "Note")

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
