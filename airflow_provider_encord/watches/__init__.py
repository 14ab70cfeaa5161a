"""What asset watchers and the webhook receiver announce: batches of tasks and of edited label rows."""
