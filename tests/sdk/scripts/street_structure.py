"""An ontology with every kind of attribute; numeric ones are newer than 0.1.145, which cannot even read them."""

from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute, TextAttribute


def street_structure(numeric=True):
    structure = OntologyStructure()

    car = structure.add_object("Car", Shape.BOUNDING_BOX)
    colour = car.add_attribute(RadioAttribute, "Colour", required=True)
    colour.add_option("Dark red")
    blue = colour.add_option("Blue")
    blue.add_nested_attribute(TextAttribute, "Which blue")
    car.add_attribute(TextAttribute, "Plate")
    car.add_attribute(TextAttribute, "Brake", dynamic=True)
    if numeric:
        from encord.objects.attributes import NumericAttribute

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
    return structure
