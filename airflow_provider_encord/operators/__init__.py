"""Operators, one file per subject."""
