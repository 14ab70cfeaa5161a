"""How far a project is, from its history alone: numbers by day, a forecast, what is late and why, and a page of it.

Pure: history in, values out. `progress.progress_of` is the way in; its result is JSON for an API, and `page` draws it.
"""
