"""The page of an ontology: its objects and classifications, with their attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from .drawing import colour_of
from .markup import Markup, facts, joined, page, tag
from .visit import Visit


def ontology_page(visit: Visit, ontology: str) -> Response:
    """What can be labelled."""
    about = visit.require("SELECT * FROM ontologies WHERE uuid = ?", ontology, "ontology")
    editor = json.loads(about["editor"])
    objects = [
        _entry(_swatch(one), one.get("name"), f" ({one.get('shape')})", one) for one in _listed(editor, "objects")
    ]
    classes = [tag("li", _attributes(one)) for one in _listed(editor, "classifications")]
    return page(
        about["title"],
        facts({"Id": tag("code", ontology), "Description": about["description"] or None}),
        tag("h2", "Objects"),
        tag("ul", *objects) if objects else tag("p", "None."),
        tag("h2", "Classifications"),
        tag("ul", *classes) if classes else tag("p", "None."),
    )


def _listed(of: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [one for one in of.get(key) or [] if isinstance(one, dict)]


def _swatch(item: Mapping[str, Any]) -> Markup:
    square = tag("rect", width=12, height=12, fill=colour_of(item))
    return tag("svg", square, width=12, height=12, aria_hidden="true")


def _entry(swatch: Markup, name: object, note: str, item: Mapping[str, Any]) -> Markup:
    return tag("li", swatch, " ", tag("strong", name), note, _attributes(item))


def _attributes(item: Mapping[str, Any]) -> Markup:
    """Attributes and their options; options may have attributes of their own."""
    shown = []
    for attribute in _listed(item, "attributes"):
        options = [tag("li", option.get("label"), _attributes(option)) for option in _listed(attribute, "options")]
        kind = f": {attribute.get('type')}{', required' if attribute.get('required') else ''}"
        shown.append(tag("li", joined(attribute.get("name"), kind), tag("ul", *options) if options else ""))
    return tag("ul", *shown) if shown else Markup()
