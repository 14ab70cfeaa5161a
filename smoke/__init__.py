"""``make smoke``: what somebody with an Encord account can tell us about the assumptions that this package stands on.

The protocol was read off the vendor's SDKs, and no server of Encord was ever asked. Here the user's own connection
asks, reading only, and every assumption is listed with whether it held, in a form fit for a bug report.

Nothing of the account goes into the report: resources are called ``project-1``, fields are named without their values,
and what servers say in words is left out.
"""
