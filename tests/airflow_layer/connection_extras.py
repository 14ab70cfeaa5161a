"""Extras of connections: those that work, those that are refused with what the refusal names, and their secrets."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.client import keys

KEY = keys.new_key()
TEXT = keys.openssh(KEY)
PASSPHRASE = "open sesame, please"
LOCKED = keys.openssh(KEY, PASSPHRASE)
LOCKED_BY_NUMBER = keys.openssh(KEY, "123456")
PUBLIC = keys.public_hex(KEY)
STRANGER = keys.openssh(keys.new_key())
API_KEY = "Zm9v-a-legacy-api-key_0123456789"
RESOURCE = str(uuid.uuid4())
CA_BUNDLE = __file__  # any file: only its path is checked
GOOGLE_ACCOUNT = json.loads(keys.google_account())
TEXTS = (TEXT, LOCKED, STRANGER, GOOGLE_ACCOUNT["private_key"])
SECRETS = (PASSPHRASE, API_KEY, *(line for text in TEXTS for line in text.splitlines()[1:-1]))
EVERY_FIELD: dict[str, dict[str, Any]] = {
    "ssh key": {"private_key": TEXT},
    "ssh key that names its method": {"auth_method": "ssh_key", "private_key": TEXT},
    "locked ssh key": {"private_key": LOCKED, "private_key_passphrase": PASSPHRASE},
    "ssh key locked by a number": {"private_key": LOCKED_BY_NUMBER, "private_key_passphrase": 123456},
    "ssh key with typed settings": {
        "private_key": TEXT,
        "connect_timeout": 5,
        "read_timeout": 7.5,
        "ca_bundle": CA_BUNDLE,
        "allow_http": True,
        "web_app_url": "https://app.example.com",
    },
    "ssh key with textual settings": {
        "private_key": TEXT,
        "connect_timeout": "5",
        "read_timeout": " 7.5 ",
        "ca_bundle": CA_BUNDLE,
        "allow_http": "True",
        "web_app_url": " https://app.example.com/ ",
    },
    "other method's fields are ignored where the method is named": {
        "auth_method": "ssh_key",
        "private_key": TEXT,
        "api_key": API_KEY,
        "resource_id": RESOURCE,
    },
    "empty fields count as absent": {
        "auth_method": "",
        "private_key": TEXT,
        "ssh_key_path": "",
        "private_key_passphrase": "",
        "api_key": " ",
        "resource_id": "",
        "connect_timeout": "",
        "read_timeout": "",
        "ca_bundle": "",
        "allow_http": "",
        "web_app_url": "",
    },
    "null fields count as absent": {
        "auth_method": None,
        "private_key": TEXT,
        "ssh_key_path": None,
        "api_key": None,
        "resource_id": None,
        "connect_timeout": None,
        "allow_http": None,
    },
}
BOTH_KEYS = {"private_key": TEXT, "api_key": API_KEY}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, ["private_key", "ssh_key_path", "api_key", "resource_id"]),
    "only empty fields": ({"private_key": " ", "api_key": "", "resource_id": None}, ["private_key", "api_key"]),
    "a misspelt field": ({"privat_key": TEXT}, ["privat_key", "spelling", "private_key"]),
    "both methods": ({**BOTH_KEYS, "resource_id": RESOURCE}, ["private_key, api_key, resource_id", "auth_method"]),
    "path and resource id": ({"ssh_key_path": "~/k", "resource_id": RESOURCE}, ["ssh_key_path, resource_id"]),
    "ssh_key without its fields": (
        {"auth_method": "ssh_key", "api_key": API_KEY, "resource_id": RESOURCE},
        ["auth_method ssh_key", "private_key or ssh_key_path"],
    ),
    "api_key without its fields": (
        {"auth_method": "api_key", "private_key": TEXT},
        ["auth_method api_key", "api_key and resource_id"],
    ),
    "api_key without its resource": ({"api_key": API_KEY}, ["resource_id: it is empty"]),
    "resource without its api_key": ({"resource_id": RESOURCE}, ["api_key: it is empty"]),
    "resource id that is none": ({"api_key": API_KEY, "resource_id": "street"}, ["resource_id", "UUID"]),
    "unknown method": ({"auth_method": "password", "private_key": TEXT}, ["auth_method", "ssh_key, api_key"]),
    "key pasted as the method": ({"auth_method": API_KEY, "private_key": TEXT}, ["auth_method", "ssh_key, api_key"]),
    "two keys": ({"private_key": TEXT, "ssh_key_path": "~/key"}, ["private_key", "ssh_key_path", "Empty one"]),
    "no such file": ({"ssh_key_path": "~/nowhere/key"}, ["ssh_key_path", "nowhere"]),
    "key that is not text": ({"private_key": True}, ["private_key", "string"]),
    "key that is an object": ({"private_key": {"a": 1}}, ["private_key", "not a private key"]),
    "key that is a list": ({"private_key": ["a"]}, ["private_key", "not a private key"]),
    "google's account as an object": ({"private_key": GOOGLE_ACCOUNT}, ["private_key:", "Google service account"]),
    "api key that is not text": ({"api_key": 1.7, "resource_id": RESOURCE}, ["api_key", "string"]),
    "passphrase that is not text": ({"private_key": LOCKED, "private_key_passphrase": 1.7}, ["passphrase", "string"]),
    "passphrase missing": ({"private_key": LOCKED}, ["private_key_passphrase"]),
    "passphrase wrong": ({"private_key": LOCKED, "private_key_passphrase": f"not {PASSPHRASE}"}, ["does not open"]),
    "half a key": ({"private_key": TEXT[: len(TEXT) // 2]}, ["private_key", "END"]),
    "airflow's mask instead of the key": ({"private_key": "***"}, ["private_key"]),
    "airflow's mask instead of the api key": ({"api_key": "***", "resource_id": RESOURCE}, ["api_key", "mask"]),
    "timeout in words": ({"private_key": TEXT, "connect_timeout": "30s"}, ["connect_timeout", "seconds"]),
    "timeout of zero": ({"private_key": TEXT, "read_timeout": 0}, ["read_timeout", "over 0"]),
    "timeout below zero": ({"private_key": TEXT, "connect_timeout": "-1"}, ["connect_timeout", "over 0"]),
    "timeout that is not a number": ({"private_key": TEXT, "read_timeout": "nan"}, ["read_timeout"]),
    "endless timeout": ({"private_key": TEXT, "read_timeout": "inf"}, ["read_timeout"]),
    "timeout that is a list": ({"private_key": TEXT, "connect_timeout": [1]}, ["connect_timeout"]),
    # fault 8.5
    "timeout beyond a day": ({"private_key": TEXT, "read_timeout": 1e12}, ["read_timeout", "86400"]),
    "timeout of 400 digits": ({"private_key": TEXT, "read_timeout": 10**400}, ["read_timeout", "seconds"]),
    "timeout of 400 digits as a text": (
        {"private_key": TEXT, "total_timeout": "9" * 400},
        ["total_timeout", "seconds"],
    ),
    "timeout that is a switch": ({"private_key": TEXT, "total_timeout": True}, ["total_timeout", "seconds"]),
    "CA bundle as text": (
        {"private_key": TEXT, "ca_bundle": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
        ["ca_bundle", "text of a PEM file", "path"],
    ),
    "key as CA bundle": ({"private_key": TEXT, "ca_bundle": TEXT}, ["ca_bundle", "path"]),
    "CA bundle too long for a path": ({"private_key": TEXT, "ca_bundle": "/" + "a" * 9000}, ["ca_bundle", "no file"]),
    "CA bundle with a zero byte": ({"private_key": TEXT, "ca_bundle": "/a\0b"}, ["ca_bundle", "no file"]),
    "CA bundle, unknown user": ({"private_key": TEXT, "ca_bundle": "~no-such-user/ca.pem"}, ["ca_bundle", "no file"]),
    "Bearer and the API key": (
        {"api_key": f"Bearer {API_KEY}", "resource_id": RESOURCE},
        ["api_key", "Bearer", "only the key"],
    ),
    "the whole header": (
        {"api_key": f"authorization: bearer {API_KEY}", "resource_id": RESOURCE},
        ["api_key", "Authorization header", "only the key"],
    ),
    "old-style fields": (
        {"extra__encord__api_key": API_KEY},
        ["resource_id: it is empty"],
    ),
    "allow_http in other words": ({"private_key": TEXT, "allow_http": "maybe"}, ["allow_http", "true or false"]),
    "script as the web app": ({"private_key": TEXT, "web_app_url": "javascript:alert(1)"}, ["web_app_url", "https://"]),
    "key as the web app": ({"private_key": TEXT, "web_app_url": TEXT}, ["web_app_url", "https://"]),
    "web app with a password": ({"private_key": TEXT, "web_app_url": "https://a:b@x.example"}, ["web_app_url", "user"]),
    "no such CA bundle": ({"private_key": TEXT, "ca_bundle": "/nowhere/ca.pem"}, ["ca_bundle", "/nowhere/ca.pem"]),
}
