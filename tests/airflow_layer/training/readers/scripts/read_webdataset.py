"""The samples of tar files, as `webdataset` reads and decodes them."""

import json
import sys
from pathlib import Path

import webdataset

shards = sorted(map(str, Path(sys.argv[1]).glob("*/shard-*.tar")))
samples = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
found = [
    {
        "size": sample["png"].size,
        "colour": sample["png"].getpixel((0, 0))[0],
        "boxes": [drawn["bbox"] for drawn in sample["json"].get("objects", ())],
        "class": sample.get("cls"),
    }
    for sample in samples
]
print(json.dumps(found))
