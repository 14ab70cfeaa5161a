"""Add an object to an ontology, rename it, save it, and read it again."""

from account import arguments, show, sign_in
from encord.objects import Shape

options = arguments("ontology", "title")
user = sign_in(options)
ontology = user.get_ontology(options.ontology)
before = ontology.last_edited_at
ontology.structure.add_object("Bus", Shape.BOUNDING_BOX)
ontology.title = options.title
ontology.save()
again = user.get_ontology(options.ontology)
show(
    {
        "title": again.title,
        "objects": [item.name for item in again.structure.objects],
        "edited_later": again.last_edited_at >= before,
    }
)
