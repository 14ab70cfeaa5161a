"""Webhooks: who is called, when work is announced, and how a signed delivery gets there."""
