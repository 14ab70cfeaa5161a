"""The tables of the organisation: who is in it, its groups, what they may do. ``members``, ``users``: see `schema`.

A user has a role in a resource directly or by a group; the view ``memberships`` says both. ``rank`` orders
roles by what they allow, 0 the most: the numbers on the wire do not.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS organisation_users (
  email TEXT PRIMARY KEY, member_type TEXT NOT NULL, created_at TEXT NOT NULL,
  last_edited_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS groups (
  group_hash TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS group_users (
  group_hash TEXT NOT NULL, email TEXT NOT NULL, PRIMARY KEY (email, group_hash)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource_groups (
  kind TEXT NOT NULL, resource TEXT NOT NULL, group_hash TEXT NOT NULL, role INTEGER NOT NULL,
  PRIMARY KEY (kind, resource, group_hash)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resources_by_group ON resource_groups (group_hash);
CREATE VIEW IF NOT EXISTS memberships AS
  SELECT kind, resource, email, role, CASE role WHEN 0 THEN 0 WHEN 4 THEN 1 WHEN 3 THEN 2 WHEN 2 THEN 3 WHEN 1 THEN 4
    ELSE 5 END AS rank
  FROM (
    SELECT kind, resource, email, role FROM members
    UNION ALL SELECT kind, resource, email, role FROM group_users JOIN resource_groups USING (group_hash));
CREATE TABLE IF NOT EXISTS issue_tags (
  uuid TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (project, name));
CREATE TABLE IF NOT EXISTS metadata_schema (
  only_one INTEGER PRIMARY KEY, uuid TEXT NOT NULL, types TEXT NOT NULL, words TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
"""
