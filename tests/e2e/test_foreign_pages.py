"""Fault 10.1 in a real browser: a page of another origin, or of a rebound host name, gets nothing from the emulator."""

from __future__ import annotations

import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from encord_emulator.process import Emulator
from tests.e2e.browser import FLAGS, chromium
from tests.emulator.callers import Person, send

REBOUND = "rebound.example"
"""A name that the browser resolves to this machine, as after DNS rebinding."""

ASK = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return {type: answer.type, status: answer.status, text: await answer.text()};
  } catch (error) {
    return {type: "error", status: 0, text: ""};
  }
}"""
"""What a page can learn by a request of its own."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for these tests alone: runs that other tests have triggered still send requests to theirs."""
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def foreign_page_url() -> Iterator[str]:
    """An empty page of another server on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>foreign</title>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f":{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def rebinding_browser(browser: Browser) -> Iterator[Browser]:
    """A Chromium that resolves `REBOUND` to the loopback, and nothing else but the loopback itself."""
    names = f"MAP {REBOUND} 127.0.0.1, MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    flags = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
    # Of the same Playwright: a process can have one.
    rebinding = browser.browser_type.launch(executable_path=chromium(), args=[*flags, f"--host-resolver-rules={names}"])
    yield rebinding
    rebinding.close()


@pytest.fixture
def page(rebinding_browser: Browser) -> Iterator[Page]:
    """An empty page of that browser."""
    page = rebinding_browser.new_page()
    yield page
    page.close()


def _bucket(directory: Path) -> str:
    return json.dumps({"integration": "stolen", "url": "s3://stolen", "directory": str(directory)})


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", REBOUND])
def test_a_page_of_another_origin_cannot_use_the_controls(
    page: Page, emulator: Emulator, foreign_page_url: str, tmp_path: Path, name: str
) -> None:
    page.goto(f"http://{name}{foreign_page_url}")
    assert page.title() == "foreign"
    emulator.clear_journal()
    before = emulator.state()
    port = emulator.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", REBOUND):
        base = f"http://{host}:{port}"
        for mode in ("no-cors", "cors"):
            for kind in ("text/plain", "application/json"):
                headers = {"Content-Type": kind}
                options = {"method": "POST", "mode": mode, "headers": headers, "body": _bucket(tmp_path)}
                seen = page.evaluate(ASK, [f"{base}/_emulator/buckets", options])
                assert (seen["status"], seen["text"]) == (0, "")
            for path in ("/_emulator/state", "/_emulator/journal", "/v2/public/projects", "/object-store/x", "/"):
                seen = page.evaluate(ASK, [f"{base}{path}", {"mode": mode}])
                assert (seen["status"], seen["text"]) == (0, "")
    after = emulator.state()
    assert {**after, "now": ""} == {**before, "now": ""}
    assert emulator.journal() == [], "a refused request does not reach the API"


def test_a_page_under_a_rebound_name_reads_and_changes_nothing(
    rebinding_browser: Browser, emulator: Emulator, tmp_path: Path
) -> None:
    """Here the page *is* of the emulator's origin, as the browser sees it, so nothing but `Host` gives it away."""
    context = rebinding_browser.new_context(bypass_csp=True)  # our own policy must not be what stops the script
    page, before = context.new_page(), emulator.state()
    shown = page.goto(f"http://{REBOUND}:{emulator.url.rpartition(':')[2]}/")
    assert shown is not None
    assert shown.status == 403
    for method, path, body in (
        ("GET", "/_emulator/state", None),
        ("GET", "/_emulator/journal", None),
        ("POST", "/_emulator/buckets", _bucket(tmp_path)),
        ("DELETE", "/_emulator/journal", None),
    ):
        options = {"method": method, "headers": {"Content-Type": "application/json"}, "body": body}
        seen = page.evaluate(ASK, [path, options])
        assert seen["status"] == 403
        assert "--allow-host" in seen["text"]
    assert {**emulator.state(), "now": ""} == {**before, "now": ""}
    context.close()


def test_a_form_of_a_foreign_page_is_refused(page: Page, emulator: Emulator, foreign_page_url: str) -> None:
    page.goto(f"http://127.0.0.1{foreign_page_url}")
    page.set_content(
        f"<form method=post enctype=text/plain action='{emulator.url}/_emulator/clock'>"
        """<input name='{"advance_s":3600,"x":"' value='"}'><button>Win</button></form>"""
    )
    with page.expect_response(f"{emulator.url}/_emulator/clock") as refused:
        page.get_by_role("button").click()
    assert refused.value.status == 403


def test_an_uploaded_page_runs_no_script_in_the_origin_of_the_controls(page: Page, emulator: Emulator) -> None:
    owner = Person(emulator.url, f"{uuid.uuid4().hex}@example.com")
    emulator.authorize(owner.public_key, email=owner.email)
    script = b"<title>hostile</title><script>document.title = 'ran'</script>"
    page.goto(_signed_url_of_text(owner, script))
    assert page.title() == "hostile"
    seen = page.evaluate(ASK, ["/_emulator/state", {}])
    assert (seen["status"], seen["text"]) == (0, "")


def _signed_url_of_text(owner: Person, content: bytes) -> str:
    """Where a browser gets an uploaded page back."""
    place = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]
    target = place["signedUrl"].removeprefix(owner.url)
    assert send(owner.url, "PUT", target, {"Content-Type": "text/html"}, content).status == 200
    folder = owner.rest("POST", "storage/folders", {"name": "Pages"}).json["uuid"]
    entry = {"objectUrl": place["objectKey"], "title": "page.html"}
    body = {"dataItems": {"text": [entry]}, "ignoreErrors": False}
    job = owner.rest("POST", f"storage/folders/{folder}/data-upload-jobs", body).json
    done = owner.rest("GET", f"storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds=30").json
    item = done["itemsWithNames"][0]["itemUuid"]
    url: str = owner.rest("GET", f"storage/items/{item}?signUrl=True").json["signedUrl"]
    return url
