"""``make play`` as a newcomer uses it: start, trigger an export, follow the link, see labels, Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
import requests
from playwright.sync_api import expect

from playground.projects import STREETS
from tests.deployment.polling import poll
from tests.e2e.browser import Visit
from tests.e2e.conftest import ROOT

START_SECONDS = 240
STOP_SECONDS = 60
DAG = "example_encord_export"


class Playground:
    """A running playground, as its user sees it.

    :param directory: Its state.
    :param output: What it prints.
    """

    def __init__(self, directory: Path, output: IO[str]):
        self.directory, self._output = directory, output
        command = [sys.executable, "-m", "playground", "--directory", str(directory)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, text=True)
        self.family: set[psutil.Process] = set()

    def printed(self) -> str:
        return Path(self._output.name).read_text()

    def address(self, of: str) -> str:
        """An address that it prints, as soon as it does."""

        def look() -> str | None:
            assert self.process.poll() is None, self.printed()
            found = re.search(rf"^  {of} +(http://127\.0\.0\.1:\d+)", self.printed(), re.MULTILINE)
            return found[1] if found else None

        return poll(look, f"the address of {of}", START_SECONDS)

    def remember_family(self) -> None:
        """Note every process that stems from it."""
        self.family |= {*psutil.Process(self.process.pid).children(recursive=True)}

    def end(self) -> None:
        """Ctrl-C, twice, as impatient people press it."""
        self.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(STOP_SECONDS) == 0, self.printed()


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    with (tmp_path / "printed").open("w") as output:
        playground = Playground(tmp_path / "play", output)
        try:
            yield playground
        finally:
            if playground.process.poll() is None:
                playground.process.terminate()
                playground.process.wait(STOP_SECONDS)


def _api(airflow: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    token = session.get(f"{airflow}/auth/token", timeout=30).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def _run(airflow: str) -> str:
    """Trigger the export with its defaults; the link of its task once it is green."""
    session, url = _api(airflow), f"{airflow}/api/v2/dags/{DAG}"
    poll(lambda: session.get(url, timeout=30).ok or None, f"the DAG {DAG} to be parsed", 120, every=1.0)
    assert session.get(f"{airflow}/api/v2/importErrors", timeout=30).json()["import_errors"] == []
    answer = session.post(f"{url}/dagRuns", json={"logical_date": None}, timeout=30)
    run = f"{url}/dagRuns/{answer.json()['dag_run_id']}"

    def look() -> Any:
        state = session.get(run, timeout=30).json()["state"]
        return state if state in ("success", "failed") else None

    assert poll(look, "the export to end", 120) == "success"
    links = session.get(f"{run}/taskInstances/export_labels/links", timeout=30).json()["extra_links"]
    return str(links["Open in Encord"])


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # one that was killed, and that nothing waits for
    except psutil.NoSuchProcess:
        return False


def test_a_newcomer_sees_what_an_export_is_about_and_nothing_is_left_afterwards(
    playground: Playground, visit: Visit
) -> None:
    airflow, emulator = playground.address("Airflow"), playground.address("Emulator")
    playground.remember_family()
    second = [sys.executable, "-m", "playground", "--directory", str(playground.directory)]
    refused = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert airflow in refused.stderr

    link = _run(airflow)
    assert link.startswith(f"{emulator}/projects/view/")
    page = visit.page
    page.goto(airflow)
    # As a link of Airflow's page: from another origin, in another tab.
    page.evaluate("link => { document.body.innerHTML = `<a id=link target=_blank href='${link}'>Open</a>` }", link)
    images: list[int] = []
    page.context.on("response", lambda answer: images.append(answer.status) if "/object-store/" in answer.url else None)
    with page.context.expect_page() as opened:
        page.locator("#link").click()
    project = opened.value
    project.wait_for_load_state("networkidle")
    expect(project.get_by_role("heading", name=STREETS)).to_be_visible()
    expect(project.get_by_text("Emulator: not Encord.")).to_be_visible()
    shapes = project.locator("svg.picture .shape")
    assert shapes.count() > 12
    assert images == [200] * project.locator("svg.picture image").count() == [200] * 12
    project.screenshot(path=visit.pictures / "play-project.png")
    project.emulate_media(color_scheme="dark")
    project.screenshot(path=visit.pictures / "play-project-dark.png")
    project.emulate_media(color_scheme="light")

    project.locator(".gallery a").first.click()
    expect(project.get_by_role("heading", name="street-")).to_be_visible()
    project.wait_for_load_state("networkidle")
    assert images == [200] * 13
    drawn = project.get_by_role("img")
    assert re.fullmatch(r"street-\d\d\.png: \d Car(, \d Person)?", drawn.get_attribute("aria-label") or "")
    box = drawn.locator("rect.shape").first.bounding_box()
    assert box is not None
    assert box["width"] > 20
    project.screenshot(path=visit.pictures / "play-label.png")

    page.goto(emulator)
    page.get_by_role("link", name=STREETS, exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=STREETS)).to_be_visible()

    playground.remember_family()
    playground.end()
    assert [process for process in playground.family if process.is_running()] == []
    assert "The playground has ended" in playground.printed()


@pytest.mark.parametrize("killed", [False, True])
def test_one_that_is_stopped_or_killed_while_it_starts_leaves_no_process(playground: Playground, killed: bool) -> None:
    poll(lambda: "The emulator has" in playground.printed() or None, "the emulator", START_SECONDS)
    time.sleep(3)  # Airflow's components are starting
    playground.remember_family()
    assert playground.family
    if killed:
        playground.process.kill()
        playground.process.wait(STOP_SECONDS)
        poll(lambda: not any(map(_runs, playground.family)) or None, "the processes to end", STOP_SECONDS)
        return
    playground.end()
    assert [process for process in playground.family if process.is_running()] == []
    assert [*(playground.directory / "tmp").glob("encord-emulator-*")] == []
