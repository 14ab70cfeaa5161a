"""List the cloud integrations, all of them and by title and id."""

from account import arguments, show, sign_in

options = arguments("title")
user = sign_in(options)
every = [vars(integration) for integration in user.get_cloud_integrations()]
by_title = user.get_cloud_integrations(filter_integration_titles=[options.title])
by_id = user.get_cloud_integrations(filter_integration_uuids=[one.id for one in by_title])
none = user.get_cloud_integrations(filter_integration_titles=["no such integration"])
show({"every": every, "by_title": [vars(one) for one in by_title], "by_id": [vars(one) for one in by_id], "none": none})
