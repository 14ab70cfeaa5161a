"""Get a bearer token with the SSH key, and work with nothing but the token: v2 and v1."""

from account import arguments, attempt, show, sign_in
from encord import EncordUserClient

options = arguments("project", "dataset")
token = sign_in(options).get_bearer_token()
user = EncordUserClient.create_with_bearer_token(token, domain=options.url)
project = user.get_project(options.project)
broken = EncordUserClient.create_with_bearer_token(token[:-1] + ("0" if token[-1] != "0" else "1"), domain=options.url)
show(
    {
        "token": bool(token),
        "title": project.title,
        "rows": len(project.list_label_rows_v2()),
        "dataset": user.get_dataset(options.dataset).title,
        "broken_v2": attempt(lambda: broken.get_project(options.project)),
        "broken_v1": attempt(lambda: broken.get_dataset(options.dataset)),
    }
)
