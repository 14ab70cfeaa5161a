"""Operators on ontologies: create, get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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

    Safe to repeat with the default `if_exists`: the ontology of this title is found again, also when the answer to its
    creation was lost or the worker died. Of several that tasks created at the same time (within ten minutes) the oldest
    is taken, with a warning. What is found is not changed, whatever its structure. Needs an SSH key. Encord API:
    ``ontologies`` POST (v2).

    :param title: Title (templated).
    :param structure: What can be labelled (templated): a dictionary, or JSON. If it is left out, the ontology is empty.
        A template that renders to nothing is refused. In short form, ids, colours and feature hashes are made for you::

            {
                "objects": [{"name": "Car", "shape": "bounding_box",
                             "attributes": [{"name": "colour", "type": "radio", "options": ["red", "blue"]}]}],
                "classifications": [{"name": "weather", "type": "radio", "options": ["dry", "wet"]}],
            }

        What is given in full, as Encord's API has it, stays as it is.
    :param description: Description (templated).
    :param if_exists: What to do if its title is taken (templated): ``"reuse"`` (default) takes the one ontology of
        exactly this title that the connection can see, and fails if there are several; ``"fail"`` fails if there is
        one, so also on a retry after the ontology was created; ``"new"`` makes another ontology at every try.
    :return: Id of the ontology.
    :raises AirflowFailException: The structure is wrong, the title is taken, or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or its answer was lost; a retry looks first.
    """

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
        """The structure; None if the argument was left out.

        :raises InvalidArgumentError: It rendered to nothing.
        """
        from airflow_provider_encord.client.errors import InvalidArgumentError

        structure = json_mapping(self.structure, "structure")
        if not structure and not self._structure_is_left_out:
            raise InvalidArgumentError(
                "structure: it is empty (check the rendered template); no ontology was created. Leave the argument out "
                "to create an ontology in which nothing can be labelled."
            )
        return structure


class EncordGetOntologyOperator(EncordBaseOperator):
    """Read an ontology.

    Only reads. Needs an SSH key; with an API key there is no way to an ontology.

    :param ontology_id: Id (templated).
    :return: The ontology as a dictionary: ``ontology_id``, ``title``, ``description``, ``editor`` (its structure),
        and so on.
    :raises AirflowFailException: There is no such ontology, or the connection may not see it.
    """

    template_fields: Sequence[str] = ("ontology_id", "encord_conn_id")

    def __init__(self, *, ontology_id: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.ontology_id = ontology_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Read the ontology."""
        ontology = self.client.ontology(self.ontology_id)
        self.push_link(context, ontology_url, ontology.id)
        return as_dictionary(ontology.get())
