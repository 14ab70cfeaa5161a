"""Importing labels into a project: pre-labels of a model, or exported labels."""
