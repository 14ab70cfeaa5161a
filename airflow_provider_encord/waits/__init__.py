"""Conditions that sensors wait for. A worker and a triggerer evaluate the same code."""
