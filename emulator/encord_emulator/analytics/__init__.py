"""Analytics: what people did, and how long."""
