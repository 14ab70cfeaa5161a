"""The tables of work in progress, beside stages and tasks in `schema`: sub-tasks, label reviews, issues, what was done.

All but the last are deleted with the task of their data unit; the log of what was done stays.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS consensus_stages (
  project TEXT NOT NULL, stage TEXT NOT NULL, annotators INTEGER NOT NULL, PRIMARY KEY (project, stage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subtasks (
  uuid TEXT PRIMARY KEY, task TEXT NOT NULL, position INTEGER NOT NULL, branch TEXT NOT NULL, status TEXT NOT NULL,
  assignee TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (task, position));
CREATE TABLE IF NOT EXISTS label_reviews (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, task TEXT NOT NULL, stage TEXT NOT NULL,
  label_type TEXT NOT NULL, label_id TEXT NOT NULL, status TEXT NOT NULL, UNIQUE (task, stage, label_type, label_id));
CREATE TABLE IF NOT EXISTS issues (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, project TEXT NOT NULL, data_hash TEXT NOT NULL,
  author TEXT NOT NULL, review TEXT, type TEXT NOT NULL, place TEXT NOT NULL, comments TEXT NOT NULL,
  tags TEXT NOT NULL, resolutions TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS issues_by_data ON issues (project, data_hash, position);
CREATE INDEX IF NOT EXISTS issues_by_review ON issues (review);
CREATE TABLE IF NOT EXISTS task_actions (
  position INTEGER PRIMARY KEY, project TEXT NOT NULL, stage TEXT NOT NULL, task TEXT NOT NULL, data_hash TEXT NOT NULL,
  action TEXT NOT NULL, actor TEXT NOT NULL, acted_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS task_actions_by_time ON task_actions (project, acted_at);
CREATE TRIGGER IF NOT EXISTS tasks_removed AFTER DELETE ON tasks BEGIN
  DELETE FROM subtasks WHERE task = OLD.uuid;
  DELETE FROM label_reviews WHERE task = OLD.uuid;
  DELETE FROM issues WHERE project = OLD.project AND data_hash = OLD.data_hash;
END;
"""
