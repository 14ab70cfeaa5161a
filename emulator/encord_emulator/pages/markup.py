"""HTML in which every text is escaped, and the frame of all pages.

The pages need no script. Their policy allows the one style sheet that is in them, images of the emulator itself, and
nothing else: titles and labels come from anyone who can write to the emulator.
"""

from __future__ import annotations

import base64
import hashlib
import html

from starlette.responses import Response

NOT_ENCORD = (
    "This is encord-emulator, a local stand-in for tests and demos. It is NOT Encord, is not made by Encord, and keeps "
    "nothing safe: do not send it data or keys that matter."
)
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #555; --link: #1a4fa3; --warn: #7a4a00; --warn-back: #fff3d6;
  --text: #1b1b1f; --back: #fff; --card: #f5f5f7 }
@media (prefers-color-scheme: dark) { :root { --quiet: #b5b5bd; --link: #9cc2ff; --warn: #ffd58a; --warn-back: #3a2c0c;
  --text: #ececf1; --back: #17171b; --card: #222228 } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back) }
header { padding: .6rem 1rem; background: var(--warn-back); color: var(--warn); border-bottom: 2px solid var(--warn) }
main { max-width: 80rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.15rem; margin-top: 2rem }
a { color: var(--link) } a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
table { border-collapse: collapse; width: 100% } caption { text-align: left; color: var(--quiet) }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere }
.scroll { overflow-x: auto } .quiet { color: var(--quiet) } code { font-size: .85rem }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; padding: 0 }
.gallery > li { list-style: none; background: var(--card); padding: .5rem; overflow-wrap: anywhere }
.gallery img, .picture { display: block; width: 100%; height: auto; background: #888 }
figure { margin: 1rem 0 } pre { overflow-x: auto }
figure .picture { max-height: 60vh } meter { width: 10rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem }
dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
.shape { fill-opacity: .18; stroke-width: 2px; vector-effect: non-scaling-stroke }
.open { fill: none } .dot { stroke: #fff; stroke-width: 1px; vector-effect: non-scaling-stroke }
.name { fill: #fff; stroke: #000; stroke-width: .25em; paint-order: stroke; font-family: system-ui, sans-serif }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    # Without "allow-scripts" nothing runs; "allow-same-origin", because images are served to their own origin only.
    "Content-Security-Policy": f"sandbox allow-same-origin; default-src 'none'; img-src 'self'; "
    f"style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """A value as text of a page; markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def joined(*parts: object) -> Markup:
    """Several values, one after the other."""
    return Markup("".join(map(escaped, parts)))


def tag(element: str, /, *content: object, **attributes: object) -> Markup:
    """An element. `aria_label` stands for ``aria-label``, `class_` for ``class``; an attribute of None is left out."""
    fields = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = joined(*content)
    return Markup(f"<{element}{fields}>") if element in _EMPTY else Markup(f"<{element}{fields}>{inner}</{element}>")


_EMPTY = ("br", "img", "meta")


def link(address: str, text: object) -> Markup:
    return tag("a", text, href=address)


def table(caption: str, heads: list[str], rows: list[list[object]]) -> Markup:
    """A table, or a sentence in its place if it would be empty."""
    if not rows:
        return tag("p", f"{caption}: none.", class_="quiet")
    head = tag("tr", *(tag("th", head, scope="col") for head in heads))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", inner, class_="scroll", role="region", aria_label=caption, tabindex="0")


def facts(pairs: dict[str, object]) -> Markup:
    """Names and values; values of None are left out."""
    shown = [tag("dt", name) + tag("dd", value) for name, value in pairs.items() if value is not None]
    return tag("dl", *map(Markup, shown))


def page(title: str, *content: object, status: int = 200) -> Response:
    """A whole page."""
    banner = tag("strong", "Emulator: not Encord. ")
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} - encord-emulator"),
        Markup(f"<style>{_STYLE}</style>"),
    )
    body = joined(
        tag("header", banner, "A local stand-in that only shows what it holds. ", link("/", "Everything in it")),
        tag("main", tag("h1", title), *content),
    )
    text = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
    return Response(text.encode("utf-8", "replace"), status, HEADERS, "text/html; charset=utf-8")
