"""The tables of webhooks: who is to be called for which stage, and what is on its way there.

A delivery that waits has ``delivered`` 0; one that was given up, because a newer one took its place, has -1. ``sent``
holds the headers of the last request as it left, so that it can be sent again byte by byte.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS webhooks (
  uuid TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, project TEXT NOT NULL, stage TEXT NOT NULL,
  event_type TEXT NOT NULL, batch_size INTEGER NOT NULL, max_wait_seconds REAL, cycle_seconds REAL NOT NULL,
  retry_seconds REAL NOT NULL, announced_at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhooks_by_stage ON webhooks (project, stage);
CREATE TABLE IF NOT EXISTS webhook_deliveries (
  position INTEGER PRIMARY KEY, webhook TEXT NOT NULL, uid TEXT NOT NULL, body TEXT NOT NULL, due_at REAL NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, problem TEXT, sent TEXT);
CREATE INDEX IF NOT EXISTS webhook_deliveries_due ON webhook_deliveries (webhook, delivered, due_at);
"""
