"""Reads about collections and filter presets: a few of each, and one in full."""

from __future__ import annotations

from airflow_provider_encord.client.api.curation import (
    collections,
    filter_presets,
    project_collections,
    project_presets,
)
from airflow_provider_encord.smoke.visit import Visit

_MOST_LISTED = 5


def read_collections(visit: Visit) -> None:
    """Read collections of storage items, and filter presets."""
    listed = visit.ask(collections.list_collections(page_size=_MOST_LISTED))
    for first in listed.value.results[:1] if listed.answered else ():
        about = visit.alias("collection", first.uuid)
        visit.ask(collections.get_collection(first.uuid), about)
        visit.ask(collections.list_collection_items(first.uuid, page_size=_MOST_LISTED), about)
        visit.ask(collections.list_all_collection_items(first.uuid, page_size=_MOST_LISTED), about)
    listed = visit.ask(filter_presets.list_presets(page_size=_MOST_LISTED))
    for first in listed.value.results[:1] if listed.answered else ():
        about = visit.alias("preset", first.uuid)
        visit.ask(filter_presets.get_preset(first.uuid), about)
        visit.ask(filter_presets.get_preset_definition(first.uuid), about)


def read_collections_of_project(visit: Visit, project: str) -> None:
    """Read collections and filter presets of a project."""
    of_project = visit.alias("project", project)
    listed = visit.ask(project_collections.list_project_collections(project, page_size=_MOST_LISTED), of_project)
    for first in listed.value.results[:1] if listed.answered else ():
        about = visit.alias("collection", first.collection_uuid)
        visit.ask(project_collections.get_project_collection(project, first.collection_uuid), about)
        for listing in (project_collections.list_collected_frames, project_collections.list_collected_labels):
            visit.ask(listing(project, first.collection_uuid, page_size=_MOST_LISTED), about)
    listed = visit.ask(project_presets.list_project_presets(project, page_size=_MOST_LISTED), of_project)
    for first in listed.value.results[:1] if listed.answered else ():
        about = visit.alias("preset", first.preset_uuid)
        visit.ask(project_presets.get_project_preset(project, first.preset_uuid), about)
        visit.ask(project_presets.get_project_preset_definition(project, first.preset_uuid), about)
