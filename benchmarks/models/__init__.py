"""Models of what benchmarks measure; without I/O."""
