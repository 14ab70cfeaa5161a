"""The history of projects: what tasks learn anyway, kept as small files at a path of the user's choice.

Nothing is sent to Encord for it. `records` is what is known, `store` where it is, `compaction` makes few files of many,
`daily` is a project day by day, and `reading` is the way in for what shows it.
"""
