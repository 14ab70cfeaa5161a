"""The operations of Encord's API.

Each module covers one subject: its records, and the functions that make its calls.
"""
