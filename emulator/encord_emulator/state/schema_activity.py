"""The table of what people did to labels. What they did to tasks is in `schema_workflow`.

``stage`` and ``task`` are those at that time; ``thing`` is an object's or a classification's hash.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS label_actions (
  position INTEGER PRIMARY KEY, project TEXT NOT NULL, stage TEXT NOT NULL, task TEXT NOT NULL, data_hash TEXT NOT NULL,
  branch TEXT NOT NULL, category TEXT NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL, acted_at TEXT NOT NULL,
  thing TEXT, feature TEXT, name TEXT, shape TEXT, ranges TEXT);
CREATE INDEX IF NOT EXISTS label_actions_by_time ON label_actions (project, acted_at);
CREATE INDEX IF NOT EXISTS label_actions_by_data ON label_actions (project, data_hash);
"""
