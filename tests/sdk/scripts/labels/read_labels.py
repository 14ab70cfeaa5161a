"""Read every label row of a project that has labels, as the SDK understands it. Works with either SDK."""

from account import arguments, show, sign_in

options = arguments("project")
project = sign_in(options).get_project(options.project)


def answers_of(instance, attributes):
    found = {}
    for attribute in attributes:
        answer = instance.get_answer(attribute=attribute)
        if hasattr(answer, "label"):
            found[attribute.name] = answer.label
            found.update(answers_of(instance, answer.attributes) if getattr(answer, "attributes", None) else {})
        elif isinstance(answer, (str, float, int)) or answer is None:
            found[attribute.name] = answer
        else:
            found[attribute.name] = sorted(option.label for option in answer)
    return found


def known_object(instance):
    return {
        "hash": instance.object_hash,
        "name": instance.object_name,
        "feature": instance.feature_hash,
        "answers": answers_of(instance, [one for one in instance.ontology_item.attributes if not one.dynamic]),
        "changing answers": {
            attribute.name: [
                {"answer": one.answer, "ranges": [[part.start, part.end] for part in one.ranges]}
                for one in instance.get_answer(attribute=attribute)
            ]
            for attribute in instance.ontology_item.attributes
            if attribute.dynamic
        },
        "frames": {
            annotation.frame: {
                "coordinates": annotation.coordinates.to_dict(),
                "confidence": annotation.confidence,
                "manual": annotation.manual_annotation,
                "created_by": annotation.created_by,
                "created_at": annotation.created_at,
            }
            for annotation in instance.get_annotations()
        },
    }


def known_classification(instance):
    annotations = instance.get_annotations()
    return {
        "hash": instance.classification_hash,
        "name": instance.classification_name,
        "feature": instance.feature_hash,
        "answers": answers_of(instance, instance.ontology_item.attributes),
        "frames": sorted(annotation.frame for annotation in annotations),
        "created_by": annotations[0].created_by,
    }


rows = [row for row in project.list_label_rows_v2() if row.label_hash]
with project.create_bundle() as bundle:
    for row in rows:
        row.initialise_labels(bundle=bundle)
show(
    {
        row.data_title: {
            "label_hash": row.label_hash,
            "data_hash": row.data_hash,
            "objects": sorted((known_object(one) for one in row.get_object_instances()), key=lambda one: one["hash"]),
            "classifications": sorted(
                (known_classification(one) for one in row.get_classification_instances()), key=lambda one: one["hash"]
            ),
        }
        for row in rows
    }
)
