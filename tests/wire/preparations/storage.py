"""What recordings of folders and items need: two folders, and two images in the first."""

from __future__ import annotations

import tempfile
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sdk import media

_ID = "{}-0000-4000-8000-{:012d}"
FOLDER, ITEM, JOB = "dddddddd", "eeeeeeee", "99999999"
EMPTY_LISTS = (
    "videos",
    "imageGroups",
    "dicomSeries",
    "imageGroupsFromItems",
    "audio",
    "nifti",
    "text",
    "pdf",
    "scenes",
)


def make_folders(world: Any) -> None:
    """Two folders of the caller's, empty."""
    for number, name in reversed([*enumerate(("Raw uploads", "Leftovers"), 1)]):
        wanted = {"name": name, "description": "d", "clientMetadata": '{"site": "A"}'}
        world.ids[_ID.format(FOLDER, number)] = world.user.v2("POST", "/v2/public/storage/folders", wanted)["uuid"]


def _one_in_another(world: Any) -> None:
    make_folders(world)
    inner = {"name": "Raw uploads of today", "description": "d", "clientMetadata": "{}"}
    inner["parent"] = world.ids[_ID.format(FOLDER, 1)]
    world.user.v2("POST", "/v2/public/storage/folders", inner)


def put_bytes(world: Any, url: dict[str, Any], content: bytes) -> None:
    """Send the bytes of a file to its signed URL."""
    parts = urllib.parse.urlsplit(url["signedUrl"])
    world.user.server.send("PUT", f"{parts.path}?{parts.query}", {}, content)


def start_upload(world: Any, names: list[str], kind: str = "image") -> str:
    """Send images or videos to the first folder and start the job that makes items of them; its id."""
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    content = media.jpeg(64, 48) if kind == "image" else media.mp4(64, 48, 10, 10)
    wanted = {"itemType": kind, "count": len(names)}
    urls = world.user.v2("POST", f"{folder}/upload-signed-urls", wanted)["results"]
    for url in urls:
        put_bytes(world, url, content)
    files = [
        {
            "objectUrl": url["objectKey"],
            "placeholderItemUuid": url["itemUuid"],
            "title": name,
            "clientMetadata": {"k": 1},
        }
        for url, name in zip(urls, names, strict=True)
    ]
    lists = {**{name: [] for name in EMPTY_LISTS}, f"{kind}s": files}
    return start_job(world, lists)


def start_job(world: Any, lists: dict[str, Any]) -> str:
    """Start a job of the first folder; its id."""
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    items = {**{name: [] for name in EMPTY_LISTS}, **lists, "skipDuplicateUrls": False}
    return str(world.user.v2("POST", f"{folder}/data-upload-jobs", {"dataItems": items, "ignoreErrors": False}))


def items_of(world: Any, job: str) -> list[str]:
    """The items that a job made, when it is done."""
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    made = world.user.v2("GET", f"{folder}/data-upload-jobs/{job}?timeoutSeconds=30")["itemsWithNames"]
    return [item["itemUuid"] for item in made]


def make_items(world: Any) -> None:
    """Two images in the first folder."""
    make_folders(world)
    for number, item in enumerate(items_of(world, start_upload(world, ["cat.jpg", "cow.jpg"])), 1):
        world.ids[_ID.format(ITEM, number)] = item


def _link_cats(world: Any) -> None:
    """Two images whose names are searched for, in a dataset."""
    make_folders(world)
    items = items_of(world, start_upload(world, ["cat.jpg", "another cat.jpg"]))
    dataset = world.ids["bbbbbbbb-0000-4000-8000-000000000001"]
    world.user.v1("datasetlinkitems", "POST", dataset, {"item_uuids": items}, dataset=dataset)


def _make_recorded_type(world: Any) -> None:
    """Two images, or an item of the type and with the settings that the recording has."""
    recorded = world.recording.exchanges[-1].response["json"]
    if recorded["itemType"] == "scene":
        _upload_scene(world, _UPLOADED_SCENE)
    elif recorded["itemType"] == "timeseries":
        make_folders(world)
        (world.ids[_ID.format(ITEM, 1)],) = items_of(world, _start_time_series(world, recorded["timeseriesSettings"]))
    else:
        make_items(world)


def _start_time_series(world: Any, settings: dict[str, Any] | None) -> str:
    """Upload a time series with settings; the job that makes an item of it."""
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    (url,) = world.user.v2("POST", f"{folder}/upload-signed-urls", {"itemType": "timeseries", "count": 1})["results"]
    put_bytes(world, url, b"time,speed\n0,1\n")
    entry = {
        "objectUrl": url["objectKey"],
        "title": "signal.csv",
        "clientMetadata": {"k": 1},
        "settings": settings or {},
    }
    return start_job(world, {"timeSeries": [entry]})


