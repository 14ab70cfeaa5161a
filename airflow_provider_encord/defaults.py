"""Default values, limits, and the allowed choices of arguments.

Operators use them in their signatures, and to check arguments when a DAG is parsed. So this module imports nothing, to
keep parsing fast.
"""

from __future__ import annotations

LONGEST_WAIT = 60.0  # seconds that a request waits for Encord's rate limit in place
LONGEST_WAIT_IN_ALL = 300.0  # seconds; all waits of one request together
LONGEST_WAIT_IN_SLOT = 5.0  # seconds; the same if the task can wait in the triggerer instead
PAUSES_SPREAD = 0.1  # tasks come back up to this fraction later, so that those that stopped together do not meet again
LONGEST_PAUSES_SPREAD = 60.0  # seconds; not later than that
FEW_PAUSES = 2  # after more pauses of a task, its requests may wait longer in its slot: twice as long after each
PAUSE_BEFORE_BEGUN = 0.25  # a pause before the first request counts as so much of one, because no work is done again
PAUSES_GROWTH = 2.0  # by this fraction, each pause makes the following ones before the first request longer
MOST_ADDED_TO_PAUSE = 20.0  # seconds; not longer than that
REPEAT_SECONDS = 3600.0  # after so long, tasks that are still in their stage are announced again
FILES_PER_JOB = 100
MOST_FILES_PER_JOB = 200  # Encord's SDK requests at most this many URLs
UNITS_PER_JOB = 10_000
MOST_UNITS_PER_JOB = 500_000  # the limit that Encord documents for an upload JSON (protocol, section 7.11)
OBJECTS_PER_MANIFEST = 10_000
PARALLEL_UPLOADS = 4
JOB_TIMEOUT = 6 * 3600.0  # seconds
POLL_INTERVAL = 30.0  # seconds between two polls of the triggerer
ROWS_PER_REQUEST = 100
PARALLEL_DOWNLOADS = 8
MOST_PARALLEL_DOWNLOADS = 16  # the size of a client's connection pool
MEDIA_LAYOUT = "{item_id}{extension}"
FRAMES = ("all", "labelled")
FRAME_FORMATS = ("jpg", "png")
DEFAULT_SPLIT = {"train": 0.8, "val": 0.1, "test": 0.1}
STRATIFY_BY = ("class",)
TRAINING_FORMATS = (
    *(
        "yolo-detect",
        "yolo-segment",
        "yolo-obb",
        "yolo-pose",
        "coco",
        "coco-panoptic",
        "coco-captions",
        "semantic-masks",
        "instance-masks",
        "mot",
        "webdataset",
        "parquet",
        "imagefolder",
    ),
    "folders",
)
TRAINING_SHARD_BYTES = 256 * 2**20
SHARD_BYTES = 64 * 2**20
JSON_LINES = "jsonl"
JSON_LINES_FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst")
LABEL_FORMATS = (
    *("annotations.jsonl", "annotations.jsonl.gz", "annotations.jsonl.zst"),
    *("coco.json", "coco.json.gz", "coco.json.zst"),
    *("jsonl", "jsonl.gz", "jsonl.zst", "parquet"),
)
ANALYTICS_FORMATS = ("jsonl", "jsonl.gz", "parquet")
ANALYTICS_KINDS = ("time_spent", "task_actions", "editor_logs")
IF_EXISTS = ("reuse", "fail", "new")
PRELABEL_FORMATS = ("coco", "yolo", "csv", "parquet", "cvat", "label_studio", "masks")
PRELABEL_COORDINATES = ("pixels", "fractions")
IF_LABELS_EXIST = ("skip", "merge", "overwrite")
PROJECT_STATUSES = ("notStarted", "inProgress", "inReview", "paused", "completed", "cancelled", "archived")
DUPLICATES_BEHAVIORS = ("SKIP", "DUPLICATE", "FAIL")
TASK_DISTRIBUTIONS = ("round_robin", "least_tasks", "by_group")
IF_ASSIGNED = ("skip", "overwrite")
VERDICTS = ("approve", "reject")
TASKS_PER_REQUEST = 500
TASKS_PER_PARTITION = 100
MOST_TASKS_PER_REQUEST = 1000  # Encord's limit; 500 for moves
IF_EMPTY = ("fail", "pass")
MEASURES_OF_DATA_UNITS = ("agreement", "rejection_rate", "issue_rate", "missing_attributes", "invalid_rows")
MIN_IOU = 0.5
MIN_SUPPORT = 20
EXPORT_CHECKS = ("files", "listing", "content")
METADATA_MODES = ("merge", "replace")
FILE_KINDS = ("image", "video", "audio", "dicom", "nifti", "pdf", "text", "time_series")
UPLOAD_KINDS = (*FILE_KINDS, "scene")  # scenes in buckets are registered from Encord's upload JSON
MATCH_FILES_BY = ("title_and_size", "checksum", "title")
SHADOW_DATA = ("ALL_DATA", "SHADOW_DATA", "NOT_SHADOW_DATA")
TASK_STATUSES = ("QUEUED", "ASSIGNED", "IN_REVIEW", "RETURNED", "COMPLETED")  # of projects without a workflow
MOST_ROWS_PER_REQUEST = 1000  # Encord's limit
MOST_PARALLEL_READS = 10  # the size of a client's connection pool
PARALLEL_READS = 4
OVERLAP = 1.0  # seconds; edit times may be rounded to whole seconds
ROWS_PER_PARTITION = 10_000
MOST_PARTITIONS = 1000  # Airflow maps a task at most 1024 times (default of `[core] max_map_length`)
LATE_AFTER = 24 * 3600.0  # seconds
SETTLE_SECONDS = 24 * 3600.0  # how long after the end of an interval Encord may still receive its records
AGENT_BATCH_SIZE = 100  # tasks
AGENT_COMMIT_EVERY = 10  # tasks; a worker that dies loses at most so many results
MOST_TASKS_PER_COMMIT = 500
