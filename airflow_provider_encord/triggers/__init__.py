"""Waiting, off the worker."""
