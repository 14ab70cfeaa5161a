"""Ask for what an account may not have, or what is not there; show what the SDK makes of each answer."""

from account import arguments, attempt, show, sign_in
from encord.orm.dataset import StorageLocation

NOWHERE = "00000000-0000-4000-8000-00000000dead"

options = arguments(project=NOWHERE, dataset=NOWHERE, ontology=NOWHERE)
user = sign_in(options)
list_projects = getattr(user, "list_projects", user.get_projects)  # 0.1.145 has only the older one
show(
    {
        "list projects": attempt(lambda: list(list_projects())),
        "list projects, v1": attempt(user.get_projects),
        "create dataset": attempt(lambda: user.create_dataset("refused", StorageLocation.CORD_STORAGE)),
        "bearer token": attempt(user.get_bearer_token),
        "get project": attempt(lambda: user.get_project(options.project)),
        "get project, v1": attempt(lambda: user.get_project_client(options.project).get_project()),
        "list label rows": attempt(lambda: user.get_project_client(options.project).list_label_rows()),
        "get dataset": attempt(lambda: user.get_dataset(options.dataset)),
        "get ontology": attempt(lambda: user.get_ontology(options.ontology)),
        "create project on dataset": attempt(lambda: user.create_project("refused", [options.dataset])),
        "create project with ontology": attempt(
            lambda: user.create_project("refused", [], ontology_hash=options.ontology)
        ),
    }
)
