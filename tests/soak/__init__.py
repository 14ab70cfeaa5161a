"""Everything at once for hours, with faults and people in between: what is lost, doubled or grows (``make soak``)."""
