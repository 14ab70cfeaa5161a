"""Ask for a dataset client with a project's key (0.1.145)."""

from account import arguments, attempt, show
from encord.client import EncordClientDataset

options = arguments("resource", "api-key")
show(attempt(lambda: EncordClientDataset.initialise(options.resource, options.api_key, domain=options.url)))
