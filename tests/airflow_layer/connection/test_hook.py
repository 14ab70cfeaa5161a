"""The hook against the emulator, under both kinds of credential."""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import json
import pickle
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import CredentialError, UnsupportedByCredentialError
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.projects import EncordGetProjectOperator
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection, run_dag
from tests.client import keys
from tests.free_port import free_port

PASSPHRASE = "open sesame, please"


def test_making_a_hook_reads_and_sends_nothing() -> None:
    EncordHook("a_connection_that_does_not_exist").close()


def test_the_client_is_made_once_and_again_after_closing(account: Account) -> None:
    hook = EncordHook()
    client = hook.get_conn()

    assert isinstance(client, EncordClient)
    assert hook.get_conn() is client
    hook.close()
    hook.close()
    assert hook.get_conn() is not client
    hook.close()


def test_leaving_the_with_gives_the_client_back(account: Account) -> None:
    with EncordHook("encord_default") as hook:
        client = hook.get_conn()
    assert hook.get_conn() is not client
    hook.close()


def test_an_ssh_key_reaches_any_project_and_dataset_of_its_user(account: Account) -> None:
    seeded = account.project(title="Street")

    with EncordHook() as hook:
        assert hook.get_project(seeded["project_id"]).get().title == "Street"
        assert len(hook.get_dataset(seeded["dataset_id"]).data_rows()) == 3
        assert len(hook.get_project(seeded["project_id"]).label_rows()) == 3


def test_creating_twice_gives_the_same_project_and_dataset(account: Account) -> None:
    with EncordHook() as hook:
        client = hook.get_conn()
        dataset = client.create_dataset("Intake")
        project = client.create_project("Street", description="cars", dataset_ids=[dataset.id])

        assert client.create_dataset("Intake").id == dataset.id
        assert client.create_project("Street").id == project.id
        assert [one.dataset_hash for one in hook.get_project(project.id).datasets()] == [dataset.id]
        assert client.create_dataset("Intake", if_exists="new").id != dataset.id


def test_an_api_key_reaches_its_own_project_without_an_id(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = account.project(title="Street", created=1.0)
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["project_id"]))

    with EncordHook("encord_api_key") as hook:
        assert hook.get_project().id == seeded["project_id"]
        assert hook.get_project().get().title == "Street"
        assert hook.get_project(seeded["project_id"]).label_rows() == hook.get_project().label_rows()


def test_an_api_key_reaches_its_own_dataset_without_an_id(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = account.project(title="Street")
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["dataset_id"], "dataset"))

    with EncordHook("encord_api_key") as hook:
        assert hook.get_dataset().id == seeded["dataset_id"]
        assert hook.get_dataset().get().dataset_hash == seeded["dataset_id"]


BEYOND_AN_API_KEY: dict[str, Callable[[EncordHook], Any]] = {
    "create a project": lambda hook: hook.get_conn().create_project("Street"),
    "create a dataset": lambda hook: hook.get_conn().create_dataset("Street"),
    "another project": lambda hook: hook.get_project(str(uuid.uuid4())).get(),
    "a dataset": lambda hook: hook.get_dataset().get(),
    "list projects": lambda hook: hook.get_conn().projects(),
}


@pytest.mark.parametrize("attempt", BEYOND_AN_API_KEY.values(), ids=BEYOND_AN_API_KEY)
def test_what_an_api_key_cannot_do_is_refused_before_it_is_sent(
    attempt: Callable[[EncordHook], Any], account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = account.project()
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["project_id"]))
    account.emulator.clear_journal()

    with EncordHook("encord_api_key") as hook, pytest.raises(UnsupportedByCredentialError, match="SSH key"):
        attempt(hook)
    assert {entry["query_type"] for entry in account.emulator.journal()} <= {"apikeymeta"}


