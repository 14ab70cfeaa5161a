"""A dataset in its life: private data with one file missing, a group, rows edited, encoded again, removed; groups."""

import pathlib

from account import arguments, show, sign_in
from encord.orm.dataset import DatasetUserRole

options = arguments("files", "integration")
client = sign_in(options)
files = pathlib.Path(options.files)
dataset = client.get_dataset(client.create_dataset("Life", "CORD_STORAGE").dataset_hash)


def register(names, ignore_errors):
    wanted = {"images": [{"objectUrl": f"s3://bucket/{name}", "title": name} for name in names]}
    job = dataset.add_private_data_to_dataset_start(options.integration, wanted, ignore_errors=ignore_errors)
    result = dataset.add_private_data_to_dataset_get_result(job, timeout_seconds=30)
    return [result.status.value, result.units_done_count, result.units_error_count]


refused = register(["a.png", "missing.png"], ignore_errors=False)
partly = register(["a.png", "missing.png"], ignore_errors=True)
dataset.create_image_group([files / "one.png", files / "two.png"], title="Pair", create_video=False)
dataset.upload_video(files / "drive.mp4", title="Drive")
titles = sorted(row.title for row in dataset.list_data_rows())

picture = next(row for row in dataset.list_data_rows(title_eq="a.png"))
picture.client_metadata = {"weather": "rain"}
picture.save()
picture.refetch_data(signed_url=True, client_metadata=True)
group = next(row for row in dataset.list_data_rows(title_eq="Pair"))
video = next(row for row in dataset.list_data_rows(title_eq="Drive"))
encoding = dataset.re_encode_data_status(dataset.re_encode_data([video.uid]))

team = client.create_group("Dataset team")
dataset.add_group(team.group_hash, DatasetUserRole.USER)
groups = [one.name for one in dataset.list_groups()]
dataset.remove_group(team.group_hash)
dataset.delete_data([picture.uid, group.uid])

show(
    {
        "refused": refused,
        "partly": partly,
        "titles": titles,
        "metadata": dict(picture.client_metadata),
        "signed": bool(picture.signed_url),
        "encoding": encoding.status.value if hasattr(encoding.status, "value") else encoding.status,
        "groups": [groups, len(list(dataset.list_groups()))],
        "left": [row.title for row in dataset.list_data_rows()],
    }
)
