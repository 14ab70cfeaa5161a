"""The tables. Times are texts in the stored form (see :mod:`.times`); JSON is kept as text and spliced into answers.

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
  uuid TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, owner TEXT NOT NULL, synced_dataset TEXT,
  created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS datasets (
  uuid TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, storage_location INTEGER NOT NULL,
  backing_folder TEXT, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS data_units (
  position INTEGER PRIMARY KEY, data_hash TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, title TEXT NOT NULL,
  data_type TEXT NOT NULL, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL,
  width INTEGER, height INTEGER, frames INTEGER NOT NULL, fps REAL, duration REAL,
  file_link TEXT, file_size INTEGER, file_type TEXT, storage_location INTEGER NOT NULL,
  client_metadata TEXT, images TEXT, item_uuid TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS data_units_by_dataset ON data_units (dataset, position);
CREATE INDEX IF NOT EXISTS data_units_by_link ON data_units (dataset, file_link);

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
  uuid TEXT PRIMARY KEY, dataset TEXT NOT NULL, creator TEXT NOT NULL, integration TEXT, ignore_errors INTEGER NOT NULL,
  skip_duplicates INTEGER NOT NULL, upsert_metadata INTEGER NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS job_units (
  job TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, entry TEXT NOT NULL, status TEXT NOT NULL,
  error TEXT, subtask TEXT NOT NULL, data_hash TEXT, title TEXT, item_uuid TEXT,
  PRIMARY KEY (job, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_units_by_status ON job_units (job, status, position);
"""
