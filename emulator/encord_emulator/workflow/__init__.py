"""Workflows: stages, tasks, reviews, issues and consensus."""
