"""List the objects below a prefix, and write them to manifests."""

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

    Pass the manifests to `EncordRegisterCloudDataOperator`. This operator sends nothing to Encord and does not read
    the connection. It returns only the URIs of the manifests, not the list of objects. Objects are ordered by key. The
    same objects result in the same manifests, so the task can be retried or cleared at any time. It removes manifests
    of an earlier attempt that are no longer needed. So use a different destination for each DAG run; otherwise a run
    could remove manifests that another run still registers::

        manifests = EncordPartitionObjectsOperator(
            task_id="partition", source="s3://aws_default@intake/cameras", destination="s3://aws_default@work/{{ ds }}"
        )
        EncordRegisterCloudDataOperator.partial(task_id="register", ...).expand(source=manifests.output)

    :param source: The directory or prefix to list (templated): a URL of Airflow's object storage
        (``s3://connection_id@bucket/path``), an absolute local path, or an `ObjectStoragePath`.
    :param destination: Directory for the manifests (templated). It must be empty, or contain only manifests of this
        operator.
    :param url_prefix: The URL of the source for Encord, such as ``s3://bucket/prefix`` (templated). Default: the URI of
        the source, without a connection id.
    :param kind: Type of all objects (templated): ``"image"``, ``"video"``, ``"audio"``, ``"dicom"``, ``"nifti"``,
        ``"pdf"``, ``"text"`` or ``"time_series"``. Default: the suffix of each name decides; text files and files with
        an unknown suffix are skipped.
    :param objects_per_manifest: Maximum number of objects in a manifest (templated). The number is raised if there
        would be more than 1000 manifests. Default: 10000.
    :return: URIs of the manifests, in order; at least one.
    :raises AirflowFailException: The source has no objects, the destination has other files, or an argument is wrong.
    :raises AirflowException: The storage could not be reached, or another task writes to the destination; a retry may
        help.
    """

    operator_extra_links = ()  # there is no page in Encord to open
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
        from airflow_provider_encord.registration.partition import partition_objects

        kind = blank_to_none(self.kind)
        destination = storage_path(self.destination, "destination")
        written = partition_objects(
            storage_path(self.source, "source"),
            destination,
            owner_of(context),
            url_prefix=parse_url_prefix(self.url_prefix, "url_prefix"),
            kind=None if kind is None else parse_choice(kind, "kind", FILE_KINDS),
            objects_per_manifest=parse_positive_int(self.objects_per_manifest, "objects_per_manifest"),
            most=MOST_PARTITIONS,
        )
        self.log.info("Wrote %d manifests to %s.", len(written), destination)
        return written
