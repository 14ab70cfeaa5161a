"""The kinds of work that a cluster does: what is prepared, which DAG does it, and what must be there afterwards."""
