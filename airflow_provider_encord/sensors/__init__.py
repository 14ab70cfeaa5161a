"""Sensors of Encord, by subject."""
