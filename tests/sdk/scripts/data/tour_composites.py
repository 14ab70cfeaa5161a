"""Items of several files: data groups with their layouts, a scene with turned sensors, and files that have moved."""

import math
import pathlib

from account import arguments, attempt, show, sign_in
from encord.beta.scene.builder import SceneBuilder
from encord.beta.scene.pose import CompositePose, Position
from encord.beta.scene.reader import SceneReader
from encord.beta.scene.rotation import EulerRotation, MatrixRotation, QuaternionRotation
from encord.orm.storage import DataGroupCustom, DataGroupGrid
from encord.utilities.storage.cloud_data_migration import update_storage_item_cloud_info

options = arguments("files", "old", "new")
client = sign_in(options)
files = pathlib.Path(options.files)
folder = client.create_storage_folder("Composites")
left, right = (folder.upload_image(files / "kerb.jpg", title=name) for name in ("left", "right"))

carousel = client.get_storage_item(folder.create_data_group([left, right]))
split = {
    "direction": "row",
    "first": {"type": "data_unit", "key": "l"},
    "second": {"type": "data_unit", "key": "r"},
    "split_percentage": 40,
}
contents = {"l": left, "r": right}
groups = folder.create_data_groups(
    [
        DataGroupGrid(layout_contents=[left, right], name="grid", client_metadata={"site": "A"}),
        DataGroupCustom(layout_contents=contents, layout=split, name="custom"),
    ]
)
grid, custom = (client.get_storage_item(group) for group in groups)
data_group = custom.get_summary().data_group
unknown_key = DataGroupCustom(layout_contents={"l": left}, layout=split)

turned = {
    "quaternion": QuaternionRotation(0, 0, math.sin(math.pi / 4), math.cos(math.pi / 4)),
    "angles": EulerRotation(0, 0, math.pi / 2),
    "matrix": MatrixRotation([0, 1, 0, -1, 0, 0, 0, 0, 1]),
}
builder = SceneBuilder()
for name, rotation in turned.items():
    frame = builder.add_for_stream(name)
    frame.add_pose(CompositePose(rotation, Position(1, 2, 3)), timestamp=0.0)
builder.add_pcd_stream("lidar", frame_of_reference="angles").add_pcd(uri="s3://old/0.pcd", timestamp=0.0)
builder.add_time_series_stream("speed", uri="s3://old/speed.csv")
scene_item = client.get_storage_item(folder.upload_scene(builder, "drive", options.old))
scene = SceneReader(scene_item).read()

wanted = {"images": [{"objectUrl": "s3://old/a.png", "title": "a"}]}
job = folder.add_private_data_to_folder_start(options.old, wanted)
folder.add_private_data_to_folder_get_result(job, timeout_seconds=30)
moved = next(item for item in folder.list_items() if item.name == "a")
not_there = attempt(lambda: update_storage_item_cloud_info(client, moved, new_url="s3://old/b.png"))
update_storage_item_cloud_info(client, moved, new_url="s3://new/a.png", new_cloud_integration=options.new)

show(
    {
        "carousel": [carousel.item_type.value, [child.name for child in carousel.get_child_items()]],
        "grid": [grid.name, grid.client_metadata],
        "keys": sorted(data_group.layout_contents),
        "unknown_key": attempt(lambda: folder.create_data_group(unknown_key)),
        "rotations": {
            stream.stream_id: [round(number, 6) for number in stream.events[0].rotation]
            for stream in scene.frame_of_reference_streams
        },
        "positions": [list(stream.events[0].position) for stream in scene.frame_of_reference_streams],
        "points": [[event.url, bool(event.signed_url)] for event in scene.point_cloud_streams[0].events],
        "series": [stream.url for stream in scene.time_series_streams],
        "not_there": not_there,
        "moved": client.get_storage_item(moved.uuid).url,
        "integration": str(client.get_storage_item(moved.uuid).integration_hash),
    }
)
