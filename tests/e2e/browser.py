"""Chromium, kept to the loopback, and what one looks at in it.

Chromium asks other hosts by itself when it starts; its flags forbid that, and other names than 127.0.0.1 lead nowhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

PATIENCE_MS = 60_000
SIZE = {"width": 1280, "height": 900}
# Whether the text of the page is lighter than its background.
_IS_DARK = r"""() => {
  const style = getComputedStyle(document.body);
  const light = color => color.match(/[\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
  return light(style.color) > light(style.backgroundColor);
}"""
FLAGS = [
    "--no-sandbox",  # as root, in containers there is no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def chromium() -> str | None:
    """Path of the system's Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def started(executable: str) -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclasses.dataclass
class Visit:
    """One visitor: a page with cookies and a clipboard of its own.

    :param elsewhere: URLs outside of the loopback that the page asked for.
    :param pictures: Where the screenshots go.
    """

    page: Page
    pictures: Path
    elsewhere: list[str] = dataclasses.field(default_factory=list)
    answers: list[Response] = dataclasses.field(default_factory=list)

    @classmethod
    def begin(cls, browser: Browser, pictures: Path) -> Visit:
        """Open an empty page."""
        context = browser.new_context(
            viewport={"width": SIZE["width"], "height": SIZE["height"]},
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        visit = cls(context.new_page(), pictures)
        # Noted, and not routed: a context that routes has no cache, and Airflow's page is loaded again by each visit.
        context.on("request", visit._note)
        visit.page.on("response", lambda answer: visit.answers.append(answer))
        return visit

    def end(self) -> None:
        """Close the page and forget the visitor."""
        self.page.context.close()

    def paste(self, text: str) -> None:
        """Put a text into the clipboard, and from there into what has the focus, as a person does."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("Control+V")

    def picture(self, name: str, *, dark: bool = False) -> None:
        """Keep what is to be seen now as ``<name>.png``.

        :param dark: Also as ``<name>-dark.png``, for a person whose system is set to dark colours.
        """
        self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")
        if dark:
            self.page.emulate_media(color_scheme="dark")
            self.page.wait_for_function(_IS_DARK)
            self.page.screenshot(path=self.pictures / f"{name}-dark.png", animations="disabled")
            self.page.emulate_media(color_scheme="light")

    def answered(self) -> str:
        """Everything that the server has answered in text since the answers were last cleared."""
        texts = []
        for answer in self.answers:
            if answer.request.resource_type in ("document", "fetch", "xhr"):
                with contextlib.suppress(Exception):  # a redirect has no body
                    texts.append(answer.text())
        return "\n".join(texts)

    def _note(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):  # None: data: and blob:
            self.elsewhere.append(request.url)
