"""Who is in what: users, groups and their roles; organisation and tags; and that all of it outlives a restart."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encord_emulator.process import Emulator
from tests.emulator.callers import KeyHolder, Person

NOWHERE = "45454545-0000-4000-8000-00000000dead"
COLLEAGUE = "colleague@example.com"


@pytest.fixture
def made(encord_emulator: Emulator, owner: Person) -> dict[str, Any]:
    return encord_emulator.project(owner=owner.email, title="Cats", rows=2, created=1.0)


def _add(person: Person, made: dict[str, Any], email: str, role: int) -> Any:
    project = made["project_id"]
    return person.ask("projectusers", "POST", project, {"user_emails": [email], "user_role": role}, project=project)


def _group(owner: Person, *emails: str) -> str:
    group: str = owner.rest("POST", "organisation/groups", {"name": f"g {uuid.uuid4()}"}).json["groupHash"]
    answer = owner.rest("POST", f"organisation/groups/{group}/users", {"userEmails": list(emails)})
    assert answer.status == 200, answer
    return group


def test_the_first_person_is_the_organisation_s_administrator_and_the_next_is_not(owner, newcomer):
    newcomer(COLLEAGUE)
    users = {result["email"]: result for result in owner.rest("GET", "organisation/users").json["results"]}
    assert {email: one["roleMnemonicName"] for email, one in users.items()} == {
        owner.email: "ADMIN",
        COLLEAGUE: "MEMBER",
    }
    assert users[owner.email]["roleUuid"] != users[COLLEAGUE]["roleUuid"]
    assert users[COLLEAGUE]["memberType"] == "internal"


MANAGING = [
    ("PUT", "projects/{project}/status", {"status": "paused"}),
    ("POST", "projects/{project}/users/bulk-delete", {"userEmails": []}),
    ("POST", "projects/{project}/groups", {"groupHashList": [], "userRole": 1}),
    ("DELETE", f"projects/{{project}}/groups?groupHashList={NOWHERE}", None),
    ("DELETE", f"projects/{{project}}/tags/{NOWHERE}", None),
    ("POST", "projects/{project}/issue-tags", {"issueTagNames": []}),
    ("POST", "datasets/{dataset}/users/bulk-delete", {"userEmails": []}),
    ("POST", "datasets/{dataset}/groups", {"groupHashList": [], "userRole": 1}),
    ("POST", "ontologies/{ontology}/groups", {"groupHashList": [], "userRole": 1}),
]


def _path(made: dict[str, Any], form: str) -> str:
    return form.format(project=made["project_id"], dataset=made["dataset_id"], ontology=made["ontology_id"])


@pytest.mark.parametrize(("method", "path", "body"), MANAGING)
def test_only_who_manages_a_resource_changes_who_is_in_it(made, owner, newcomer, method, path, body):
    colleague = newcomer(COLLEAGUE)
    assert colleague.rest(method, _path(made, path), body).status == 403
    _add(owner, made, COLLEAGUE, 1)
    owner.get("datasetusers", "POST", made["dataset_id"], {"user_emails": [COLLEAGUE], "user_role": 1},
              dataset=made["dataset_id"])  # fmt: skip
    assert colleague.rest(method, _path(made, path), body).status == 403
    assert owner.rest(method, _path(made, path), body).status == 200


@pytest.mark.parametrize(("role", "manages"), [(0, True), (1, False), (2, False), (3, False), (4, True), (5, False)])
def test_administrators_and_team_managers_run_a_project(made, owner, newcomer, role, manages):
    colleague = newcomer(COLLEAGUE)
    _add(owner, made, COLLEAGUE, role)
    project = made["project_id"]
    assert colleague.rest("GET", f"projects/{project}").json["userRole"] == role
    code = None if manages else "AUTHORISATION_ERROR"
    assert _add(colleague, made, "third@example.com", 1).code == code
    assert colleague.ask("projectcopy", "POST", project, {"copy_project_options": []}, project=project).code == code
    status = colleague.rest("PUT", f"projects/{project}/status", {"status": "completed"}).status
    assert status == (200 if manages else 403)


ORGANISATION = [
    ("POST", "organisation/users", {"email": "n@example.com", "roleMnemonicName": "ADMIN", "memberType": "internal"}),
    ("DELETE", "organisation/users/owner%40example.com", None),
    ("POST", "organisation/groups", {"name": "Mine"}),
    ("PATCH", "organisation/groups/{group}", {"name": "Mine"}),
    ("DELETE", "organisation/groups/{group}", None),
    ("POST", "organisation/groups/{group}/users", {"userEmails": [COLLEAGUE]}),
    ("POST", "organisation/groups/{group}/users/bulk-delete", {"userEmails": []}),
    ("POST", "organisation/organisation-tags", {"name": "mine"}),
    ("DELETE", f"organisation/organisation-tags/{NOWHERE}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ORGANISATION)
def test_a_member_looks_at_the_organisation_and_changes_nothing(owner, newcomer, method, path, body):
    colleague, group = newcomer(COLLEAGUE), _group(owner)
    assert colleague.rest(method, path.format(group=group), body).status == 403
    for looked_at in ("organisation/users", "user/current-organisation/groups", f"organisation/groups/{group}",
                      f"organisation/groups/{group}/users", "organisation/organisation-tags"):  # fmt: skip
        assert colleague.rest("GET", looked_at).status == 200


def test_a_role_by_a_group_lasts_as_long_as_group_membership_and_grant_do(made, owner, newcomer):
    colleague, project = newcomer(COLLEAGUE), made["project_id"]
    group = _group(owner, COLLEAGUE)
    path = f"projects/{project}"
    assert colleague.rest("GET", path).status == 403
    owner.rest("POST", f"{path}/groups", {"groupHashList": [group], "userRole": 2})
    assert colleague.rest("GET", path).json["userRole"] == 2
    assert colleague.rest("GET", f"ontologies/{made['ontology_id']}").json["userRole"] is None
    assert [result["userRole"] for result in colleague.rest("GET", "projects").json["results"]] == [2]
    assert COLLEAGUE not in [one["userEmail"] for one in owner.rest("GET", f"{path}/users").json["results"]]
    owner.rest("POST", f"organisation/groups/{group}/users/bulk-delete", {"userEmails": [COLLEAGUE]})
    assert colleague.rest("GET", path).status == 403
    owner.rest("POST", f"organisation/groups/{group}/users", {"userEmails": [COLLEAGUE]})
    assert colleague.rest("GET", path).status == 200
    owner.rest("DELETE", f"{path}/groups?groupHashList={group}")
    assert colleague.rest("GET", path).status == 403


def test_of_several_roles_the_strongest_counts_and_a_listing_names_a_project_once(made, owner, newcomer):
    colleague, path = newcomer(COLLEAGUE), f"projects/{made['project_id']}"
    _add(owner, made, COLLEAGUE, 5)
    for role in (1, 4):
        owner.rest("POST", f"{path}/groups", {"groupHashList": [_group(owner, COLLEAGUE)], "userRole": role})
    assert colleague.rest("GET", path).json["userRole"] == 4
    assert [result["userRole"] for result in colleague.rest("GET", "projects").json["results"]] == [4]
    assert colleague.rest("PUT", f"{path}/status", {"status": "paused"}).status == 200


def test_a_deleted_group_and_a_user_who_left_lose_what_the_group_gave(made, owner, newcomer):
    colleague, path = newcomer(COLLEAGUE), f"projects/{made['project_id']}"
    group = _group(owner, COLLEAGUE)
    owner.rest("POST", f"{path}/groups", {"groupHashList": [group], "userRole": 1})
    owner.rest("DELETE", "organisation/users/colleague%40example.com")
    assert colleague.rest("GET", path).status == 403
    assert owner.rest("GET", f"organisation/groups/{group}/users").json["results"] == []
    owner.rest("DELETE", f"organisation/groups/{group}")
    assert owner.rest("GET", f"{path}/groups").json["results"] == []
    assert owner.rest("GET", f"organisation/groups/{group}").status == 404


def test_the_last_administrator_stays(made, owner):
    project = made["project_id"]
    assert owner.rest("POST", f"projects/{project}/users/bulk-delete", {"userEmails": [owner.email]}).status == 400
    assert owner.rest("GET", f"projects/{project}").status == 200, "nothing of it was done"
    assert owner.rest("DELETE", "organisation/users/owner%40example.com").status == 400
    assert len(owner.rest("GET", "organisation/users").json["results"]) == 1
    _add(owner, made, "second@example.com", 0)
    assert owner.rest("POST", f"projects/{project}/users/bulk-delete", {"userEmails": [owner.email]}).status == 200
    assert owner.rest("GET", f"projects/{project}").status == 403


@pytest.mark.parametrize(
    ("emails", "role", "named"),
    [(["a@example.com"], 6, "user_role"), (["a@example.com"], -1, "user_role"), (["no-address"], 1, "user_emails")],
)
def test_a_role_or_address_that_is_none_is_refused_and_no_one_added(made, owner, emails, role, named):
    project = made["project_id"]
    request = {"user_emails": ["fine@example.com", *emails], "user_role": role}
    answer = owner.ask("projectusers", "POST", project, request, project=project)
    assert (answer.code, named in answer.json["payload"]) == ("INVALID_ARGUMENTS_ERROR", True)
    assert len(owner.rest("GET", f"projects/{project}/users").json["results"]) == 1


@pytest.mark.parametrize("kind", ["projects", "datasets", "ontologies"])
def test_a_group_that_does_not_exist_gets_no_role_and_neither_do_those_beside_it(made, owner, kind):
    path = _path(made, {"projects": "projects/{project}", "datasets": "datasets/{dataset}",
                        "ontologies": "ontologies/{ontology}"}[kind]) + "/groups"  # fmt: skip
    wanted = {"groupHashList": [_group(owner), NOWHERE], "userRole": 1}
    assert owner.rest("POST", path, wanted).status == 404
    assert owner.rest("GET", path).json["results"] == []
    assert owner.rest("POST", path, {**wanted, "userRole": 9}).status == 400
    assert owner.rest("POST", path, {**wanted, "userRole": "admin"}).status == 422
    assert owner.rest("POST", path, {**wanted, "role": 1}).status == 422


def test_the_uid_must_be_the_project_that_the_request_is_about(made, owner):
    request = {"user_emails": ["a@example.com"], "user_role": 1}
    for query_type, payload in (("projectusers", request), ("projectcopy", {})):
        answer = owner.ask(query_type, "POST", NOWHERE, payload, project=made["project_id"])
        assert answer.code == "INVALID_ARGUMENTS_ERROR"


@pytest.mark.parametrize(
    ("scopes", "query_type", "allowed"),
    [
        (["label.read"], "projectusers", False),
        (["label.read"], "projectcopy", False),
        (["label.write"], "projectusers", True),
        (["label.write"], "projectcopy", True),
    ],
)
def test_an_api_key_needs_the_scope_that_writes_to_manage_a_project(made, owner, scopes, query_type, allowed):
    project = made["project_id"]
    key = owner.get("projectapikey", "POST", project, {"title": "k", "scopes": scopes})
    payload = {"user_emails": ["k@example.com"], "user_role": 1} if query_type == "projectusers" else {}
    code = KeyHolder(owner.url, project, key).ask(query_type, "POST", project, payload).code
    assert (code != "OPERATION_NOT_ALLOWED") is allowed
    assert (code is None) is allowed


def test_a_copy_belongs_to_the_owner_of_the_key_that_asked_for_it(made, owner):
    project = made["project_id"]
    key = owner.get("projectapikey", "POST", project, {"title": "k", "scopes": ["label.write"]})
    copied = KeyHolder(owner.url, project, key).ask("projectcopy", "POST", project, {}).json["response"]
    assert owner.rest("GET", f"projects/{copied}").json["userRole"] == 0


def test_a_copy_has_the_same_workflow_with_stages_of_its_own(encord_emulator, owner):
    stages = [
        {"stageType": "CONSENSUS_ANNOTATION", "title": "Together", "annotators": 3},
        {"stageType": "CONSENSUS_REVIEW", "title": "Compare", "reject_to": "Together"},
        {"stageType": "AGENT", "title": "Look", "pathways": [{"title": "good", "to": "Done"}]},
        {"stageType": "DONE", "title": "Done"},
    ]
    template = encord_emulator.template("Long", stages)["uuid"]
    project = encord_emulator.project(owner=owner.email, title="Cats", rows=1, template=template)["project_id"]
    copied = owner.get("projectcopy", "POST", project, {"copy_project_options": ["datasets"]}, project=project)
    again = owner.get("projectcopy", "POST", copied, {}, project=copied)
    views = [owner.rest("GET", f"projects/{one}").json["workflow"]["stages"] for one in (project, copied, again)]
    assert len({stage["uuid"] for view in views for stage in view}) == 12
    assert [[stage["title"] for stage in view] for view in views] == [["Together", "Compare", "Look", "Done"]] * 3
    for view in views:
        (pathway,) = view[2]["pathways"]
        assert (pathway["title"], pathway["destinationUuid"]) == ("good", view[3]["uuid"])
    first = owner.rest("GET", f"projects/{copied}/workflow/stages/{views[1][0]['uuid']}/tasks").json["results"]
    assert [len(task["subtasks"]) for task in first] == [3]


def test_a_copy_s_labels_are_its_own(made, owner):
    project = made["project_id"]
    wanted = {"copy_project_options": ["labels", "datasets"]}
    copied = owner.get("projectcopy", "POST", project, wanted, project=project)
    rows = {one["data_hash"]: one["label_hash"] for one in owner.get("labelrowmetadata", "GET", project=copied)}
    gone = owner.get("projectdataset", "DELETE", [made["dataset_id"]], None, project=project)
    assert gone is True
    read = owner.get("labelrow", "GET", list(rows.values()), {"multi_request": True}, project=copied)
    assert sorted(one["data_hash"] for one in read) == sorted(made["data_hashes"])
    assert all(next(iter(one["data_units"].values()))["labels"]["objects"] for one in read)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"copy_project_options": ["everything"]}, "INVALID_ARGUMENTS_ERROR"),
        ({"copy_labels_options": {"accepted_label_statuses": ["DONE"]}}, "INVALID_ARGUMENTS_ERROR"),
        ({"copy_labels_options": {"datasets_to_data_hashes_map": {NOWHERE: []}}}, "RESOURCE_NOT_FOUND_ERROR"),
        ({"project_copy_metadata": {"title": "x"}}, "INVALID_ARGUMENTS_ERROR"),
    ],
)
def test_a_copy_of_what_cannot_be_is_not_made(encord_emulator, made, owner, payload, code):
    project, before = made["project_id"], encord_emulator.state()["projects"]
    assert owner.ask("projectcopy", "POST", project, payload, project=project).code == code
    assert encord_emulator.state()["projects"] == before


def test_what_is_taken_is_a_conflict_and_what_is_gone_is_not_found(owner):
    new = {"email": "n+x@example.com", "roleMnemonicName": "TASKER", "memberType": "external"}
    assert [owner.rest("POST", "organisation/users", new).status for _ in range(2)] == [200, 409]
    path = "organisation/users/n%2Bx%40example.com"
    assert [owner.rest("DELETE", path).status for _ in range(2)] == [200, 404]
    tag = owner.rest("POST", "organisation/organisation-tags", {"name": "prod"}).json["uuid"]
    assert owner.rest("POST", "organisation/organisation-tags", {"name": "prod", "description": "x"}).status == 409
    listed = owner.rest("GET", "organisation/organisation-tags").json
    assert listed["results"] == owner.rest("GET", "organisation/project-tags").json["results"] != []
    assert [owner.rest("DELETE", f"organisation/organisation-tags/{tag}").status for _ in range(2)] == [200, 404]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), max_size=7),
       size=st.integers(1, 4))  # fmt: skip
def test_issue_tags_come_in_pages_each_once_in_the_order_they_came(encord_emulator, made, owner, names, size):
    copied = owner.get("projectcopy", "POST", made["project_id"], {}, project=made["project_id"])
    path = f"projects/{copied}/issue-tags"
    assert owner.rest("POST", path, {"issueTagNames": names}).status == 200
    encord_emulator.limits(page_size=size)
    seen, token = [], ""
    while token is not None:
        page = owner.rest("GET", path + (f"?pageToken={token}" if token else "")).json
        assert len(page["results"]) <= size
        seen += [result["name"] for result in page["results"]]
        token = page["nextPageToken"]
    assert seen == list(dict.fromkeys(names))


def test_all_of_it_outlives_a_restart(tmp_path):
    path, email = tmp_path / "state.db", "owner@example.com"
    with Emulator.start(database=path) as emulator:
        owner = Person(emulator.url, email)
        emulator.authorize(owner.public_key, email=email)
        made = emulator.project(owner=email, title="Cats", rows=1)
        project = made["project_id"]
        group = _group(owner, email)
        owner.rest("POST", f"projects/{project}/groups", {"groupHashList": [group], "userRole": 3})
        tag = owner.rest("POST", "organisation/organisation-tags", {"name": "prod"}).json["uuid"]
        owner.rest("PUT", f"projects/{project}/tags/{tag}")
        owner.rest("PUT", f"projects/{project}/status", {"status": "inReview"})
        asked = (
            "organisation/users",
            "user/current-organisation/groups",
            f"organisation/groups/{group}/users",
            f"projects/{project}",
            f"projects/{project}/groups",
            f"projects/{project}/tags",
        )
        before = [owner.rest("GET", one).json for one in asked]
    with Emulator.start(database=path) as emulator:
        again = Person(emulator.url, email, owner.key)
        assert [again.rest("GET", one).json for one in asked] == before
    assert before[3]["status"] == "inReview"
    assert all(one["results"] for one in (*before[:3], *before[4:]))
