"""With an SSH key, make API keys of every scope for a project and a dataset, and list them (0.1.145)."""

import warnings

from account import arguments, show, sign_in
from encord.orm.dataset import DatasetScope
from encord.utilities.client_utilities import APIKeyScopes

warnings.simplefilter("ignore")  # API keys are deprecated in this release

options = arguments("project", "dataset")
user = sign_in(options)
project_keys = {
    scope.value: user.create_project_api_key(options.project, f"only {scope.value}", [scope]) for scope in APIKeyScopes
}
project_keys["all"] = user.create_project_api_key(options.project, "all scopes", list(APIKeyScopes))
dataset_keys = {
    scope.value: user.create_dataset_api_key(options.dataset, f"only {scope.value}", [scope]).api_key
    for scope in DatasetScope
}
dataset_keys["all"] = user.get_or_create_dataset_api_key(options.dataset).api_key
show(
    {
        "project_keys": project_keys,
        "dataset_keys": dataset_keys,
        "found_project_key": user.get_or_create_project_api_key(options.project),
        "found_dataset_key": user.get_or_create_dataset_api_key(options.dataset).api_key,
        "listed_project_keys": [
            {"api_key": key.api_key, "title": key.title, "scopes": sorted(scope.value for scope in key.scopes)}
            for key in user.get_project_api_keys(options.project)
        ],
        "listed_dataset_keys": [
            {"api_key": key.api_key, "title": key.title, "scopes": sorted(scope.value for scope in key.scopes)}
            for key in user.get_dataset_api_keys(options.dataset)
        ],
    }
)
