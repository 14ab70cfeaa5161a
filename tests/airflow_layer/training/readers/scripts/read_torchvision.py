"""Images with their targets, as the data sets of `torchvision` give them."""

import json
import sys

from torchvision import datasets

_, kind, *arguments = sys.argv
found: list[object] = []
for picture, target in getattr(datasets, kind)(*arguments):
    colour = picture.convert("RGB").getpixel((0, 0))[0]
    if kind == "CocoDetection":
        target = [[annotation["category_id"], annotation["bbox"]] for annotation in target]
    found.append({"size": picture.size, "colour": colour, "target": target})
print(json.dumps(found))
