"""Choosing storage items: collections and filter presets, of storage (Index) and of projects (Active)."""
