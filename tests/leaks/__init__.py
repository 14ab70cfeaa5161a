"""The search for secrets in what a deployment leaves behind, and the deployment that it is run on.

The search imports nothing of the package. What the package masks and what is looked for are two readings; one
that forgot a form must not make the other forget it.
"""
