"""Exporting label rows to files: list them, read them in bundles, write shards, and write the manifest last."""
