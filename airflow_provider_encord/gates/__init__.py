"""Deciding about the quality of labels: measures, thresholds, and a report that names what is wrong."""
