"""Programs as forks of a process that has imported what they need: a fresh process for each, without a fresh import."""
