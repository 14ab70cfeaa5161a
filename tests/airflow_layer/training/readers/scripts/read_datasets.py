"""The rows of a training set, as `datasets` loads them: by the directory alone, or by a builder."""

import json
import sys

import datasets

_, directory, builder, cache = sys.argv
loaded = (
    datasets.load_dataset(directory, cache_dir=cache)
    if builder == "none"
    else datasets.load_dataset(builder, data_dir=directory, cache_dir=cache)
)
found = {}
for split, rows in loaded.items():
    found[split] = []
    for row in rows:
        picture = row.pop("image") if "image" in row else row.pop("png")
        colour = picture.convert("RGB").getpixel((0, 0))[0]
        row = {key: value for key, value in row.items() if key in ("objects", "label", "json", "cls")}
        found[split].append({"size": picture.size, "colour": colour, **row})
some = next(iter(loaded.values())).features
names = None
if "label" in some:
    names = some["label"].names
elif "objects" in some and "categories" in some["objects"] and hasattr(some["objects"]["categories"].feature, "names"):
    names = some["objects"]["categories"].feature.names
print(json.dumps({"rows": found, "names": names}))
