"""Label branches that keep what the labels were at a date."""