def _make_image_group(world: Any) -> None:
    """The ninth item consists of the two images."""
    make_items(world)
    images = [world.ids[_ID.format(ITEM, number)] for number in (1, 2)]
    group = {"title": "Pair", "imageItems": images, "createVideo": False, "clientMetadata": {}}
    (world.ids[_ID.format(ITEM, 9)],) = items_of(world, start_job(world, {"imageGroupsFromItems": [group]}))


def _make_data_group(world: Any) -> None:
    """The ninth item is a data group of the two images."""
    make_items(world)
    contents = {"left": world.ids[_ID.format(ITEM, 1)], "right": world.ids[_ID.format(ITEM, 2)]}
    tiles = {"first": {"type": "data_unit", "key": "left"}, "second": {"type": "data_unit", "key": "right"}}
    group = {
        "layoutType": "custom",
        "layoutContents": contents,
        "layout": {"direction": "row", **tiles, "splitPercentage": 50},
        "timeline": [],
        "settings": {
            "fixedLayout": False,
            "tileSettings": {"left": {"title": "Left camera", "isReadOnly": True}},
            "hasMultilayerLabels": False,
        },
    }
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    (world.ids[_ID.format(ITEM, 9)],) = world.user.v2("POST", f"{folder}/create-group-items", [group])


def _summarised(world: Any) -> None:
    """The item in a dataset, or the data group, whichever the recording is about."""
    group = world.recording.exchanges[0].request["path"].split("/")[7] == _ID.format(ITEM, 9)
    _make_data_group(world) if group else _in_a_dataset(world)


def _make_five_items(world: Any) -> None:
    make_folders(world)
    for number, item in enumerate(items_of(world, start_upload(world, list("abcde"))), 1):
        world.ids[_ID.format(ITEM, number)] = item


def _make_scene(world: Any) -> None:
    """The first item is the recorded scene, uploaded."""
    recorded = world.recording.exchanges[0].response["json"]
    if recorded["type"] != "self_contained":
        _upload_scene(world, _UPLOADED_SCENE)
        return
    url = world.user.v2("GET", "/v2/public/presigned-urls?count=1&uploadItemType=scene")["results"][0]
    put_bytes(world, url, b"a recording")
    _upload_scene(world, {"url": url["objectKey"], "format": recorded["format"]})


def _upload_scene(world: Any, scene: dict[str, Any]) -> None:
    make_folders(world)
    about: dict[str, Any] = {"title": "drive", "clientMetadata": {"k": 1}, "externalFileType": "SCENE"}
    job = start_job(world, {"scenes": [{**about, "scene": scene}]})
    (world.ids[_ID.format(ITEM, 1)],) = items_of(world, job)


_UPRIGHT = {"rotation": {"x": 0, "y": 0, "z": 0, "w": 1}, "position": {"x": 1.0, "y": 2.0, "z": 3.0}}
_LENS = {"type": "simple", "fx": 1000.0, "fy": 1000.0, "ox": 960.0, "oy": 540.0, "model": {"type": "pinhole"}}
_IMAGES = [{"timestamp": 0.0, "uri": "s3://bucket/0.jpg"}]
_PARAMETERS = {"width_px": 1920, "height_px": 1080, "intrinsics": _LENS, "extrinsics": None, "timestamp": 0.0}
_UPLOADED_SCENE = {
    "content": {
        "lidar": {
            "type": "point_cloud",
            "events": [{"timestamp": moment, "uri": f"s3://bucket/{moment}.pcd"} for moment in (0, 0.1)],
            "frame_of_reference": "ego",
            "pose": None,
        },
        "cam": {"type": "camera_parameters", "events": [_PARAMETERS], "frame_of_reference": "ego", "pose": None},
        "front": {"type": "image", "camera": "cam", "events": _IMAGES},
        "ego": {
            "type": "frame_of_reference",
            "id": "ego",
            "parent_FoR_id": "root",
            "events": [{"timestamp": 0.0, "pose": _UPRIGHT}],
        },
        "speed": {"type": "time_series", "uri": "s3://bucket/speed.csv"},
    },
    "default_ground_height": None,
    "world_convention": {"x": "forward", "y": "left", "z": "up"},
    "camera_convention": {"x": "right", "y": "down", "z": "forward"},
    "view_settings": {"pointCloudColouring": {"colorMode": "height", "colorHeightBounds": [0, 3]}, "pointRadius": 2},
}


