"""Changing many workflow tasks: choose them, note what they were, act, report, and undo."""
