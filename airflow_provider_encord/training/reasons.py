"""Why an object is not in a training set."""

from __future__ import annotations


class NotExpressibleError(ValueError):
    """An object that a form of training data cannot say. The message is the reason."""
