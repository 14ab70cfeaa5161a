"""The pages for people: what they show, that they only read, and that no text of users becomes HTML."""

from __future__ import annotations

import html.parser
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from encord_emulator.fixtures.kinds import Kind
from encord_emulator.http.request_origin import is_from_loopback
from encord_emulator.process import Emulator
from tests.emulator.callers import Answer, Person, send

HTML = {"Accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>alert(1)</script>\"'&"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
VOID = ("meta", "img", "br")


class Reader(html.parser.HTMLParser):
    """Reads a page: its links, images, elements; fails if an element is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.names: set[str] = set()
        self.without_text: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        self.names.add(tag)
        assert not [name for name in fields if name.startswith("on") or name == "style"]
        if tag == "a":
            self.links.append(fields["href"] or "")
        if tag in ("img", "image"):
            self.images.append(fields.get("src") or fields.get("href") or "")
        if (tag == "img" and not fields.get("alt")) or (fields.get("role") == "img" and not fields.get("aria-label")):
            self.without_text.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


def _get(emulator: Emulator, path: str, headers: dict[str, str] | None = None) -> Answer:
    return send(emulator.url, "GET", path, HTML if headers is None else headers)


def _read(emulator: Emulator, path: str, status: int = 200) -> tuple[str, Reader]:
    answer = _get(emulator, path)
    assert answer.status == status
    text = answer.content.decode()
    assert "Emulator: not Encord." in text
    return text, Reader(text)


def _addresses(made: dict[str, Any]) -> list[str]:
    project = made["project_id"]
    return [
        "/",
        f"/projects/view/{project}/summary",
        f"/projects/view/{project}/queue",
        f"/projects/view/{project}/queue?stage={made['stages'][0]['uuid']}",
        f"/datasets/view/{made['dataset_id']}",
        f"/ontologies/view/{made['ontology_id']}/structure",
        *(f"/label_editor/{project}/{data_hash}/0" for data_hash in made["data_hashes"]),
    ]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_everything_of_a_project_has_its_page_and_no_title_becomes_html(emulator: Emulator, kind: Kind) -> None:
    made: Any = emulator.project(owner="a@example.com", title=f"{kind} {HOSTILE}", rows=4, kind=kind, created=0.5)
    emulator.clear_journal()
    seen = set(_addresses(made))
    for address in _addresses(made):
        text, page = _read(emulator, address)
        assert "<script" not in text
        assert page.names.isdisjoint({"script", "iframe", "form", "input", "button"})
        assert page.without_text == []
        seen |= {link for link in page.links if made["project_id"] in link or link.startswith("/data/files/")}
        for image in page.images:
            assert _get(emulator, image).status == 200, image
    assert any(address.startswith("/data/files/") for address in seen)
    assert [address for address in seen if _get(emulator, address).status != 200] == []
    assert [entry for entry in emulator.journal() if entry["changes"]] == []


def test_a_project_shows_its_stages_and_the_newest_pictures_with_their_labels(emulator: Emulator) -> None:
    made = emulator.project(owner="a@example.com", title="Street", rows=20)
    emulator.annotate(made["project_id"], count=5, objects_per_row=3, advance="complete")
    text, page = _read(emulator, f"/projects/view/{made['project_id']}/summary")
    assert [f">{number}</td>" in text for number in (15, 0, 5)] == [True] * 3
    assert len(page.images) == 5
    assert text.count('class="shape"') == 15
    editors = [link for link in page.links if link.startswith(f"/label_editor/{made['project_id']}/")]
    text, _ = _read(emulator, editors[0])
    assert text.count('class="shape"') == 3
    assert "annotator@example.com" in text
    assert "Weather: " in text


def test_long_tables_are_turned(emulator: Emulator) -> None:
    made = emulator.project(owner="a@example.com", title="Long", rows=120)
    address = f"/projects/view/{made['project_id']}/queue"
    found = []
    while address:
        text, page = _read(emulator, address)
        found += [link for link in page.links if link.startswith("/label_editor/")]
        following = [
            link for link in page.links if "page=" in link and "Next" in text.partition(_escaped(link))[2][:40]
        ]
        address = following[0] if following else ""
    assert len(found) == len(set(found)) == 120


def _escaped(link: str) -> str:
    return link.replace("&", "&amp;")


@pytest.mark.parametrize("page", ["-1", "x", "99999999999999999999", "", "٣"])
def test_a_page_number_that_means_nothing_is_no_failure(emulator: Emulator, page: str) -> None:
    made = emulator.project(owner="a@example.com", title="Few", rows=1)
    _read(emulator, f"/projects/view/{made['project_id']}/queue?page={urllib.parse.quote(page)}")


def test_a_frame_of_a_video_is_drawn_on_a_blank_of_its_size(emulator: Emulator) -> None:
    made = emulator.project(owner="a@example.com", title="Film", rows=1, kind="video", frames=50, created=1.0)
    address = f"/label_editor/{made['project_id']}/{made['data_hashes'][0]}"
    text, page = _read(emulator, f"{address}/0")
    assert page.images == []
    assert "drawn on a blank" in text
    frames = [link for link in page.links if link.startswith(address)]
    for link in frames:
        assert 'class="shape"' in _read(emulator, link)[0]
    free = next(number for number in range(1, 50) if f"{address}/{number}" not in frames)
    assert 'class="shape"' not in _read(emulator, f"{address}/{free}")[0]


@pytest.mark.parametrize(
    "address",
    [
        f"/projects/view/{UNKNOWN}/summary",
        f"/projects/view/{UNKNOWN}/queue",
        f"/label_editor/{UNKNOWN}/{UNKNOWN}/0",
        f"/datasets/view/{UNKNOWN}",
        f"/data/files/{UNKNOWN}",
        f"/ontologies/view/{UNKNOWN}/structure",
    ],
)
def test_what_is_not_there_is_said_on_a_page(emulator: Emulator, address: str) -> None:
    text, _ = _read(emulator, address, 404)
    assert UNKNOWN in text
    made = emulator.project(owner="a@example.com", title="Known", rows=1)
    _read(emulator, f"/label_editor/{made['project_id']}/{UNKNOWN}/0", 404)
    _read(emulator, f"/projects/view/{made['project_id']}/queue?stage={UNKNOWN}", 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_only_read(emulator: Emulator, method: str) -> None:
    assert send(emulator.url, method, f"/projects/view/{UNKNOWN}/summary", HTML).status == 404


def test_the_policy_of_a_page_allows_no_script_and_nothing_from_elsewhere(emulator: Emulator) -> None:
    policy = _get(emulator, "/").headers["content-security-policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["sandbox"] == "allow-same-origin"
    assert rules["img-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert "script-src" not in rules
    assert "unsafe" not in policy


OPENED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_a_link_of_another_site_may_be_followed_to_a_page_and_no_further(emulator: Emulator) -> None:
    made = emulator.project(owner="a@example.com", title="Linked", rows=1)
    page = f"/projects/view/{made['project_id']}/summary"
    assert _get(emulator, page, {**HTML, **OPENED}).status == 200
    assert _get(emulator, page, {**HTML, **OPENED, "Sec-Fetch-Site": "same-site"}).status == 200
    for changed in (
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Origin": "https://evil.example"},
    ):
        assert _get(emulator, page, {**HTML, **OPENED, **changed}).status == 403
    for address in ("/_emulator/state", "/_emulator/journal", "/v2/public/projects", "/object-store/x"):
        assert _get(emulator, address, {**HTML, **OPENED}).status == 403
    assert send(emulator.url, "POST", page, {**HTML, **OPENED}).status == 403


@pytest.mark.parametrize(
    ("client", "allowed"),
    [(("127.0.0.1", 1), True), (("::1", 1), True), (("10.0.0.7", 1), False), (("name", 1), False), (None, False)],
)
def test_pages_are_for_this_machine(client: Any, allowed: bool) -> None:
    assert is_from_loopback({"type": "http", "client": client}) is allowed


def test_to_programs_the_first_page_is_text(emulator: Emulator) -> None:
    answer = _get(emulator, "/", {})
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"Operations served" in answer.content


def test_an_uploaded_picture_is_shown_under_its_labels(
    newcomer: Callable[[str], Person], encord_emulator: Emulator
) -> None:
    owner = newcomer("a@example.com")
    place = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]
    target = place["signedUrl"].removeprefix(owner.url)
    made_up = encord_emulator.project(owner="a@example.com", title="Other", rows=1)
    picture = next(iter(_read(encord_emulator, f"/datasets/view/{made_up['dataset_id']}")[1].images))
    content = _get(encord_emulator, picture).content
    assert send(owner.url, "PUT", target, {"Content-Type": "image/png"}, content).status == 200
    folder = owner.rest("POST", "storage/folders", {"name": HOSTILE}).json["uuid"]
    body = {"dataItems": {"images": [{"objectUrl": place["objectKey"], "title": HOSTILE}]}, "ignoreErrors": False}
    job = owner.rest("POST", f"storage/folders/{folder}/data-upload-jobs", body).json
    owner.rest("GET", f"storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds=30")
    _, page = _read(encord_emulator, f"/data/files/{folder}")
    (image,) = page.images
    assert _get(encord_emulator, image).content == content
