"""List projects, datasets and ontologies, each under several filters at once.

`--filters` is JSON: {name of the listing: {name of the question: keyword arguments}}.
"""

import json
import warnings

from account import arguments, show, sign_in

warnings.simplefilter("ignore")  # one of these listings is deprecated; it is still to work

options = arguments("filters")
user = sign_in(options)
listings = {
    "projects": lambda filters: [project.title for project in user.list_projects(**filters)],
    "projects_v1": lambda filters: [row["project"]["title"] for row in user.get_projects(**filters)],
    "datasets": lambda filters: [row["dataset"].title for row in user.get_datasets(**filters)],
    "ontologies": lambda filters: [row["ontology"].title for row in user.get_ontologies(**filters)],
}
show(
    {
        listing: {question: sorted(listings[listing](filters)) for question, filters in questions.items()}
        for listing, questions in json.loads(options.filters).items()
    }
)
