"""BASE KEY_FILE PROJECT LABELS: the floor. Rows are created and saved with the same labels, over one bare session.

LABELS is a JSON file with the data hashes, and the labels in the form that Encord stores. Nothing is checked, no row is
looked at before its save, and nothing is noted.
"""

import json
import pathlib
import sys

from bare_session import BareSession, Stopwatch

ROWS_PER_REQUEST = 50

base, key_file, project, file = sys.argv[1:]
given = json.loads(pathlib.Path(file).read_bytes())
session = BareSession(base, key_file, "project", project)
watch = Stopwatch()
for first in range(0, len(given["data_hashes"]), ROWS_PER_REQUEST):
    wanted = given["data_hashes"][first : first + ROWS_PER_REQUEST]
    new = {"get_signed_url": False, "multi_request": True, "branch_name": None}
    created = json.loads(session.ask("labelrow", "PUT", wanted, new))["response"]
    for row in created:
        for unit in row["data_units"].values():
            unit["labels"] = given["labels"]
        row["object_answers"] = given["object_answers"]
    hashes = [row["label_hash"] for row in created]
    saved = {"multi_request": True, "labels": created, "validate_before_saving": False}
    session.ask("labelrow", "POST", hashes, saved)
print(watch.costs("rows", len(given["data_hashes"])))
