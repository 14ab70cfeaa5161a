"""The import of a CVAT export, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK

pytestmark = pytest.mark.sdk

ANNOTATIONS = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><project><name>p</name><labels>
<label><name>car</name><color>#00ff00</color><type>rectangle</type></label>
<label><name>lane</name><color>#0000ff</color><type>polyline</type></label>
</labels></project></meta>
<image id="0" name="cat.jpg" width="64" height="48"><box label="car" xtl="1" ytl="1" xbr="9" ybr="9"/></image>
<image id="1" name="dog.jpg" width="64" height="48"/>
</annotations>
"""


@pytest.fixture(scope="module")
def imported(owner: Account, tmp_path_factory: pytest.TempPathFactory) -> Any:
    export = tmp_path_factory.mktemp("cvat")
    images = export / "images" / "default"
    images.mkdir(parents=True)
    for name in ("cat.jpg", "dog.jpg"):
        (images / name).write_bytes(media.jpeg(64, 48))
    (export / "annotations.xml").write_text(ANNOTATIONS)
    return owner.run(SSH_SDK, "import_cvat", export=export)


def test_the_images_are_rows_of_a_new_project(imported: Any) -> None:
    assert imported["rows"] == ["cat.jpg", "dog.jpg"]
    assert imported["datasets"] == ["From CVAT"]


def test_the_labels_are_objects_of_its_ontology(imported: Any) -> None:
    assert imported["objects"] == [["car", "polygon"], ["lane", "polyline"]]


def test_shapes_are_counted_and_not_imported(imported: Any) -> None:
    assert imported["warnings"] == [["shapes_not_imported", ["1 in cat.jpg"]]]
    assert imported["errors"] == 0
