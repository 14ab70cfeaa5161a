"""Every way in that Airflow has, with every kind of credential: what was put in arrives, byte for byte, and works.

The form is tried in a browser (``tests/e2e``). Commands run as Airflow's own entry point runs them, in this process;
once each also as a process of its own.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import airflow
import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.hooks.encord import EncordHook
from encord_emulator.process import Emulator
from tests.airflow_layer import ways_in
from tests.airflow_layer.arrival import Arrival, arrive
from tests.airflow_layer.bench import Account
from tests.airflow_layer.commands import airflow_command, airflow_in_process, forked
from tests.client import keys
from tests.forks.client import Forks

ID = "encord_way_in"
VARIABLE = f"AIRFLOW_CONN_{ID.upper()}"
# What shells, JSON, YAML, URIs and ``.env`` files each treat in a way of their own.
PASSPHRASE = "100%25 + \"two\" 'words' \\n $HOME #&=@:/? \u2713"
ROWS = 3
_KEY = keys.new_key()
AIRFLOW_2 = airflow.__version__.startswith("2.")
EVERY_CREDENTIAL = pytest.mark.parametrize("credential", ways_in.CREDENTIALS)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of credential: the connection to store, and how the emulator names who uses it."""

    connection: ways_in.Connection
    seen_as: str


@dataclasses.dataclass(frozen=True)
class Place:
    """An account, and its project, that every credential opens."""

    emulator: Emulator
    project: str
    kinds: Mapping[str, Kind]

    def names(self) -> dict[str, str]:
        """A connection id for each kind."""
        return {kind: f"encord_{number}" for number, kind in enumerate(self.kinds)}

    def connections(self) -> dict[str, ways_in.Connection]:
        """The connections of all kinds, by connection id."""
        return {name: self.kinds[kind].connection for kind, name in self.names().items()}

    def check(self, kind: str, arrival: Arrival, seen_as: str | None = None) -> None:
        """What arrived is what was put in, and Encord took it from whom it belongs to."""
        wanted = self.kinds[kind].connection
        texts = {name: value for name, value in wanted.extra.items() if isinstance(value, str)}
        assert {name: arrival.extra[name] for name in texts} == texts
        assert set(arrival.extra) == set(wanted.extra)
        assert arrival.settings == {"base_url": wanted.host, "connect_timeout": wanted.extra.get("connect_timeout", 30)}
        assert arrival.rows == ROWS
        assert (seen_as or self.emulator.journal()[-1]["credential"]) == self.kinds[kind].seen_as


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder that ``~`` stands for."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def _place(_emulator: Emulator, home: Path) -> Place:
    account = Account(_emulator)
    project = account.project(rows=ROWS, created=1.0)["project_id"]
    file = home / "keys" / "encord"
    file.parent.mkdir()
    file.write_text(account.private_key)
    file.chmod(0o600)
    ssh = SshKey.parse(account.private_key)
    api_key = account.api_key(project)
    locked = keys.openssh(ssh_key_of(account.private_key), PASSPHRASE)
    extras: dict[str, tuple[dict[str, Any], Credential]] = {
        "key with passphrase": ({"private_key": locked, "private_key_passphrase": PASSPHRASE}, ssh),
        "plain key": ({"private_key": account.private_key, "connect_timeout": 7, "allow_http": True}, ssh),
        "path": ({"auth_method": "ssh_key", "ssh_key_path": "~/keys/encord"}, ssh),
        "API key": ({"api_key": api_key, "resource_id": project}, ApiKey(api_key, project)),
    }
    assert tuple(extras) == ways_in.CREDENTIALS
    kinds = {
        name: Kind(ways_in.Connection(_emulator.url, extra), _seen_as(_emulator, credential, project))
        for name, (extra, credential) in extras.items()
    }
    return Place(_emulator, project, kinds)


