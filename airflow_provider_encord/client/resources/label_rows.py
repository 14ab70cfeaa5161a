"""Bulk operations on the label rows of a project. `Project` has the methods that read and save them.

Large numbers are sent in several requests. When one of them fails, the earlier ones are done, and a
`PartialFailureError` names their rows. All operations are safe to repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from airflow_provider_encord.client.api import label_actions, labels
from airflow_provider_encord.client.api.label_actions import RowClassifications, ValidationState
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import as_far_as_possible, chunks, in_parts


class LabelRows:
    """Handle on the label rows of a project. Creating the handle sends no request.

    :param project: The project's id.
    """

    def __init__(self, client: ClientProtocol, project: str):
        self._client, self._project = client, project

    def __repr__(self) -> str:
        return f"LabelRows({self._project!r})"

    def complete(self, label_hashes: Sequence[str]) -> None:
        """Send rows to the final stage of the workflow; safe to repeat."""
        self._client.run(
            in_parts(
                label_hashes,
                lambda some: label_actions.complete_label_rows(self._project, some),
                size=labels.MOST_ROWS_PER_REQUEST,
            )
        )

    def reopen(self, label_hashes: Sequence[str]) -> None:
        """Send rows back to the first annotation stage; safe to repeat as long as no person works on them."""
        self._client.run(
            in_parts(
                label_hashes,
                lambda some: label_actions.reopen_label_rows(self._project, some),
                size=labels.MOST_ROWS_PER_REQUEST,
            )
        )

    def set_priorities(self, priorities: Mapping[str, float]) -> None:
        """Set the priority with which tasks are handed out; safe to repeat. SSH keys only.

        :param priorities: From 0 (last) to 1 (first), by data hash.
        :raises InvalidArgumentError: A priority is not from 0 to 1; nothing was sent.
        """
        wrong = [data_hash for data_hash, priority in priorities.items() if not 0 <= priority <= 1]
        if wrong:
            raise InvalidArgumentError(
                f"priorities: {priorities[wrong[0]]} (of {wrong[0]}) is not a number from 0 to 1."
            )
        self._client.run(
            in_parts(
                list(priorities),
                lambda some: label_actions.set_priorities(self._project, {item: priorities[item] for item in some}),
                size=label_actions.MOST_PRIORITIES_PER_REQUEST,
            )
        )

    def validation_state(self, label_hash: str) -> ValidationState:
        """Whether the labels of a row match the ontology, and which ones do not. SSH keys only."""
        return self._client.send(label_actions.get_validation_state(self._project, label_hash))

    def classifications(
        self, label_hashes: Sequence[str], *, branch: str = labels.MAIN_BRANCH
    ) -> Iterator[RowClassifications]:
        """Iterate over the classification answers of rows, without their objects, one request at a time.

        SSH keys only.
        """
        for part in chunks(label_hashes, label_actions.MOST_ROWS_PER_CLASSIFICATIONS_REQUEST):
            outcome = self._client.run(
                as_far_as_possible(
                    part,
                    lambda some: label_actions.get_classifications(self._project, some, branch=branch),
                    size=len(part),
                )
            )
            for rows in outcome.results:
                yield from rows
            outcome.checked()

    def copy_to_branch(
        self, label_hashes: Sequence[str], *, target: str, source: str = labels.MAIN_BRANCH, overwrite: bool = False
    ) -> int:
        """Copy the labels of rows to another branch. SSH keys only.

        :param overwrite: Replace labels that the target branch already has. False leaves these rows unchanged.
        :return: How many rows were copied.
        """
        if target == source:
            raise InvalidArgumentError(f"target: {target!r} is also the source branch. Pass another branch.")
        copied = self._client.run(
            in_parts(
                label_hashes,
                lambda some: label_actions.copy_labels_to_branch(
                    self._project, some, target=target, source=source, overwrite=overwrite
                ),
                size=label_actions.MOST_ROWS_PER_BRANCH_COPY,
            )
        )
        return sum(copied)

    def set_status(self, label_hash: str, status: str) -> None:
        """Set the label status of a row, in a project without a workflow.

        :param status: One of `label_actions.LABEL_STATUSES`.
        """
        if status not in label_actions.LABEL_STATUSES:
            raise InvalidArgumentError(f"status: {status!r} is not one of {', '.join(label_actions.LABEL_STATUSES)}.")
        self._client.send(label_actions.set_label_status(self._project, label_hash, status))

    def submit_for_review(self, label_hash: str) -> None:
        """Submit a row for review, in a project without a workflow."""
        self._client.send(label_actions.submit_label_row_for_review(self._project, label_hash))
