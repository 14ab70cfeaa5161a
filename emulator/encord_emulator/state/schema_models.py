"""The tables of models, their trainings, and the projects that they are attached to."""

TABLES = """
CREATE TABLE IF NOT EXISTS models (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, title TEXT NOT NULL,
  description TEXT NOT NULL, architecture TEXT NOT NULL, features TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trainings (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, model TEXT NOT NULL, batch_size INTEGER NOT NULL,
  epochs INTEGER NOT NULL, labels TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS model_attachments (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, project TEXT NOT NULL, model TEXT NOT NULL,
  policy TEXT NOT NULL, features TEXT NOT NULL, trainings TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS models_removed AFTER DELETE ON models BEGIN
  DELETE FROM trainings WHERE model = OLD.uuid;
  DELETE FROM model_attachments WHERE model = OLD.uuid;
END;
"""
