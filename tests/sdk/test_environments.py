"""The referee is the vendor's own code, as it was released, in the versions that we say."""

import re

import pytest

from tests.sdk.environments import VERSIONS, MissingEnvironment, interpreter, requirements
from tests.sdk.runner import run_sdk

pytestmark = pytest.mark.sdk


@pytest.mark.parametrize("version", VERSIONS)
def test_the_sdk_is_unmodified_and_has_the_packages_that_are_pinned(version: str) -> None:
    found = run_sdk(version, "installed", url="none")

    assert found["version"] == version
    assert found["files"] > 50
    assert found["changed"] == []
    pinned = {line.lower() for line in requirements(version).read_text().split()}
    assert pinned <= set(found["packages"])


@pytest.mark.parametrize("version", VERSIONS)
def test_requirements_are_names_and_versions_and_nothing_else(version: str) -> None:
    lines = requirements(version).read_text().splitlines()
    assert f"encord=={version}" in lines
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)]


def test_a_missing_environment_is_a_failure_that_says_what_to_do() -> None:
    with pytest.raises(MissingEnvironment, match="Run `make test`, which builds it"):
        interpreter("0.0.0")
