"""Boxes, masks and classes, as `supervision` reads them."""

import json
import sys

import supervision

_, kind, images, labels, *more = sys.argv
if kind == "coco":
    read = supervision.DetectionDataset.from_coco(images, labels, force_masks=True)
else:
    read = supervision.DetectionDataset.from_yolo(
        images, labels, more[0], force_masks=kind == "yolo-segment", is_obb=kind == "yolo-obb"
    )
found = []
for _, picture, drawn in read:
    found.append(
        {
            "size": picture.shape[1::-1],
            "colour": int(picture[0, 0, 2]),
            "boxes": drawn.xyxy.tolist(),
            "classes": [int(number) for number in drawn.class_id],
            "areas": [] if drawn.mask is None else [int(mask.sum()) for mask in drawn.mask],
        }
    )
print(json.dumps({"found": found, "names": read.classes}))
