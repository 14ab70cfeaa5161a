"""Partition the objects of a prefix into manifests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import FILE_KINDS, MOST_PARTITIONS, OBJECTS_PER_MANIFEST
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_choice,
    parse_positive_int,
    parse_url,
    parse_url_prefix,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_destination, check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordPartitionObjectsOperator(EncordBaseOperator):
    """List the objects below a prefix once, and write them to manifests for mapped registration tasks.

    `EncordRegisterCloudDataOperator` takes the manifests. Nothing is sent to Encord, and the connection is not read.
    XCom gets the URIs of the manifests, never the list of objects. Objects are ordered by key. The same objects give
    the same manifests, so the task may be retried or cleared at any time. Manifests that the objects do not give any
    more are removed. Give each DAG run a directory of its own, so that no run removes manifests which another one still
    registers::

        manifests = EncordPartitionObjectsOperator(
            task_id="partition", source="s3://aws_default@intake/cameras", destination="s3://aws_default@work/{{ ds }}"
        )
        EncordRegisterCloudDataOperator.partial(task_id="register", ...).expand(source=manifests.output)

    :param source: The directory or prefix to list (templated): a URL that Airflow's object storage knows
        (``s3://connection_id@bucket/path``), an absolute local path, or an `ObjectStoragePath`.
    :param destination: Directory for the manifests (templated). It must be empty, or hold nothing but manifests of this
        operator.
    :param url_prefix: What stands for the source in URLs that Encord reads, such as ``s3://bucket/prefix`` (templated).
        Default: the source's own URI, without the id of a connection.
    :param kind: What all objects are, whatever their names (templated): ``"image"``, ``"video"``, ``"audio"``,
        ``"dicom"``, ``"nifti"``, ``"pdf"`` or ``"text"``. By default the suffix of each name decides, and an object
        whose suffix stands for none of these, or for text, is left out.
    :param objects_per_manifest: Objects in a manifest, at most (templated). If that makes more than 1000 manifests,
        they are larger. Default: 10000.
    :return: URIs of the manifests, in order; at least one.
    :raises AirflowFailException: The source has no objects, the destination holds other files, or an argument is wrong.
    :raises AirflowException: The store cannot be reached, or another task writes into the destination; a retry may
        help.
    """

    operator_extra_links = ()  # it asks nothing of Encord, so there is no page to open
    template_fields: Sequence[str] = (
        "source",
        "destination",
        "url_prefix",
        "kind",
        "objects_per_manifest",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        source: str | os.PathLike[str] | ObjectStoragePath,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        url_prefix: str | None = None,
        kind: str | None = None,
        objects_per_manifest: int | str = OBJECTS_PER_MANIFEST,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.destination = destination
        self.url_prefix = url_prefix
        self.kind = kind
        self.objects_per_manifest = objects_per_manifest
        check_destination(destination)
        check_literals(
            source=(source, parse_url),
            url_prefix=(url_prefix, parse_url_prefix),
            kind=(kind, one_of(*FILE_KINDS)),
            objects_per_manifest=(objects_per_manifest, parse_positive_int),
        )

    def _execute(self, context: Context) -> list[str]:
        """Write the manifests."""
        from airflow_provider_encord.registration.cloud_source import CloudSource
        from airflow_provider_encord.registration.partition import partition_objects
        from airflow_provider_encord.sources.kinds import kind_named

        size = parse_positive_int(self.objects_per_manifest, "objects_per_manifest")
        kind = blank_to_none(self.kind)
        source = CloudSource(
            path=storage_path(self.source, "source"),
            url_prefix=parse_url_prefix(self.url_prefix, "url_prefix"),
            kind=None if kind is None else kind_named(parse_choice(kind, "kind", FILE_KINDS)),
            units_per_job=size,
        )
        destination = storage_path(self.destination, "destination")
        written = partition_objects(
            source, destination, owner_of(context), objects_per_manifest=size, most=MOST_PARTITIONS
        )
        self.log.info("Wrote %d manifests to %s.", len(written), destination)
        return written
