"""What API keys may do beyond labels: users, copies, the ontology (0.1.145)."""

from account import arguments, show
from encord.client import EncordClient
from encord.orm.dataset import DatasetUserRole
from encord.project_ontology.classification_type import ClassificationType
from encord.project_ontology.object_type import ObjectShape
from encord.utilities.project_user import ProjectUserRole

options = arguments("project", "project-key", "dataset", "dataset-key", "email")
project = EncordClient.initialise(options.project, options.project_key, domain=options.url)
dataset = EncordClient.initialise(options.dataset, options.dataset_key, domain=options.url)


def members(added):
    return [[one.user_email, one.user_role.name] for one in added]


show(
    {
        "added": members(project.add_users([options.email], ProjectUserRole.ANNOTATOR)),
        "again": members(project.add_users([options.email], ProjectUserRole.ADMIN)),
        "in_dataset": members(dataset.add_users([options.email], DatasetUserRole.USER)),
        "object": project.add_object("Tram", ObjectShape.POLYGON),
        "classification": project.add_classification("Time of day", ClassificationType.RADIO, True, ["Day", "Night"]),
        "structure": {
            "objects": [one["name"] for one in project.get_project()["editor_ontology"]["objects"]],
            "classifications": [
                classification["attributes"][0]["name"]
                for classification in project.get_project()["editor_ontology"]["classifications"]
            ],
        },
        "copy": project.copy_project(copy_datasets=True, copy_collaborators=True),
    }
)
