"""The files of storage items, with addresses to download them from.

Most items are one file. Image groups and sequences, DICOM series and data groups are several, and labels are about
each of them. The images of a group have hashes in label rows, which only the data row of the dataset names (protocol,
section 7.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.client.api.data_rows import get_data_row
from airflow_provider_encord.client.api.datasets import ImageInGroup
from airflow_provider_encord.client.api.storage_items import StorageItemRecord, list_child_items
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import AuthenticationError, NotFoundError, RefusedError
from airflow_provider_encord.media.readable_items import readable_items, unreadable
from airflow_provider_encord.media.wanted import Reference

_OF_IMAGES = ("imageGroup", "imageSequence")
_GROUPS = (*_OF_IMAGES, "dicomSeries", "group")
_NO_LONGER_THERE = "its data unit is not in the project any more"
_NO_ITEM = "Encord lists no storage item for it"


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file.

    :param item_id: Id of the storage item; of an image in a group, whose item is not known, the hash of the image.
    :param unit: Hash of the data unit, or of the image in a group, as in label rows. None if only the item is known,
        and for the files of DICOM series and data groups.
    :param reference: What was asked for.
    :param signed_url: Address for a limited time. It is a secret.
    :param url: Address of the file in the user's own bucket; None if Encord stores it.
    :param size: Size in bytes; None if Encord does not state it.
    """

    item_id: str
    item_type: str
    title: str
    reference: Reference
    unit: str | None
    signed_url: str | None = None
    url: str | None = None
    size: int | None = None
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None

    @property
    def is_member(self) -> bool:
        """Whether it is one of the files of the item that was asked for."""
        return self.item_id != self.reference.item_id

    def __repr__(self) -> str:
        return f"MediaFile({self.title!r}, item_id={self.item_id!r})"


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """An item without a file.

    :param missing: Whether it does not exist any more; otherwise Encord has no file for it, or does not give it out.
    """

    reference: Reference
    problem: str
    missing: bool = False


def files_of(client: EncordClient, references: Sequence[Reference]) -> Iterator[MediaFile | Unavailable]:
    """The files of some items, with new signed URLs. One request for all, and one for each group.

    :raises EncordError: Encord could not be reached, or does not accept the key.
    """
    wanted = list(dict.fromkeys(reference.item_id for reference in references if reference.item_id))
    items, problems = readable_items(client, wanted, sign_urls=True)
    for reference in references:
        if reference.item_id is None:
            known = bool(reference.title)
            yield Unavailable(reference=reference, problem=_NO_ITEM if known else _NO_LONGER_THERE, missing=not known)
        elif reference.item_id not in items:
            error = problems.get(reference.item_id)
            problem = "its storage item does not exist any more" if error is None else unreadable(error)
            missing = error is None or isinstance(error, NotFoundError)
            yield Unavailable(reference=reference, problem=problem, missing=missing)
        else:
            yield from _files_of_item(client, reference, items[reference.item_id])


def with_new_url(client: EncordClient, file: MediaFile) -> MediaFile | None:
    """The same file with a new signed URL; None if Encord gives out no URL any more.

    :raises EncordError: Encord could not be reached.
    """
    again = files_of(client, [file.reference])
    return next(
        (new for new in again if isinstance(new, MediaFile) and new.item_id == file.item_id and new.signed_url), None
    )


def _files_of_item(
    client: EncordClient, reference: Reference, item: StorageItemRecord
) -> Iterator[MediaFile | Unavailable]:
    try:
        if item.item_type in _OF_IMAGES and reference.data_hash and reference.dataset_id:
            yield from _images_of(client, reference, reference.dataset_id, reference.data_hash)
        elif item.item_type in _GROUPS:
            children = client.send(list_child_items(item.parent, item.uuid, sign_urls=True))
            yield from (_file_of(reference, child) for child in children)
        else:
            yield _file_of(reference, item)
    except AuthenticationError:
        raise
    except RefusedError as error:
        yield Unavailable(reference=reference, problem=f"its files could not be listed: {error.message}")


def _images_of(client: EncordClient, reference: Reference, dataset_id: str, data_hash: str) -> list[MediaFile]:
    """The images of a group, by their hashes."""
    row = client.send(get_data_row(dataset_id, data_hash, images_data=True, images_signed_urls=True))
    return [_image(reference, image) for image in row.images_data or ()]


def _image(reference: Reference, image: ImageInGroup) -> MediaFile:
    return MediaFile(
        item_id=image.image_hash,
        item_type="image",
        title=image.title or image.image_hash,
        reference=reference,
        unit=image.image_hash,
        signed_url=image.signed_url,
        url=_bucket_url(image.file_link),
        size=image.file_size,
        mime_type=image.file_type,
        width=image.width,
        height=image.height,
    )


def _file_of(reference: Reference, item: StorageItemRecord) -> MediaFile:
    return MediaFile(
        item_id=item.uuid,
        item_type=item.item_type,
        title=item.name,
        reference=reference,
        unit=reference.data_hash if item.uuid == reference.item_id else None,
        signed_url=item.signed_url,
        url=_bucket_url(item.url),
        size=item.file_size,
        mime_type=item.mime_type,
        width=item.width,
        height=item.height,
        fps=item.fps,
    )


def _bucket_url(address: str | None) -> str | None:
    """The address of a file in the user's bucket; None for a key in Encord's own store."""
    return address if address and "://" in address else None
