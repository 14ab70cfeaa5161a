"""Collections, presets, models and the metadata schema: who sees them, what is refused by name, what goes with what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.callers import Person
from tests.emulator.storage.test_storage_jobs import _poll, _upload
from tests.emulator.storage.test_uploads import _put, picture

NO_FILTERS: dict[str, Any] = {"local_filters": {}, "global_filters": {"filters": []}}
NIL = "00000000-0000-0000-0000-000000000000"


def _folder(person: Person, name: str = "Scenes", **more: Any) -> str:
    return str(person.rest("POST", "storage/folders", {"name": name, **more}).json["uuid"])


def _collection(person: Person, folder: str) -> str:
    path = f"index/collections?topLevelFolderUuid={folder}"
    return str(person.rest("POST", path, {"name": "Night", "description": ""}).json)


def _item(person: Person, folder: str) -> str:
    entry = {"objectUrl": _put(person, picture()), "title": "a.png"}
    return str(_poll(person, folder, _upload(person, folder, images=[entry]))["itemsWithNames"][0]["itemUuid"])


def test_a_collection_is_hidden_from_people_without_a_role_in_its_folder(owner, newcomer):
    collection, stranger = _collection(owner, _folder(owner)), newcomer("stranger@example.com")
    assert stranger.rest("GET", "index/collections").json["results"] == []
    assert stranger.rest("GET", f"index/collections/{collection}/all-items").status == 403
    assert stranger.rest("DELETE", f"index/collections/{collection}").status == 403
    assert len(owner.rest("GET", "index/collections").json["results"]) == 1


def test_an_item_that_left_for_a_folder_of_others_has_only_its_id(owner, newcomer):
    mate = newcomer("mate@example.com")
    folder, elsewhere = _folder(owner), _folder(owner, "Elsewhere")
    group = owner.rest("POST", "organisation/groups", {"name": "g"}).json["groupHash"]
    owner.rest(
        "POST", "organisation/users", {"email": mate.email, "roleMnemonicName": "MEMBER", "memberType": "internal"}
    )
    owner.rest("POST", f"organisation/groups/{group}/users", {"userEmails": [mate.email]})
    owner.rest("POST", f"storage/folders/{folder}/groups", {"groupHashList": [group], "userRole": "user"})
    item, collection = _item(owner, folder), _collection(owner, folder)
    owner.rest("POST", f"index/collections/{collection}/add-items", {"itemUuids": [item]})
    owner.rest("POST", f"storage/folders/{folder}/items/move", {"itemUuids": [item], "newParentUuid": elsewhere})
    assert mate.rest("GET", f"index/collections/{collection}/all-items").json["results"] == [{"uuid": item}]
    assert mate.rest("GET", f"index/collections/{collection}/accessible-items").json["results"] == []
    assert owner.rest("GET", f"index/collections/{collection}/all-items").json["results"][0]["name"] == "a.png"


def test_a_folder_takes_its_collections_along(owner):
    folder = _folder(owner)
    _collection(owner, folder)
    assert owner.rest("DELETE", f"storage/folders/{folder}").status == 200
    assert owner.rest("GET", "index/collections").json["results"] == []


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (f"index/presets?topLevelFolderUuid={NIL}", {"name": "p", "filterPresetJson": {"localFilters": {}}}, "localF"),
        (f"index/presets?topLevelFolderUuid={NIL}", {"name": " ", "filterPresetJson": NO_FILTERS}, "name"),
        ("index/collections", {"name": "c"}, "topLevelFolderUuid"),
        ("organisation/client-metadata-schema-v2", {"a": {"ty": "numbre"}}, "numbre"),
        ("organisation/client-metadata-schema-v2", {"$a": {"ty": "text"}}, "$a"),
        ("organisation/client-metadata-schema-v2", {"a": {"ty": "embedding", "size": 0}}, "a"),
        ("ml-models", {"title": "m", "model": "fasterRcnn", "features": []}, "features"),
        ("ml-models", {"title": "m", "model": "fasterRcnn", "features": ["car"], "colour": "red"}, "colour"),
        ("dicom-deidentification", {"integrationUuid": NIL, "dicomUrls": ["s3://b/a.dcm"]}, "integrationUuid"),
    ],
)
def test_what_is_wrong_is_refused_by_name(owner, path, body, named):
    answer = owner.rest("POST", path, body)
    assert answer.status in {400, 404, 422}
    assert named in answer.content.decode()


def test_only_administrators_of_the_organisation_save_the_schema(owner, encord_emulator):
    member = Person(encord_emulator.url, "member@example.com")
    encord_emulator.authorize(member.public_key, email=member.email, role="MEMBER")
    path, schema = "organisation/client-metadata-schema-v2", {"site": {"ty": "text"}}
    assert member.rest("POST", path, schema).status == 403
    assert owner.rest("POST", path, schema).status == 200
    assert member.rest("GET", path).json == schema


def test_a_model_is_its_owners_alone(owner, newcomer):
    body = {"title": "Cars", "model": "fasterRcnn", "features": ["car"]}
    model = owner.rest("POST", "ml-models", body).json["modelGroup"]["modelUuid"]
    stranger = newcomer("stranger@example.com")
    assert stranger.rest("GET", "ml-models").json["results"] == []
    assert stranger.rest("GET", f"ml-models/{model}").status == 404
    assert owner.rest("GET", f"ml-models/{model}").status == 200


def test_a_folder_that_is_not_synced_has_no_configuration(owner, encord_emulator, tmp_path):
    plain = _folder(owner)
    assert owner.rest("GET", f"storage/folders/{plain}/folder-config").status == 400
    integration = encord_emulator.bucket("aws", "s3://b", tmp_path)
    link = {"integrationUuid": integration, "remoteUrl": "s3://b/"}
    synced = _folder(owner, "Synced", cloudSyncedFolderParams=link)
    path = f"storage/folders/{synced}/folder-config"
    assert owner.rest("GET", path).json == {"metadataIngestion": None}
    wrong = {"metadataIngestion": {"matcher": {"mode": "suffix", "suffix": ""}, "paused": False}}
    assert owner.rest("POST", path, wrong).status == 422
    assert owner.rest("POST", path, {"retentionDays": 30}).status == 200
    assert owner.rest("GET", path).json == {"retentionDays": 30}


def test_a_data_group_in_a_dataset_is_one_data_unit_with_one_label_row(owner):
    folder = _folder(owner)
    items = [_item(owner, folder), _item(owner, folder)]
    group = {"layoutType": "default-grid", "layoutContents": items}
    (item,) = owner.rest("POST", f"storage/folders/{folder}/create-group-items", [group]).json
    dataset = owner.rest("POST", "datasets", {"title": "d", "createBackingFolder": False}).json["datasetUuid"]
    owner.get(
        "datasetlinkitems", "POST", dataset, {"item_uuids": [item], "duplicates_behavior": "SKIP"}, dataset=dataset
    )
    project = owner.get("project", "POST", None, {"title": "p", "dataset_hashes": [dataset], "ontology_hash": None})
    (row,) = owner.get("labelrowmetadata", "GET", None, {"include_uninitialised_labels": True}, project=project)
    assert row["data_type"] == "GROUP"
    how = {"multi_request": True, "get_signed_url": False, "branch_name": None}
    (created,) = owner.get("labelrow", "PUT", [row["data_hash"]], how, project=project)
    assert created["data_hash"] == row["data_hash"]
