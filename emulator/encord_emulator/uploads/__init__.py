"""Uploads: registration of data, its jobs, and folders that are synced."""
