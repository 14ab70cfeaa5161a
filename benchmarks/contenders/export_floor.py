"""BASE KEY_FILE PROJECT OUT: the floor. The same label rows over one bare session, bytes to disk, and nothing else."""

import json
import pathlib
import sys

from bare_session import BareSession, Stopwatch

ROWS_PER_REQUEST = 100

base, key_file, project, out = sys.argv[1:]
session = BareSession(base, key_file, "project", project)
watch = Stopwatch()
wanted = {"include_uninitialised_labels": True, "include_workflow_graph_node": True}
listed = json.loads(session.ask("labelrowmetadata", "GET", None, wanted))["response"]
hashes = [row["label_hash"] for row in listed if row["label_hash"]]
content = {
    "get_signed_url": False,
    "multi_request": True,
    "include_object_feature_hashes": None,
    "include_classification_feature_hashes": None,
    "include_reviews": False,
    "include_export_history": False,
}
with pathlib.Path(out).open("wb") as file:
    for first in range(0, len(hashes), ROWS_PER_REQUEST):
        file.write(session.ask("labelrow", "GET", hashes[first : first + ROWS_PER_REQUEST], content))
print(watch.costs("rows", len(hashes)))
