"""A small street project, made by the newest SDK: images, a video, and an ontology with every kind of answer."""

import dataclasses
from pathlib import Path
from typing import Any

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK

IMAGES = ("crossing 64x48.png", "kerb 65x33.jpg", "lane 640x480.jpg")
VIDEO = "drive 320x240.mp4"
RICH = IMAGES[0]
"""The image that `write_labels` labels with every shape and every kind of answer: the first by title."""


@dataclasses.dataclass(frozen=True)
class Street:
    """Ids of a project and of its one dataset, and the structure of its ontology."""

    project: str
    dataset: str
    structure: dict[str, Any]

    def feature(self, name: str) -> str:
        """Feature hash of an object."""
        return next(one["featureNodeHash"] for one in self.structure["objects"] if one["name"] == name)

    def classification(self, name: str) -> tuple[str, str]:
        """Feature hashes of a classification and of its one attribute."""
        for one in self.structure["classifications"]:
            if one["attributes"][0]["name"] == name:
                return one["featureNodeHash"], one["attributes"][0]["featureNodeHash"]
        raise LookupError(name)


def make_street(
    account: Account, pictures: dict[str, Path], title: str, *, version: str = SSH_SDK, numeric: bool = True
) -> Street:
    """Make and fill one; `numeric=False` for the sake of 0.1.145, which refuses ontologies with numeric attributes."""
    images, videos = [str(pictures[name]) for name in IMAGES], [str(pictures[VIDEO])]
    return Street(
        **account.run(
            version, "make_street", title=title, image=images, video=videos, numeric="yes" if numeric else "no"
        )
    )
