"""Operators on ontologies: create and get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import IF_EXISTS
from airflow_provider_encord.links import ontology_url
from airflow_provider_encord.operators.arguments import json_mapping, parse_text
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of
from airflow_provider_encord.operators.records import as_dictionary

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordCreateOntologyOperator(EncordBaseOperator):
    """Create an ontology, unless one with its title exists.

    Safe to retry with the default `if_exists`: a retry finds the ontology by its title, even if Encord's response was
    lost or the worker died. If several tasks created an ontology with this title at the same time (within ten
    minutes), the oldest is used and a warning is logged. An existing ontology is not changed, even if its structure
    differs. Needs an SSH key. Encord API: ``ontologies`` POST (v2).

    :param title: Title (templated).
    :param structure: The objects and classifications that can be labelled (templated): a dictionary, or JSON. Without
        it, the ontology is empty. If the template renders to an empty string, the task fails. In this short form, the
        operator adds the ids, colours and feature hashes::

            {
                "objects": [{"name": "Car", "shape": "bounding_box",
                             "attributes": [{"name": "colour", "type": "radio", "options": ["red", "blue"]}]}],
                "classifications": [{"name": "weather", "type": "radio", "options": ["dry", "wet"]}],
            }

        Parts that have the full form of Encord's API are sent unchanged.
    :param description: Description (templated).
    :param if_exists: What to do if an ontology with this title exists (templated). ``"reuse"`` (default) returns the
        ontology with exactly this title that the connection can see, and fails if there are several. ``"fail"`` fails
        the task, also on a retry after an attempt that created the ontology. ``"new"`` creates another ontology at
        every attempt.
    :return: Id of the ontology.
    :raises AirflowFailException: The structure is invalid, an ontology with this title exists (see `if_exists`), or
        Encord rejects the arguments.
    :raises AirflowException: Encord could not be reached, or its response was lost. A retry first looks for the
        ontology.
    """

    knows_project = False
    template_fields: Sequence[str] = ("title", "structure", "description", "if_exists", "encord_conn_id")
    template_fields_renderers = {"structure": "json"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        title: str,
        structure: Mapping[str, Any] | str | None = None,
        description: str = "",
        if_exists: str = "reuse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.title = title
        self.structure = structure
        self._structure_is_left_out = structure is None
        self.description = description
        self.if_exists = if_exists
        check_literals(
            if_exists=(if_exists, one_of(*IF_EXISTS)),
        )

    def _execute(self, context: Context) -> str:
        """Create or find the ontology."""
        created = self.client.create_ontology(
            parse_text(self.title, "title") or "",
            structure=self._wanted(),
            description=parse_text(self.description, "description") or "",
            if_exists=self.if_exists,
        )
        self.push_link(context, ontology_url, created.id)
        self.log.info("%s ontology %s, %r.", "Created" if created.created else "Reuse", created.id, self.title)
        return created.id

    def _wanted(self) -> dict[str, Any] | None:
        """Return the structure; None if the argument was not passed.

        :raises InvalidArgumentError: The template rendered to an empty string.
        """

        structure = json_mapping(self.structure, "structure")
        if not structure and not self._structure_is_left_out:
            raise InvalidArgumentError(
                "structure: it is empty (check the rendered template); no ontology was created. To create an empty "
                "ontology, do not pass `structure`."
            )
        return structure


class EncordGetOntologyOperator(EncordBaseOperator):
    """Read an ontology.

    Only reads. Needs an SSH key; API keys have no access to ontologies.

    :param ontology_id: Id of the ontology (templated).
    :return: The ontology as a dictionary: ``ontology_id``, ``title``, ``description``, ``editor`` (its structure),
        and so on.
    :raises AirflowFailException: The ontology does not exist, or the connection has no access to it.
    """

    knows_project = False
    template_fields: Sequence[str] = ("ontology_id", "encord_conn_id")

    def __init__(self, *, ontology_id: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.ontology_id = ontology_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Read the ontology."""
        ontology = self.client.ontology(self.ontology_id)
        self.push_link(context, ontology_url, ontology.id)
        return as_dictionary(ontology.get())
