"""Set the metadata schema of the organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import METADATA_MODES
from airflow_provider_encord.operators.arguments import parse_bool, parse_choice, storage_path, text_or_mapping
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordSetMetadataSchemaOperator(EncordBaseOperator):
    """Set the types of keys in the client metadata, by which the items of the organisation can be filtered and sorted.

    Safe to repeat: nothing is sent if nothing changes. All types are checked before anything is sent. Encord has no
    version of the schema: if two tasks, or a task and a person, save at the same time, the last one wins. Needs an SSH
    key. Encord API: ``organisation/client-metadata-schema-v2`` GET and POST (v2).

    :param schema: The types by key (templated): a dictionary, its JSON, or the path or URI of a ``.json`` file. A type
        is an object such as ``{"ty": "number"}`` or ``{"ty": "enum", "values": ["north", "south"]}``; its ``ty`` is
        ``variant``, ``number``, ``varchar``, ``text``, ``datetime``, ``enum``, ``embedding``, ``boolean``, ``uuid``,
        ``geospatial``, ``user`` or ``tombstone``.
    :param mode: ``"merge"`` (default) keeps the keys that are not in `schema`; ``"replace"`` removes them (templated).
    :param preview: Only log what would be changed (templated). Default: False. An empty string is an error.
    :return: ``{"created", "updated", "unchanged", "removed"}``: the number of keys. With `preview`, what would be.
    :raises AirflowFailException: A key or a type is not valid, or Encord rejects the request. Nothing was changed.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = ("schema", "mode", "preview", "encord_conn_id")
    template_ext: Sequence[str] = ()  # a path is opened by the task: it may be in an object store
    operator_extra_links = ()  # there is no page in Encord to open

    def __init__(
        self,
        *,
        schema: Mapping[str, Mapping[str, Any]] | str,
        mode: str = "merge",
        preview: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.schema = schema
        self.mode = mode
        self.preview = preview
        check_literals(mode=(mode, one_of(*METADATA_MODES)), preview=(preview, parse_bool))

    def _execute(self, context: Context) -> dict[str, Any]:
        """Set the types."""
        from airflow_provider_encord.item_metadata.schema_update import set_schema, wanted_schema

        mode = parse_choice(self.mode, "mode", METADATA_MODES)
        preview = parse_bool(self.preview, "preview")
        given = text_or_mapping(self.schema, "schema")
        schema = wanted_schema(given, lambda uri: storage_path(uri, "schema"))
        saved = set_schema(self.client, schema, keep_others=mode == "merge", preview=preview)
        return {
            "created": len(saved.created),
            "updated": len(saved.updated),
            "unchanged": len(saved.unchanged),
            "removed": len(saved.removed),
        }
