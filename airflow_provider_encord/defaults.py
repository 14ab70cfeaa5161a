"""What is taken if a user says nothing. Operators show it in their signatures, so this module imports nothing."""

from __future__ import annotations

FILES_PER_JOB = 100
UNITS_PER_JOB = 10_000
PARALLEL_UPLOADS = 4
JOB_TIMEOUT = 6 * 3600.0  # seconds
POLL_INTERVAL = 30.0  # seconds between two looks of the triggerer
ROWS_PER_REQUEST = 100
SHARD_BYTES = 64 * 2**20
JSON_LINES = "jsonl"
PARALLEL_READS = 4
OVERLAP = 1.0  # seconds; times of editing may be of whole seconds
ROWS_PER_PARTITION = 10_000
LATE_AFTER = 24 * 3600.0  # seconds
