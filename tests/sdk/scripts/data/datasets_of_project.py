"""Attach and detach a dataset, listing what is attached after each step."""

from account import arguments, show, sign_in

options = arguments("project", "dataset")
project = sign_in(options).get_project(options.project)


def attached():
    rows = project.list_label_rows_v2()
    return {
        "datasets": sorted(str(dataset.dataset_hash) for dataset in project.list_datasets()),
        "rows": sorted(row.data_title for row in rows),
    }


before = attached()
added = project.add_datasets([options.dataset])
after_adding = attached()
removed = project.remove_datasets([options.dataset])
show(
    {
        "before": before,
        "added": added,
        "after_adding": after_adding,
        "removed": removed,
        "after_removing": attached(),
    }
)
