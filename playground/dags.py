"""The example DAGs with the projects and places of the playground as defaults, so that triggering needs no typing."""

from __future__ import annotations

import pathlib

from demo.environment import CHECKOUT

EXAMPLES = CHECKOUT / "example_dags"
_PROJECT = '"project_id": Param("",'
_EVERY_DAY = 'schedule="@daily"'


class ExampleChangedError(Exception):
    """An example has not the text that is to be replaced."""


def write_dags(directory: pathlib.Path, projects: dict[str, str], output: pathlib.Path, incoming: pathlib.Path) -> None:
    """Copy the examples, with other defaults.

    :param projects: Id of a project by the name of the example that is about it.
    :param output: Where the DAGs write.
    :param incoming: Where they find pictures.
    :raises ExampleChangedError: An example was changed, and this module was not.
    """
    places = {
        "file:///var/lib/encord-exports": f"file://{output / 'exports'}",
        "file:///var/lib/encord-routing": f"file://{output / 'routing'}",
        "s3://aws_default@labels/street": f"file://{output / 'nightly'}",
        "s3://aws_default@prelabels/street": f"file://{output / 'prelabels'}",
        "s3://aws_default@agents/bright": f"file://{output / 'agents'}",
        "s3://aws_default@training/street": f"file://{output / 'training'}",
        "s3://aws_default@intake-work": f"file://{output / 'ingest'}",
        "s3://aws_default@intake/cameras": f"file://{incoming}",
        "/data/incoming/*.jpg": f"{incoming}/*.png",
        # A hundred tasks would take an hour here.
        '"min_tasks": Param(100,': '"min_tasks": Param(5,',
        # What is there already has this title.
        'Param(\n            "Street scenes", type="string", description="Title of the dataset,': (
            'Param(\n            "My street scenes", type="string", description="Title of the dataset,'
        ),
        _EVERY_DAY: "schedule=None",
    }
    used = set[str]()
    for file in sorted(EXAMPLES.glob("*.py")):
        text = file.read_text()
        changes = dict(places)
        if file.stem in projects:
            changes[_PROJECT] = f'"project_id": Param("{projects[file.stem]}",'
        elif _PROJECT in text:
            raise ExampleChangedError(f"{file.name} asks for a project, and the playground names none for it.")
        for old, new in changes.items():
            if old in text:
                used.add(old)
                text = text.replace(old, new)
        (directory / file.name).write_text(text)
    if unused := places.keys() - used:
        raise ExampleChangedError(f"No example contains {', '.join(sorted(unused))}.")
