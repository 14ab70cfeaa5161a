"""What the README shows runs: its Python is parsed by Airflow, its connection connects, its commands exist."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_runs_and_makes_the_tasks_it_shows() -> None:
    from airflow.providers.common.compat.sdk import DAG

    names: dict[str, object] = {}
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), names)  # our own README
    dags = [value for value in names.values() if isinstance(value, DAG)]
    assert {dag.dag_id: sorted(dag.task_ids) for dag in dags} == {
        "street_scenes": ["dataset", "project", "upload"],
        "street_scenes_labels": ["export"],
    }


def test_the_connection_of_the_readme_needs_only_the_key_file_it_names(monkeypatch, tmp_path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from airflow_provider_encord.hooks.encord import EncordHook

    (shown,) = re.findall(r"AIRFLOW_CONN_ENCORD_DEFAULT='(.*?)'", README, re.DOTALL)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    encoding, format_ = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
    key = Ed25519PrivateKey.generate().private_bytes(encoding, format_, serialization.NoEncryption())
    (tmp_path / ".ssh" / "encord").write_bytes(key)
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_DEFAULT", json.dumps(json.loads(shown)))

    assert EncordHook().get_conn().settings.base_url == "https://api.encord.com"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (CHECKOUT / name).read_text(), re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_that_a_document_names_exists(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    paths = set(re.findall(r"`((?:tests|demo|constraints|example_dags)/[\w./-]+\.py)`", text))
    assert [path for path in sorted(links | paths) if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("kind", ["operators"])
def test_the_readme_names_every_operator_and_no_other(kind: str) -> None:
    source = "".join(path.read_text() for path in (CHECKOUT / "airflow_provider_encord" / kind).glob("*.py"))
    defined = set(re.findall(r"^class (Encord\w+Operator)\b", source, re.MULTILINE)) - {"EncordBaseOperator"}
    assert set(re.findall(r"`(Encord\w+Operator)`", README)) == defined
