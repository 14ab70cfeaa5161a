"""Attach and detach a dataset with a project's API key (0.1.145)."""

from account import arguments, show
from encord.client import EncordClient

options = arguments("project", "api-key", "dataset")
client = EncordClient.initialise(options.project, options.api_key, domain=options.url)


def attached():
    return sorted(dataset["dataset_hash"] for dataset in client.get_project()["datasets"])


before = attached()
added = client.add_datasets([options.dataset])
after_adding = attached()
removed = client.remove_datasets([options.dataset])
show(
    {
        "before": before,
        "added": added,
        "after_adding": after_adding,
        "removed": removed,
        "after_removing": attached(),
    }
)
