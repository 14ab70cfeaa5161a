"""Data that consist of several files: data groups and scenes."""
