"""Sending calls: the settings, the two transports, how responses are judged, and when a call is retried."""
