"""The reads of the smoke command, by subject; `readings` puts them together."""
