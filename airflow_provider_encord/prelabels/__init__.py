"""Labels into a project: pre-labels of a model, or labels that were exported before."""
