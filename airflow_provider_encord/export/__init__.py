"""Label rows out of Encord into files: list, read in bundles, write shards, and say last what was written."""
