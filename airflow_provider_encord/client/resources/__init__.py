"""Handles on what Encord holds: a project, a dataset, an ontology; and how to create one just once."""
