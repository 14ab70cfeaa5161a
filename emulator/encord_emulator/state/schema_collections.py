"""The tables of collections and filter presets: of the data view, and of projects.

A collection of the data view has a ``folder`` and items, one of a project has a ``project``, a ``kind`` and labels or
frames. A preset of the data view has no ``project``.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS collections (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, folder TEXT, project TEXT, kind TEXT, name TEXT NOT NULL,
  description TEXT NOT NULL, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS collection_items (
  position INTEGER PRIMARY KEY, collection TEXT NOT NULL, item TEXT NOT NULL, UNIQUE (collection, item));
CREATE TABLE IF NOT EXISTS collection_places (
  position INTEGER PRIMARY KEY, collection TEXT NOT NULL, data_hash TEXT NOT NULL, frame INTEGER NOT NULL,
  annotation TEXT NOT NULL, UNIQUE (collection, data_hash, frame, annotation));
CREATE TRIGGER IF NOT EXISTS collections_removed AFTER DELETE ON collections BEGIN
  DELETE FROM collection_items WHERE collection = OLD.uuid;
  DELETE FROM collection_places WHERE collection = OLD.uuid;
END;
CREATE TRIGGER IF NOT EXISTS folders_removed AFTER DELETE ON folders BEGIN
  DELETE FROM collections WHERE folder = OLD.uuid;
END;
CREATE TABLE IF NOT EXISTS filter_presets (
  position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, project TEXT, name TEXT NOT NULL,
  description TEXT NOT NULL, definition TEXT NOT NULL, created_at TEXT NOT NULL, last_edited_at TEXT NOT NULL);
"""
