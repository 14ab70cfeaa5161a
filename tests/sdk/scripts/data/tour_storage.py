"""Folders, files of several kinds, listings, metadata, moves, a private data job and a sync, by the storage handles."""

import pathlib
import urllib.request

from account import arguments, attempt, show, sign_in
from encord.http.bundle import Bundle
from encord.orm.storage import CloudSyncedFolderParams, SidecarMatcherSuffix, StorageItemType, StorageUserRole

options = arguments("files", "integration")
client = sign_in(options)
files = pathlib.Path(options.files)

top = client.create_storage_folder("Street", description="d", client_metadata={"site": "A"})
inner = top.create_subfolder("Kerb")
inner.update(name="Kerbs", client_metadata={"site": "B"})
image = top.upload_image(files / "kerb.jpg", client_metadata={"k": 1})
text = top.upload_text(files / "notes.txt", "Notes")
sound = top.upload_audio(files / "horn.wav")
group = top.create_image_group([files / "one.png", files / "two.png"], title="Pair")

items = {item.uuid: item for item in top.list_items(page_size=2)}
picture = items[image]
signed = client.get_storage_item(image, sign_url=True).get_signed_url()
with urllib.request.urlopen(signed) as answer:
    size = len(answer.read())
picture.update(name="kerb stone.jpg", client_metadata={"k": 2})
children = [child.name for child in client.get_storage_item(group).get_child_items()]

dataset = client.get_dataset(client.create_dataset("Linked", "CORD_STORAGE", create_backing_folder=False).dataset_hash)
linked = dataset.link_items([image])
summary = client.get_storage_item(image).get_summary()
top.move_items_to_folder(inner, [text])
found = [item.name for item in client.find_storage_items(search="kerb", item_types=[StorageItemType.IMAGE])]

wanted = {"images": [{"objectUrl": f"s3://bucket/{name}", "title": name} for name in ("a.png", "missing.png")]}
job = top.add_private_data_to_folder_start(options.integration, wanted, ignore_errors=True)
registered = top.add_private_data_to_folder_get_result(job, timeout_seconds=30)

synced = client.create_storage_folder(
    "Mirror",
    cloud_synced_folder_params=CloudSyncedFolderParams(integration_uuid=options.integration, remote_url="s3://bucket/"),
)
sync = synced.sync_private_data_with_cloud_synced_folder_get_result(
    synced.sync_private_data_with_cloud_synced_folder_start(), timeout_seconds=30
)

before_ingestion = synced.get_folder_config().metadata_ingestion
synced.enable_metadata_ingestion(SidecarMatcherSuffix(suffix=".meta.json"), paused=True)
ingestion = synced.get_folder_config().metadata_ingestion
not_synced = attempt(top.get_folder_config)

filled = top.get_summary()
team = client.create_group("Storage team")
top.add_group(team.group_hash, StorageUserRole.USER)
groups = [[one.name, one.user_role.value] for one in top.list_groups()]
top.remove_group(team.group_hash)

spare = client.create_storage_folder("Spare")
spare.move_to_folder(top.uuid)
below = sorted(folder.name for folder in top.list_subfolders())
anywhere = sorted(folder.name for folder in client.find_storage_folders(search="Spare"))
spare.delete()
held = top.add_private_data_to_folder_start(options.integration, wanted, ignore_errors=True)
top.add_data_to_folder_job_cancel(held)
film = top.upload_video(files / "drive.mp4", title="film")
encoding = top.get_re_encoding_status(top.re_encode_videos([film], "Fix timing", False))
with Bundle() as bundle:
    top.update(description="in a bundle", bundle=bundle)
    inner.update(description="in it, too", bundle=bundle)
with Bundle() as bundle:
    for item in client.get_storage_items([sound, film]):
        item.update(description="many at once", bundle=bundle)
descriptions = [
    *(client.get_storage_folder(folder.uuid).description for folder in (top, inner)),
    *(item.description for item in client.get_storage_items([sound, film])),
]
many = [item.name for item in client.get_storage_items([sound, image])]
top.delete_storage_items([group])
left = sorted(item.item_type.value for item in top.list_items())

show(
    {
        "groups": [groups, len(list(top.list_groups()))],
        "below": below,
        "anywhere": anywhere,
        "many": many,
        "before_ingestion": before_ingestion,
        "ingestion": [ingestion.matcher.suffix, ingestion.paused],
        "not_synced": not_synced,
        "encoding": encoding.status.value if hasattr(encoding.status, "value") else encoding.status,
        "descriptions": descriptions,
        "left": left,
        "inner": [client.get_storage_folder(inner.uuid).name, client.get_storage_folder(inner.uuid).client_metadata],
        "items": sorted(item.item_type.value for item in items.values()),
        "picture": [picture.width, picture.height, picture.mime_type],
        "size": size,
        "renamed": [client.get_storage_item(image).name, client.get_storage_item(image).client_metadata],
        "children": children,
        "linked": [row.title for row in linked],
        "in_datasets": [one.title for one in summary.accessible_datasets],
        "inner_items": [item.name for item in inner.list_items()],
        "found": found,
        "registered": [registered.status.value, registered.units_done_count, registered.units_error_count],
        "sync": [sync.status.value, sync.upload_jobs_units_done],
        "synced_items": sorted(item.name for item in synced.list_items()),
        "sound": client.get_storage_item(sound).audio_sample_rate,
        "summary": [filled.images, filled.folders],
        "folders": sorted(folder.name for folder in client.list_storage_folders(search="Str")),
    }
)
