"""The tables. Times are texts in the stored form (see :mod:`.times`); JSON is kept as text and spliced into answers.

A storage *item* is a file (or a group of files) in a folder. A *data row* is its place in a dataset; ``data_units`` is
a view that adds what is known of its item, read-only but for removal. Do not LEFT JOIN the view: SQLite would build the
whole of it first.

A *label row* exists once it was created; until then a data unit of a project is known by its *task* alone. ``answers``
and ``units`` of a label row are finished pieces of the JSON that goes out.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS users (
  email TEXT PRIMARY KEY, user_hash TEXT NOT NULL, role TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS public_keys (key_hex TEXT PRIMARY KEY, email TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bearer_tokens (
  token_sha256 TEXT PRIMARY KEY, email TEXT NOT NULL, issued_unix REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_keys (
  api_key TEXT PRIMARY KEY, key_hash TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL, title TEXT NOT NULL,
  scopes TEXT NOT NULL, creator TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (
  kind TEXT NOT NULL, resource TEXT NOT NULL, email TEXT NOT NULL, role INTEGER NOT NULL,
  PRIMARY KEY (email, kind, resource)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS ontologies (
  uuid TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, editor TEXT NOT NULL,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS folders (
  uuid TEXT PRIMARY KEY, parent TEXT, name TEXT NOT NULL, description TEXT NOT NULL, client_metadata TEXT,
  owner TEXT NOT NULL, folder_type TEXT NOT NULL, integration TEXT, remote_url TEXT, synced_dataset TEXT,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS folders_by_parent ON folders (parent);
CREATE TABLE IF NOT EXISTS folder_configs (folder TEXT PRIMARY KEY, config TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, item_type TEXT NOT NULL,
  name TEXT NOT NULL, description TEXT NOT NULL, client_metadata TEXT, owner TEXT NOT NULL,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL,
  is_tombstone INTEGER NOT NULL, is_placeholder INTEGER NOT NULL,
  storage_location INTEGER NOT NULL, integration TEXT, file_link TEXT, file_size INTEGER, file_type TEXT,
  width INTEGER, height INTEGER, frames INTEGER NOT NULL, fps REAL, duration REAL, images TEXT,
  dicom_instance TEXT, dicom_study TEXT, dicom_series TEXT, dicom_patient TEXT, dicom_frames TEXT,
  audio_sample_rate INTEGER, audio_bit_depth INTEGER, audio_codec TEXT, audio_num_channels INTEGER, settings TEXT);
CREATE INDEX IF NOT EXISTS items_by_folder ON items (folder, name);
CREATE INDEX IF NOT EXISTS items_by_link ON items (folder, file_link);
CREATE TABLE IF NOT EXISTS item_children (
  item TEXT NOT NULL, position INTEGER NOT NULL, child TEXT NOT NULL, PRIMARY KEY (item, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_by_child ON item_children (child);
CREATE TABLE IF NOT EXISTS datasets (
  uuid TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, storage_location INTEGER NOT NULL,
  backing_folder TEXT, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS data_rows (
  position INTEGER PRIMARY KEY, data_hash TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, title TEXT NOT NULL,
  item_uuid TEXT NOT NULL, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS data_rows_by_dataset ON data_rows (dataset, position);
CREATE INDEX IF NOT EXISTS data_rows_by_item ON data_rows (item_uuid);
CREATE VIEW IF NOT EXISTS data_units AS SELECT
  data_rows.position AS position, data_rows.data_hash, data_rows.dataset, data_rows.title,
  CASE items.item_type WHEN 'image' THEN 'image' WHEN 'video' THEN 'video' WHEN 'imageGroup' THEN 'img_group'
    WHEN 'imageSequence' THEN 'img_group' WHEN 'dicomSeries' THEN 'dicom' WHEN 'dicomFile' THEN 'dicom'
    WHEN 'timeseries' THEN 'time_series' WHEN 'plainText' THEN 'plain_text' ELSE items.item_type END AS data_type,
  data_rows.created_at, data_rows.last_edited_at, items.width, items.height, items.frames, items.fps, items.duration,
  items.file_link, items.file_size, items.file_type, items.storage_location, items.client_metadata, items.images,
  data_rows.item_uuid, items.item_type, items.audio_sample_rate, items.audio_bit_depth, items.audio_codec,
  items.audio_num_channels, items.settings, items.dicom_study, items.dicom_series, items.dicom_patient,
  items.dicom_frames
  FROM data_rows JOIN items ON items.uuid = data_rows.item_uuid;
CREATE TRIGGER IF NOT EXISTS data_units_removed INSTEAD OF DELETE ON data_units BEGIN
  DELETE FROM data_rows WHERE data_hash = OLD.data_hash;
END;

CREATE TABLE IF NOT EXISTS templates (uuid TEXT PRIMARY KEY, title TEXT NOT NULL, stages TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS projects (
  uuid TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, status TEXT NOT NULL, ontology TEXT NOT NULL,
  creator TEXT NOT NULL, source_projects TEXT, workflow_manager TEXT NOT NULL,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS project_datasets (
  project TEXT NOT NULL, dataset TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (project, dataset)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS projects_by_dataset ON project_datasets (dataset);
CREATE TABLE IF NOT EXISTS stages (
  project TEXT NOT NULL, uuid TEXT NOT NULL, position INTEGER NOT NULL, title TEXT NOT NULL, stage_type TEXT NOT NULL,
  pathways TEXT, next_stage TEXT, reject_to TEXT, PRIMARY KEY (project, uuid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
  uuid TEXT PRIMARY KEY, project TEXT NOT NULL, data_hash TEXT NOT NULL, stage TEXT NOT NULL, status TEXT NOT NULL,
  assignee TEXT, last_actioned_by TEXT, priority REAL NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS tasks_by_data ON tasks (project, data_hash);
CREATE INDEX IF NOT EXISTS tasks_by_stage ON tasks (project, stage);
CREATE TABLE IF NOT EXISTS label_rows (
  label_hash TEXT PRIMARY KEY, project TEXT NOT NULL, data_hash TEXT NOT NULL, branch TEXT NOT NULL,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL, label_status TEXT NOT NULL, is_valid INTEGER NOT NULL,
  answers TEXT NOT NULL, units TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS label_rows_by_data ON label_rows (project, data_hash, branch);

CREATE TABLE IF NOT EXISTS organisation_tags (uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS project_tags (
  project TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (project, tag)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS integrations (uuid TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (
  integration TEXT NOT NULL, url TEXT NOT NULL, directory TEXT NOT NULL, PRIMARY KEY (integration, url)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
  object_key TEXT PRIMARY KEY, media_type TEXT, size INTEGER NOT NULL, file_name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
  uuid TEXT PRIMARY KEY, dataset TEXT, folder TEXT NOT NULL, sync TEXT, creator TEXT NOT NULL, integration TEXT,
  file_name TEXT, ignore_errors INTEGER NOT NULL, skip_duplicates INTEGER NOT NULL, upsert_metadata INTEGER NOT NULL,
  status TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_folder ON jobs (folder);
CREATE INDEX IF NOT EXISTS jobs_by_sync ON jobs (sync);
CREATE TABLE IF NOT EXISTS job_units (
  job TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, entry TEXT NOT NULL, status TEXT NOT NULL,
  error TEXT, subtask TEXT NOT NULL, data_hash TEXT, title TEXT, item_uuid TEXT,
  PRIMARY KEY (job, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_units_by_status ON job_units (job, status, position);
CREATE TABLE IF NOT EXISTS syncs (
  uuid TEXT PRIMARY KEY, folder TEXT NOT NULL, creator TEXT NOT NULL, status TEXT NOT NULL,
  pages_pending INTEGER NOT NULL, pages_done INTEGER NOT NULL, pages_error INTEGER NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cvat_imports (
  uuid TEXT PRIMARY KEY, creator TEXT NOT NULL, upload_job TEXT NOT NULL, project TEXT NOT NULL,
  warnings TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deidentifications (
  uuid TEXT PRIMARY KEY, creator TEXT NOT NULL, settings TEXT NOT NULL, urls TEXT, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reencodings (
  number INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, creator TEXT NOT NULL, title TEXT NOT NULL,
  items TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL);
"""
