"""The labels of a data set, as the loader of `ultralytics` checks and reads them."""

import json
import sys

from ultralytics.cfg import get_cfg
from ultralytics.data import YOLODataset
from ultralytics.data.dataset import ClassificationDataset
from ultralytics.data.utils import check_det_dataset

_, task, path = sys.argv
if task == "classify":
    read = ClassificationDataset(path, args=get_cfg(overrides={"imgsz": 64}))
    found = [{"path": sample[0], "class": sample[1]} for sample in read.samples]
    print(json.dumps({"found": found, "names": read.base.classes}))
    sys.exit()
data = check_det_dataset(path, autodownload=False)
read = YOLODataset(img_path=data["train"], data=data, task=task, imgsz=64, augment=False, hyp=get_cfg())
found = [
    {
        "shape": label["shape"],
        "classes": [int(number) for number in label["cls"].flatten()],
        "boxes": label["bboxes"].tolist(),
        "segments": [len(segment) for segment in label["segments"]],
        "keypoints": None if label["keypoints"] is None else list(label["keypoints"].shape),
    }
    for label in read.labels
]
sizes = [list(read[number]["img"].shape) for number in range(len(read))]
print(json.dumps({"found": found, "names": data["names"], "sizes": sizes}))