def ssh_key_of(text: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    return load_ssh_private_key(text.encode(), None)


def _seen_as(emulator: Emulator, credential: Credential, project: str) -> str:
    with EncordClient(credential, Settings(base_url=emulator.url)) as client:
        client.project(project).label_rows()
    return str(emulator.journal()[-1]["credential"])


@pytest.fixture
def place(_place: Place, home: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOME", str(home))
    return _place


@pytest.mark.parametrize("way", ways_in.VARIABLES)
@EVERY_CREDENTIAL
def test_a_variable_of_the_environment_brings_the_connection(
    way: str, credential: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, ways_in.VARIABLES[way](place.kinds[credential].connection))

    place.check(credential, arrive(ID, place.project))


@pytest.fixture
def stored(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Connections come from Airflow's database, which has none at first and none afterwards; to call: empty it."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    def empty() -> None:
        with create_session() as session:
            session.query(Connection).delete()

    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # outside of a task, only a server reads the database
    empty()
    yield empty
    empty()


ADDED = [
    pytest.param(way, marks=pytest.mark.skipif(AIRFLOW_2 and "--conn-uri" in way, reason="Airflow 2.11 falls over it"))
    for way in ways_in.ADDED
]


@pytest.mark.parametrize("way", ADDED)
@EVERY_CREDENTIAL
def test_a_connection_that_is_added_by_command_arrives(
    way: str, credential: str, place: Place, stored: Callable[[], None]
) -> None:
    airflow_in_process("connections", "add", ID, *ways_in.ADDED[way](place.kinds[credential].connection))

    place.check(credential, arrive(ID, place.project))


@pytest.mark.parametrize("file", ways_in.EXPORTED)
def test_what_is_exported_can_be_imported_into_an_empty_database(
    file: str, place: Place, stored: Callable[[], None], tmp_path: Path
) -> None:
    for name, connection in place.connections().items():
        airflow_in_process("connections", "add", name, "--conn-json", ways_in.json_with_object(connection))
    airflow_in_process("connections", "export", str(tmp_path / file), *ways_in.EXPORTED[file])
    stored()
    airflow_in_process("connections", "import", str(tmp_path / file))

    for kind, name in place.names().items():
        place.check(kind, arrive(name, place.project))


@pytest.mark.parametrize("way", ways_in.FILES)
def test_a_file_that_is_written_by_hand_can_be_imported(
    way: str, place: Place, stored: Callable[[], None], tmp_path: Path
) -> None:
    name, write = ways_in.FILES[way]
    (tmp_path / name).write_text(write(place.connections()))
    airflow_in_process("connections", "import", str(tmp_path / name))

    for kind, connection_id in place.names().items():
        place.check(kind, arrive(connection_id, place.project))


@pytest.mark.parametrize("way", ways_in.FILES)
def test_a_file_serves_as_a_secrets_backend(way: str, place: Place, airflow_forks: Forks, tmp_path: Path) -> None:
    name, write = ways_in.FILES[way]
    (tmp_path / name).write_text(write(place.connections()))
    variables = ways_in.backend_variables(str(tmp_path / name))
    names = place.names()
    done = forked(airflow_forks, "tests.airflow_layer.arrival", place.project, *names.values(), **variables)

    assert done.returncode == 0, done.stderr
    arrivals = json.loads(done.stdout.splitlines()[-1])
    seen = {entry["credential"] for entry in place.emulator.journal()}
    for kind, connection_id in names.items():
        place.check(kind, Arrival(**arrivals[connection_id]), place.kinds[kind].seen_as)
    assert seen == {kind.seen_as for kind in place.kinds.values()}


def test_the_commands_work_as_programs_and_find_the_connection_usable(
    place: Place, stored: Callable[[], None], airflow_forks: Forks, tmp_path: Path
) -> None:
    def command(*arguments: str) -> str:
        done = forked(airflow_forks, "airflow", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    connections = place.connections()
    (by_path,) = (name for kind, name in place.names().items() if kind == "path")
    command("connections", "add", by_path, *ways_in.ADDED["--conn-type and --conn-extra"](connections[by_path]))
    (locked,) = (name for kind, name in place.names().items() if kind == "key with passphrase")
    (tmp_path / "connections.yaml").write_text(ways_in.FILES["YAML, the key as a block"][1](connections))
    imported = command("connections", "import", str(tmp_path / "connections.yaml"))
    command("connections", "export", str(tmp_path / "connections.json"))
    tried = airflow_command("connections", "test", locked, AIRFLOW__CORE__TEST_CONNECTION="Enabled")

    assert f"{by_path}: connection already exists" in imported
    exported = json.loads((tmp_path / "connections.json").read_text())
    assert {name: json.loads(one["extra"]) for name, one in exported.items()} == {
        name: one.extra for name, one in connections.items()
    }
    assert "Connection success!" in tried


def _audit_log() -> str:
    from airflow.models.log import Log
    from airflow.utils.session import create_session

    with create_session() as session:
        return "\n".join(extra for (extra,) in session.query(Log.extra) if extra)


def test_importing_leaves_no_secret_in_airflows_audit_log_and_adding_does(
    place: Place, stored: Callable[[], None], tmp_path: Path
) -> None:
    # When the second half fails, Airflow has mended it: then the warning in the documentation can go.
    connection = place.kinds["API key"].connection
    secret = connection.extra["api_key"]
    (tmp_path / "connections.json").write_text(ways_in.FILES["JSON, extra as object"][1]({ID: connection}))
    before = _audit_log()
    airflow_in_process("connections", "import", str(tmp_path / "connections.json"))
    assert secret not in _audit_log().removeprefix(before)

    stored()
    airflow_in_process("connections", "add", ID, *ways_in.ADDED["--conn-json, extra as object"](connection))
    assert secret in _audit_log().removeprefix(before)


@pytest.mark.skipif(not AIRFLOW_2, reason="mended in Airflow 3")
@pytest.mark.skipif(
    importlib.metadata.version("apache-airflow") == "2.11.0", reason="2.11.0 has not got this defect yet"
)
def test_airflow_2_falls_over_a_uri_on_the_command_line(stored: Callable[[], None]) -> None:
    with pytest.raises(UnboundLocalError):
        airflow_in_process("connections", "add", ID, "--conn-uri", "encord:///?ssh_key_path=~/keys/encord")


def _refusal() -> str:
    with pytest.raises(CredentialError) as refusal, EncordHook(ID) as hook:
        hook.get_conn()
    return str(refusal.value)


def test_a_key_whose_newlines_a_shell_escaped_once_more_opens_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = place.kinds["plain key"].connection.extra
    escaped = {**extra, "private_key": extra["private_key"].replace("\n", "\\n")}
    monkeypatch.setenv(VARIABLE, ways_in.json_with_object(ways_in.Connection(place.emulator.url, escaped)))

    assert "\n" not in escaped["private_key"]
    assert arrive(ID, place.project).rows == ROWS


def test_airflow_finds_no_connection_in_json_with_line_breaks_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    connection = place.kinds["plain key"].connection
    monkeypatch.setenv(VARIABLE, ways_in.json_with_object(connection).replace("\\n", "\n"))

    with pytest.raises(AirflowNotFoundException, match=f"`{ID}` isn't defined"):
        arrive(ID, place.project)


def _key_with_a_plus() -> str:
    while "+" not in (text := keys.openssh(keys.new_key())):
        pass
    return text


def test_a_plus_that_is_not_quoted_in_a_uri_is_reported_as_a_damaged_key(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _key_with_a_plus()
    monkeypatch.setenv(VARIABLE, "encord:///?private_key=" + text.replace("\n", "%0A"))

    refusal = _refusal()

    assert "private_key: the key is not complete" in refusal
    assert "In a URI, write + as %2B" in refusal
    assert not any(line in refusal for line in text.splitlines()[1:-1])


BASE64 = "Zm9v+a/legacy+key/0123456789=="


@pytest.mark.parametrize("way", ways_in.VARIABLES)
def test_an_api_key_keeps_the_characters_of_base64(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = str(uuid.uuid4())
    connection = ways_in.Connection("api.us.encord.com", {"api_key": BASE64, "resource_id": resource})
    monkeypatch.setenv(VARIABLE, ways_in.VARIABLES[way](connection))

    with EncordHook(ID) as hook:
        client = hook.get_conn()

    assert client.credential == ApiKey(BASE64, resource)
    assert client.settings.base_url == "https://api.us.encord.com"


def _locked_by(passphrase: str) -> ways_in.Connection:
    extra = {"private_key": keys.openssh(_KEY, passphrase), "private_key_passphrase": passphrase}
    return ways_in.Connection("", extra)


def _unlocked() -> Credential:
    with EncordHook(ID) as hook:
        return hook.get_conn().credential


@pytest.mark.parametrize("way", ["JSON, extra as object", "JSON, extra as text", "URI, __extra__"])
@pytest.mark.parametrize("passphrase", ["123456", "0123", "12.50", "true", "null", '"quoted"', " blanks "])
def test_a_passphrase_that_looks_like_something_else_stays_a_text(
    passphrase: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, ways_in.VARIABLES[way](_locked_by(passphrase)))

    assert _unlocked() == SshKey.parse(keys.openssh(_KEY))


# A parameter of a URI is read as JSON by some lines of Airflow: the first one becomes a number there.
DIGITS = pytest.mark.parametrize("passphrase", ["123456", "0123"])


@DIGITS
def test_a_passphrase_of_digits_opens_the_key_from_a_uris_parameters(
    passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, ways_in.uri_with_query(_locked_by(passphrase)))

    assert _unlocked() == SshKey.parse(keys.openssh(_KEY))


@DIGITS
@pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2.11 falls over it")
def test_a_passphrase_of_digits_opens_the_key_from_a_uri_that_is_added(
    passphrase: str, stored: Callable[[], None]
) -> None:
    airflow_in_process("connections", "add", ID, *ways_in.ADDED["--conn-uri, fields as query"](_locked_by(passphrase)))

    assert _unlocked() == SshKey.parse(keys.openssh(_KEY))


@DIGITS
def test_a_passphrase_of_digits_opens_the_key_from_an_env_file_that_is_imported(
    passphrase: str, stored: Callable[[], None], tmp_path: Path
) -> None:
    name, write = ways_in.FILES[".env, fields as query"]
    (tmp_path / name).write_text(write({ID: _locked_by(passphrase)}))
    airflow_in_process("connections", "import", str(tmp_path / name))

    assert _unlocked() == SshKey.parse(keys.openssh(_KEY))
