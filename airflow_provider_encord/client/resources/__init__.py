"""Handles on projects, datasets, ontologies and other resources of Encord, and their idempotent creation."""
