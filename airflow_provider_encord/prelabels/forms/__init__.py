"""Pre-labels in the usual forms of models and labelling tools, converted to the short form, one line per data unit.

Each form has a module that reads the source and yields `items.Item`; `converting` makes lines of them. So everything
after the conversion is the same for all forms: the check of all lines, matching, merging and the report.
"""
