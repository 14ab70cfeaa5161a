"""Datasets and their rows."""