def _in_a_bucket(world: Any) -> None:
    """Four items in one bucket, whose files another holds too. The folder of files goes with the world."""
    make_folders(world)
    world.files = tempfile.TemporaryDirectory()
    names = [*(f"{number}.jpg" for number in (1, 2, 3, 4)), "cat.jpg"]
    for name in names:
        Path(world.files.name, name).write_bytes(media.jpeg(8, 8))
    for number, title, urls in ((1, "aws prod", ("s3://old", "s3://new")), (2, "mover", ("s3://old",))):
        for url in urls:
            bucket = {"integration": title, "url": url, "directory": world.files.name}
            made = world.user.server.control("POST", "buckets", bucket)
            world.ids[_ID.format("ffffffff", number)] = made["integrationUuid"]
    folder = f"/v2/public/storage/folders/{world.ids[_ID.format(FOLDER, 1)]}"
    images = [{"objectUrl": f"s3://old/{name}", "title": name, "clientMetadata": {}} for name in names[:4]]
    items = {**{name: [] for name in EMPTY_LISTS}, "images": images, "skipDuplicateUrls": False}
    integration = world.ids[_ID.format("ffffffff", 1)]
    wanted = {"dataItems": items, "integrationHash": integration, "ignoreErrors": False}
    job = str(world.user.v2("POST", f"{folder}/data-upload-jobs", wanted))
    for number, item in enumerate(items_of(world, job), 1):
        world.ids[_ID.format(ITEM, number)] = item


def _make_videos(world: Any) -> None:
    make_folders(world)
    for number, item in enumerate(items_of(world, start_upload(world, ["a.mp4", "b.mp4"], "video")), 1):
        world.ids[_ID.format(ITEM, number)] = item


def _make_re_encoding(world: Any) -> None:
    _make_videos(world)
    videos = [world.ids[_ID.format(ITEM, number)] for number in (1, 2)]
    wanted = {"storageItems": videos, "processTitle": "Fix timing"}
    world.ids[_ID.format(JOB, 1)] = world.user.v2("POST", "/v2/public/storage/items/reencode", wanted)


def _configured(world: Any) -> None:
    """The first folder is synced and has the recorded configuration."""
    _synced(world)
    folder = world.ids[_ID.format(FOLDER, 1)] = world.ids[_ID.format(FOLDER, 2)]
    recorded = world.recording.exchanges[0].response["json"]
    world.user.v2("POST", f"/v2/public/storage/folders/{folder}/folder-config", recorded)


def _in_a_dataset(world: Any) -> None:
    make_items(world)
    dataset = world.ids[_ID.format("bbbbbbbb", 1)]
    wanted = {"item_uuids": [world.ids[_ID.format(ITEM, 1)]], "duplicates_behavior": "SKIP"}
    world.user.v1("datasetlinkitems", "POST", dataset, wanted, dataset=dataset)


def _one_is_synced(world: Any) -> None:
    """The plain folder is the newer one, as in the recording."""
    _synced(world)
    synced = world.ids[_ID.format(FOLDER, 2)]
    make_folders(world)
    world.ids[_ID.format(FOLDER, 2)] = synced


def _synced(world: Any) -> None:
    bucket = {"integration": "of a sync", "url": "s3://my-bucket", "directory": str(Path(__file__).parent)}
    integration = world.user.server.control("POST", "buckets", bucket)["integrationUuid"]
    link = {"integrationUuid": integration, "remoteUrl": "s3://my-bucket/incoming/"}
    wanted = {"name": "Raw bucket mirror", "clientMetadata": '{"site": "B"}', "cloudSyncedFolderParams": link}
    made = world.user.v2("POST", "/v2/public/storage/folders", wanted)
    world.ids[_ID.format(FOLDER, 2)] = made["uuid"]


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "storage.folder.config.get": _configured,
    "storage.folder.config.set": _configured,
    "storage.folder.create": make_folders,
    "storage.folder.get": make_folders,
    "storage.folder.update": make_folders,
    "storage.folder.delete": make_folders,
    "storage.folder.summary": make_items,
    "storage.folders.list": _one_is_synced,
    "storage.folders.search": make_folders,
    "storage.folders.move": make_folders,
    "storage.folders.update_bulk": make_folders,
    "storage.item.children": _make_image_group,
    "storage.items.re_encode": _make_videos,
    "storage.items.re_encode_status": _make_re_encoding,
    "storage.folder.subfolders": _one_in_another,
    "storage.folder.items": make_items,
    "storage.folder.items.move": make_items,
    "storage.folder.items.delete": make_items,
    "storage.item.get": _make_recorded_type,
    "storage.item.update": _make_recorded_type,
    "storage.item.summary": _summarised,
    "storage.data_groups.create": _make_five_items,
    "storage.items.migrate": _in_a_bucket,
    "scene.get": _make_scene,
    "storage.items.get_bulk": make_items,
    "storage.items.search": _link_cats,
    "storage.items.update_bulk": make_items,
    "storage.cloud_sync start": _synced,
}
