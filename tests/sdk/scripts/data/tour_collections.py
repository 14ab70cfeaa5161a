"""Collections and filter presets of the data view: made, listed, filled by id, title and preset, emptied, deleted."""

import pathlib

from account import arguments, attempt, show, sign_in

options = arguments("files")
client = sign_in(options)
files = pathlib.Path(options.files)

folder = client.create_storage_folder("Night drives")
inner = folder.create_subfolder("Inner city")
elsewhere = client.create_storage_folder("Day drives")
items = {
    name: place.upload_image(files / "kerb.jpg", title=name, client_metadata={"k": 1})
    for name, place in [("a", folder), ("b", inner), ("c", elsewhere)]
}
twice = [folder.upload_image(files / "kerb.jpg", title="twice") for _ in range(2)]

collection = client.create_collection(folder.uuid, "Dusk", "after 18:00")
other = client.create_collection(elsewhere.uuid, "Noon")
collection.update_collection(description="after 19:00")
found = client.get_collection(collection.uuid)
of_folder = [one.name for one in client.list_collections(folder.uuid)]
everywhere = sorted(one.name for one in client.list_collections(page_size=1))

added = collection.add_items([items["a"], items["b"], items["c"]])
inside = [[one.name, one.client_metadata] for one in collection.list_items(include_client_metadata=True, page_size=1)]
removed = collection.remove_items([items["a"], items["c"]])
by_title = collection.add_items_by_title(["a", "twice", "nothing", "a"])
after_titles = sorted(one.name for one in collection.list_items_include_inaccessible())

everything = {"local_filters": {}, "global_filters": {"filters": []}}
dark = {"local_filters": {}, "global_filters": {"filters": [{"key": "brightness", "max": 0.2}]}}
preset = client.create_preset("All", filter_preset_json=everything, description="d")
narrow = client.create_preset("Dark", filter_preset_json=dark)
collection.add_preset_items(preset.uuid)
with_preset = sorted(one.name for one in collection.list_items())
collection.remove_preset_items(preset.uuid)
without_preset = list(collection.list_items())
preset.update_preset(name="Everything", filter_preset_json=dark)
renamed = client.get_filter_preset(preset.uuid)
definition = renamed.get_filter_preset_json().to_dict()
listed = [one.name for one in client.list_presets(page_size=1)]
by_id = [one.name for one in client.get_filter_presets([narrow.uuid])]

client.delete_preset(narrow.uuid)
client.delete_collection(other.uuid)

show(
    {
        "found": [found.name, found.description, found.top_level_folder_uuid == folder.uuid],
        "of_folder": of_folder,
        "everywhere": everywhere,
        "inside_a_folder": attempt(lambda: client.create_collection(inner.uuid, "Inner")),
        "failed_to_add": [str(one) == str(items["c"]) for one in added.failed_items],
        "inside": inside,
        "failed_to_remove": [str(one) == str(items["c"]) for one in removed.failed_items],
        "by_title": [by_title.requested, by_title.matched_titles, by_title.ambiguous_titles, by_title.unmatched_titles],
        "after_titles": after_titles,
        "with_preset": with_preset,
        "without_preset": len(without_preset),
        "renamed": renamed.name,
        "definition": definition,
        "dark": dark,
        "listed": listed,
        "by_id": by_id,
        "deleted_preset": attempt(lambda: client.get_filter_preset(narrow.uuid)),
        "deleted_collection": attempt(lambda: client.get_collection(other.uuid)),
    }
)
