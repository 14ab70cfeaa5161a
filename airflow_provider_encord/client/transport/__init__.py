"""Sending calls: settings, what an answer means, when to try again, and the transports that do it."""