class TestTryingAConnection:
    """`test_connection`, which Airflow's form and ``airflow connections test`` call."""

    def verdict(self, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[bool, str]:
        monkeypatch.setenv(SSH_CONNECTION, text)
        return EncordHook().test_connection()

    def test_a_registered_ssh_key_is_accepted_with_one_read(self, account: Account) -> None:
        account.emulator.clear_journal()
        works, message = EncordHook().test_connection()

        assert works
        assert "accepts this SSH key" in message
        assert account.emulator.url.removeprefix("http://") in message
        assert [entry["changes"] for entry in account.emulator.journal()] == [False]

    @pytest.mark.parametrize("kind", ["project", "dataset"])
    def test_an_api_key_is_accepted_and_reported_what_it_belongs_to(
        self, kind: str, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resource = account.project()[f"{kind}_id"]
        works, message = self.verdict(monkeypatch, account.api_key_connection(resource, kind))

        assert works
        assert f"{kind} {resource}" in message

    def test_an_unregistered_key_differs_from_other_troubles(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger = keys.openssh(keys.new_key())
        works, message = self.verdict(monkeypatch, connection(emulator.url, private_key=stranger))

        assert not works
        assert "Register its public half" in message
        assert "region" in message

    def test_a_wrong_api_key_is_refused(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = connection(account.emulator.url, api_key="w" * 43, resource_id=account.project()["project_id"])
        works, message = self.verdict(monkeypatch, wrong)

        assert not works
        assert "Check api_key (copy it again) and resource_id" in message
        assert "w" * 43 not in message

    def test_an_api_key_of_another_resource_is_refused(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        key = account.api_key(account.project()["project_id"])
        other = account.project()["project_id"]
        works, message = self.verdict(monkeypatch, connection(account.emulator.url, api_key=key, resource_id=other))

        assert not works
        assert "resource_id" in message

    @pytest.mark.parametrize("seconds", [-7200.0, 7200.0])
    def test_a_wrong_clock_is_named(self, seconds: float, account: Account) -> None:
        account.emulator.clock(advance_s=seconds)
        works, message = EncordHook().test_connection()

        assert not works
        assert "clock of this machine" in message
        assert ("behind" if seconds > 0 else "ahead of") in message

    def test_a_missing_passphrase_is_named(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        locked = keys.openssh(keys.new_key(), PASSPHRASE)
        works, message = self.verdict(monkeypatch, connection(account.emulator.url, private_key=locked))

        assert not works
        assert "private_key_passphrase" in message

    @pytest.mark.parametrize("field", ["private_key", "api_key"])
    def test_airflows_mask_instead_of_a_stored_secret_is_named(
        self, field: str, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        extra = {field: "***", **({"resource_id": str(uuid.uuid4())} if field == "api_key" else {})}
        works, message = self.verdict(monkeypatch, connection(account.emulator.url, **extra))

        assert not works
        assert "mask" in message
        assert field in message

    def test_plain_http_to_another_machine_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        key = keys.openssh(keys.new_key())
        works, message = self.verdict(monkeypatch, connection("http://encord.example.com", private_key=key))

        assert not works
        assert "allow_http" in message

    def test_a_connection_that_does_not_exist_is_a_message_too(self) -> None:
        works, message = EncordHook("no_such_connection").test_connection()

        assert not works
        assert "no_such_connection" in message

    @pytest.mark.parametrize(
        ("host", "named"),
        [("http://127.0.0.1:{port}", "refused"), ("https://no-such-host.invalid", "not known")],
    )
    def test_a_host_that_is_not_reached_is_named_without_a_long_wait(
        self, host: str, named: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host = host.format(port=free_port())
        started = datetime.datetime.now(datetime.UTC)
        works, message = self.verdict(monkeypatch, connection(host, private_key=keys.openssh(keys.new_key())))
        waited = datetime.datetime.now(datetime.UTC) - started

        assert not works
        assert named in message
        assert "host" in message
        assert waited.total_seconds() < 15

    def test_a_failing_server_is_a_message_after_one_attempt(self, account: Account) -> None:
        account.emulator.clear_journal()
        account.emulator.faults([{"match": {}, "do": {"status": 503, "headers": {"Retry-After": "0"}}}])
        works, message = EncordHook().test_connection()

        assert not works
        assert "HTTP 503" in message
        assert len(account.emulator.journal()) == 1  # somebody looks at the form meanwhile


def _forms(secret: str) -> list[str]:
    """The secret as a log line could hold it, and each line of it."""
    lines = [line for line in secret.splitlines() if "-----" not in line]
    whole = [secret, secret.strip(), secret.replace("\n", " ").strip(), json.dumps(secret)[1:-1], quote(secret)]
    return [*whole, *lines, "".join(lines), *(quote(line, safe="") for line in lines)]


@pytest.mark.parametrize("shape", ["as it is", "with blanks for line ends", "with literal \\n"])
@pytest.mark.parametrize("locked", [False, True])
def test_airflow_masks_the_whole_key_each_line_of_it_and_the_passphrase(
    locked: bool, shape: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.common.compat.sdk import redact

    text = keys.openssh(keys.new_key(), PASSPHRASE if locked else None)
    stored = {"as it is": text, "with blanks for line ends": text.replace("\n", " ")}.get(
        shape, text.replace("\n", "\\n")
    )
    extra = {"private_key": stored, **({"private_key_passphrase": PASSPHRASE} if locked else {})}
    monkeypatch.setenv(SSH_CONNECTION, connection(emulator.url, **extra))
    with EncordHook() as hook:
        hook.get_conn()

    lines = [line for line in text.splitlines() if "-----" not in line]
    in_base64 = base64.b64encode(text.encode()).decode()
    also = [PASSPHRASE] * locked + [in_base64] * (shape == "as it is")
    for form in {*_forms(text), stored, *also}:
        result = str(redact(f"the text {form} of a log line"))
        assert [secret for secret in (*lines, PASSPHRASE if locked else "\0") if secret in result] == [], form
        assert "***" in result


def test_airflow_masks_the_api_key(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import redact

    project = account.project()["project_id"]
    key = account.api_key(project)
    monkeypatch.setenv(API_KEY_CONNECTION, connection(account.emulator.url, api_key=key, resource_id=project))
    with EncordHook("encord_api_key") as hook:
        hook.get_conn()

    assert key not in str(redact(f"Authorization: {key}"))
    assert quote(key, safe="") not in str(redact(f"?key={quote(key, safe='')}"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://:rosebud%40{n}@127.0.0.1:{port}/0",
        "redis://127.0.0.1:{port}/0?password=rosebud%40{n}",
        "redis://:rosebud@{n}@[oops/0",
    ],
)
def test_airflow_masks_the_password_of_redis(account: Account, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    pytest.importorskip("redis")
    from airflow.providers.common.compat.sdk import redact

    number = uuid.uuid4().hex
    stored = url.format(n=number, port=free_port())
    monkeypatch.setenv("AIRFLOW__ENCORD__RATE_LIMIT_REDIS_URL", stored)
    with EncordHook() as hook, contextlib.suppress(CredentialError):
        hook.get_conn()

    for form in (stored, f"rosebud@{number}" if "oops" not in url else stored):
        assert number not in str(redact(f"the text {form} of a log line"))


def test_secrets_are_masked_before_a_bad_connection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import redact

    text = keys.openssh(keys.new_key())
    monkeypatch.setenv(SSH_CONNECTION, connection("", private_key=text, ssh_key_path="~/key"))
    works, _ = EncordHook().test_connection()

    assert not works
    assert text.splitlines()[1] not in str(redact(f"line {text.splitlines()[1]}"))


def _times_told(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, project: str) -> int:
    """How often; a line may come to both places, or to one, depending on who set Airflow's logging up."""
    places = (capfd.readouterr().out, caplog.text)
    return max(
        sum("removed support for API keys in November 2024" in line and project in line for line in place.splitlines())
        for place in places
    )


def test_the_end_of_api_keys_is_reported_once_and_not_with_an_ssh_key(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    project = account.project()["project_id"]
    variable = f"AIRFLOW_CONN_KEY_{uuid.uuid4().hex.upper()}"
    monkeypatch.setenv(variable, account.api_key_connection(project))
    for _ in range(3):
        with EncordHook(variable.removeprefix("AIRFLOW_CONN_").lower()) as hook:
            hook.get_conn()
    with EncordHook() as hook:
        hook.get_conn()

    assert _times_told(capfd, caplog, project) == 1


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_a_plain_task_uses_the_hook_and_each_try_is_reported_once_of_the_end_of_api_keys(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    from tests.airflow_layer.dags import hook_in_plain_tasks

    project = account.project(created=1.0)["project_id"]
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(project))
    run = run_dag(hook_in_plain_tasks.dag, project=project, tried=str(tmp_path / "tried"))

    assert run.state == "success", run.tasks
    assert run.results["count_with_ssh_key"] == 3
    assert run.results["count_with_api_key"] == [3, 3, 3]
    assert _times_told(capfd, caplog, project) == 2


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda hook: pickle.loads(pickle.dumps(hook))])
@pytest.mark.parametrize("used", [False, True])
def test_a_hook_can_be_copied_and_pickled_without_its_secrets(account: Account, copied: Any, used: bool) -> None:
    """Fault 15.4: a hook in use could not be deep-copied, and operators are."""
    project = account.project(title="Street")["project_id"]
    hook = EncordHook()
    if used:
        assert hook.get_project(project).get().title == "Street"
        hook.log.info("in use")
    twin = copied(hook)
    assert "_client" not in vars(twin)
    assert twin.get_project(project).get().title == "Street"
    assert hook.get_project(project).get().title == "Street"
    assert twin.get_conn() is not hook.get_conn()


def test_a_client_is_copied_by_reference_and_never_pickled(account: Account) -> None:
    client = EncordHook().get_conn()
    assert copy.deepcopy({"client": client, "project": client.project(str(uuid.uuid4()))})["client"] is client
    with pytest.raises(TypeError, match="holds a secret and cannot be pickled"):
        pickle.dumps(client)


def test_an_operator_whose_hook_is_in_use_can_be_deep_copied(account: Account) -> None:  # fault 15.4
    operator = EncordGetProjectOperator(task_id="get", project_id=account.project(title="Street")["project_id"])
    operator.execute({})
    twin = copy.deepcopy(operator)
    assert twin.execute({}) == operator.execute({})
