"""Upload audio, HTML, text and a DICOM series, and read what the label rows of a project say of the files."""

import pathlib

from account import arguments, show, sign_in

options = arguments("files")
client = sign_in(options)
files = pathlib.Path(options.files)

made = client.create_dataset("Other kinds", "CORD_STORAGE", create_backing_folder=True)
dataset = client.get_dataset(made.dataset_hash)
folder = client.get_storage_folder(made.backing_folder_uuid)
items = {
    "sound": folder.upload_audio(files / "horn.wav"),
    "page": folder.upload_text(files / "h.html"),
    "titled": folder.upload_text(files / "h.html", title="A page"),
    "text": folder.upload_text(files / "notes.txt", client_metadata={"k": 1}),
}
folder.create_dicom_series([files / "0.dcm", files / "1.dcm"], title="CT")
project = client.get_project(client.create_project("Other kinds", [dataset.dataset_hash]))


def read(row):
    row.initialise_labels()
    views = row.get_frame_views() if row.data_type.value == "dicom" else []
    return {
        "data_type": row.data_type.value,
        "file_type": row.file_type,
        "audio": [row.audio_codec, row.audio_sample_rate, row.audio_bit_depth, row.audio_num_channels],
        "metadata": row.metadata.to_dict() if row.metadata else None,
        "frames": [view.metadata.to_dict() if view.metadata else None for view in views],
    }


def read_all():
    return {row.data_title: read(row) for row in client.get_project(project.project_hash).list_label_rows_v2()}


first = read_all()
for row in project.list_label_rows_v2():
    row.initialise_labels()
    row.save()
listed = {
    how: {item.name: item.client_metadata for item in folder.list_items(**asked)}
    for how, asked in {
        "inline": {},
        "by url": {"resolve_client_metadata_locally": True},
        "without": {"include_client_metadata": False},
    }.items()
}
try:
    client._api_client.get("nothing/at/all", params=None, result_type=str)
    unserved = None
except Exception as error:  # noqa: BLE001 - its words are what is looked at
    unserved = str(error)

show(
    {
        "first": first,
        "saved": read_all(),
        "types": {name: client.get_storage_item(uuid).mime_type for name, uuid in items.items()},
        "listed": listed,
        "unserved": unserved,
    }
)
