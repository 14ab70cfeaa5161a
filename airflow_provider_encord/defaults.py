"""What is taken if a user says nothing, and the closed sets of words.

Operators show it in their signatures, and check literal arguments with it while a DAG is parsed, so this module imports
nothing.
"""

from __future__ import annotations

FILES_PER_JOB = 100
MOST_FILES_PER_JOB = 200  # the vendor's SDK asks for this many URLs at most
UNITS_PER_JOB = 10_000
MOST_UNITS_PER_JOB = 500_000  # the limits that Encord documents for an upload JSON (protocol, section 7.11)
OBJECTS_PER_MANIFEST = 10_000
PARALLEL_UPLOADS = 4
JOB_TIMEOUT = 6 * 3600.0  # seconds
POLL_INTERVAL = 30.0  # seconds between two looks of the triggerer
ROWS_PER_REQUEST = 100
SHARD_BYTES = 64 * 2**20
JSON_LINES = "jsonl"
JSON_LINES_FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst")
LABEL_FORMATS = ("coco.json", "coco.json.gz", "coco.json.zst", "jsonl", "jsonl.gz", "jsonl.zst", "parquet")
ANALYTICS_FORMATS = ("jsonl", "jsonl.gz", "parquet")
ANALYTICS_KINDS = ("time_spent", "task_actions", "editor_logs")
IF_EXISTS = ("reuse", "fail", "new")
IF_LABELS_EXIST = ("skip", "merge", "overwrite")
PROJECT_STATUSES = ("notStarted", "inProgress", "inReview", "paused", "completed", "cancelled", "archived")
DUPLICATES_BEHAVIORS = ("SKIP", "DUPLICATE", "FAIL")
METADATA_MODES = ("merge", "replace")
FILE_KINDS = ("image", "video", "audio", "dicom", "nifti", "pdf", "text")
MATCH_FILES_BY = ("title_and_size", "checksum", "title")
SHADOW_DATA = ("ALL_DATA", "SHADOW_DATA", "NOT_SHADOW_DATA")
TASK_STATUSES = ("QUEUED", "ASSIGNED", "IN_REVIEW", "RETURNED", "COMPLETED")  # of label rows, without a workflow
MOST_ROWS_PER_REQUEST = 1000  # Encord's limit
MOST_PARALLEL_READS = 10  # connections that a client's pool has
PARALLEL_READS = 4
OVERLAP = 1.0  # seconds; times of editing may be of whole seconds
ROWS_PER_PARTITION = 10_000
MOST_PARTITIONS = 1000  # a task may be mapped 1024 times, unless `[core] max_map_length` says otherwise
LATE_AFTER = 24 * 3600.0  # seconds
SETTLE_SECONDS = 24 * 3600.0  # how long after the end of an interval its records may still arrive
