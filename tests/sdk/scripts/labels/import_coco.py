"""Import a COCO document as the SDK does, on a branch; images are named by their index in the sorted titles."""

import json

from account import arguments, show, sign_in
from encord.utilities.coco.datastructure import FrameIndex

options = arguments("project", "document", "features", "images")
project = sign_in(options).get_project(options.project)
features = {int(category): feature for category, feature in json.loads(options.features).items()}
images = {int(image): FrameIndex(data_hash, 0) for image, data_hash in json.loads(options.images).items()}
project.import_coco_labels(json.loads(options.document), features, images, confidence_field_name="score")
show({"imported": len(images)})
