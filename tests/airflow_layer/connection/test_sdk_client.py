"""The vendor's own client from the same connection. Half of this needs the extra ``sdk``: Airflow 3.3 has it here."""

from __future__ import annotations

import importlib.util
import uuid
from typing import Any

import pytest

from airflow_provider_encord.client.errors import CredentialError, UnsupportedByCredentialError
from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection
from tests.client import keys
from tests.client.authority import Authority
from tests.client.leaks import body_parts, windows

INSTALLED = importlib.util.find_spec("encord") is not None
with_the_sdk = pytest.mark.skipif(not INSTALLED, reason="the extra sdk is not installed here")
without_the_sdk = pytest.mark.skipif(INSTALLED, reason="the extra sdk is installed here")

API = "https://api.encord.com"
WITH_AN_AGENT = [
    {"stageType": "AGENT", "title": "Sort", "pathways": [{"title": "to people", "to": "Annotate"}]},
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes ``encord_default`` a connection with these fields."""

    def with_fields(host: str = API, **extra: Any) -> None:
        fields = {"private_key": keys.openssh(keys.new_key()), **extra}
        monkeypatch.setenv(SSH_CONNECTION, connection(host, **{k: v for k, v in fields.items() if v is not None}))

    return with_fields


# What holds with or without the SDK


@without_the_sdk
def test_without_the_extra_the_error_names_it(connect: Any) -> None:
    from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

    connect()
    with pytest.raises(AirflowOptionalProviderFeatureException) as caught:
        EncordHook().get_sdk_client()
    assert "pip install 'airflow-provider-encord[sdk]'" in str(caught.value)
    assert "needs the module encord, which is not installed" in str(caught.value)


def test_an_api_key_is_no_credential_of_the_sdk_and_the_way_round_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    own = connection(API, api_key="test-only-api-key-0123456789", resource_id=str(uuid.uuid4()))
    monkeypatch.setenv(API_KEY_CONNECTION, own)
    with pytest.raises(UnsupportedByCredentialError, match=r"get_conn\(\).*SSH key") as caught:
        EncordHook("encord_api_key").get_sdk_client()
    assert "0123456789" not in str(caught.value)


def test_certificates_of_the_connection_cannot_be_carried_over_and_the_way_round_is_reported(
    connect: Any, tmp_path: Any
) -> None:
    bundle = Authority(tmp_path, "ours").bundle
    connect(ca_bundle=str(bundle))
    with pytest.raises(UnsupportedByCredentialError, match=f"ca_bundle.*REQUESTS_CA_BUNDLE to {bundle}"):
        EncordHook().get_sdk_client()


@pytest.mark.parametrize("make", [keys.rsa_key, keys.ecdsa_key])
def test_a_key_that_is_no_ed25519_never_gets_to_the_sdk_which_would_quote_it(connect: Any, make: Any) -> None:
    text = keys.openssh(make())
    connect(private_key=text)
    with pytest.raises(CredentialError, match="private_key") as caught:
        EncordHook().get_sdk_client()
    assert not windows(str(caught.value)) & body_parts(text)


# What needs it


@with_the_sdk
def test_address_key_and_time_outs_are_those_of_the_connection(connect: Any) -> None:
    import encord

    key = keys.new_key()
    connect("api.us.encord.com", private_key=keys.pkcs8(key), connect_timeout=7, read_timeout=11.5)
    client = EncordHook().get_sdk_client()

    assert isinstance(client, encord.EncordUserClient)
    config: Any = client.user_config.config
    assert config.domain == "https://api.us.encord.com"
    assert config.public_key_hex == keys.public_hex(key)
    settings = config.requests_settings
    assert (settings.connect_timeout, settings.read_timeout, settings.write_timeout) == (7, 11.5, 11.5)
    assert "airflow-provider-encord/" in config.user_agent_suffix
    assert "apache-airflow/" in config.user_agent_suffix


@with_the_sdk
@pytest.mark.parametrize("form", ["OpenSSH", "PKCS#8", "with a passphrase", "with its line ends escaped", "a file"])
def test_every_form_of_a_key_that_we_take_works_with_it(connect: Any, tmp_path: Any, form: str) -> None:
    key = keys.new_key()
    fields: dict[str, Any] = {
        "OpenSSH": {"private_key": keys.openssh(key)},
        "PKCS#8": {"private_key": keys.pkcs8(key)},
        "with a passphrase": {"private_key": keys.openssh(key, "open sesame"), "private_key_passphrase": "open sesame"},
        "with its line ends escaped": {"private_key": keys.openssh(key).replace("\n", "\\n")},
        "a file": {"private_key": None, "ssh_key_path": str(tmp_path / "key")},
    }[form]
    (tmp_path / "key").write_text(keys.openssh(key))
    (tmp_path / "key").chmod(0o600)
    connect(**fields)
    config: Any = EncordHook().get_sdk_client().user_config.config
    assert config.public_key_hex == keys.public_hex(key)


@with_the_sdk
def test_the_keys_of_the_machine_are_not_taken_for_those_of_the_connection(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCORD_SSH_KEY", keys.openssh(keys.new_key()))
    connect(private_key="")
    with pytest.raises(CredentialError):
        EncordHook().get_sdk_client()


@with_the_sdk
def test_it_works_on_what_the_connection_leads_to(account: Account) -> None:
    seeded = account.project(title="Street", created=1.0)
    client = EncordHook().get_sdk_client()

    project = client.get_project(seeded["project_id"])
    assert project.title == "Street"
    assert len(project.list_label_rows_v2()) == 3
    assert client.get_dataset(seeded["dataset_id"]).dataset_hash == seeded["dataset_id"]
    assert {entry["credential"][:4] for entry in account.emulator.journal()} == {"ssh:"}


@with_the_sdk
def test_certificates_that_the_machine_trusts_too_are_carried_over(
    connect: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "ours")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with authority.server() as server:
        connect(server.url, ca_bundle=str(authority.bundle))
        with pytest.raises(Exception, match=r".+"):
            EncordHook().get_sdk_client().get_project(str(uuid.uuid4()))
        assert server.requests  # the handshake was accepted; the server has nothing to say


@with_the_sdk
def test_no_part_of_the_key_is_in_what_the_client_shows(connect: Any) -> None:
    text = keys.openssh(keys.new_key())
    connect(private_key=text)
    client = EncordHook().get_sdk_client()
    for shown in (repr(client), str(client), repr(client.user_config)):
        assert not windows(shown) & body_parts(text)


@with_the_sdk
@pytest.mark.skipif(importlib.util.find_spec("encord_agents") is None, reason="encord-agents is not installed here")
def test_a_runner_of_encord_agents_takes_it(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from encord_agents.tasks import QueueRunner

    for name in ("ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    template = account.emulator.template(f"Agents {uuid.uuid4()}", WITH_AN_AGENT)
    seeded = account.project(title="Street", template=template["uuid"])
    client = EncordHook().get_sdk_client()
    runner = QueueRunner(project_hash=seeded["project_id"], user_client=client)

    assert runner.project is not None
    assert runner.project.title == "Street"
    assert runner.client is client
