"""Dividing the tasks of a stage into files, for mapped tasks."""

from __future__ import annotations

import math

import msgspec

from airflow_provider_encord.attempts import CLAIM_FILE, Claim, Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.reports import encode_lines
from airflow_provider_encord.storage_paths import StoragePath, storage_errors, write_whole
from airflow_provider_encord.task_actions.selected import TaskQuery, selected_line

INDEX = "tasks.json"
_ARGUMENT = "destination"


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """The index of a partition. It is written last, so a partition with an index is complete.

    :param about: Hash of the arguments.
    :param files: Names of the files, in order.
    """

    about: str
    task_instance: str
    files: list[str]


def partition_tasks(
    client: EncordClient, query: TaskQuery, directory: StoragePath, owner: Owner, *, size: int, most: int
) -> list[str]:
    """Divide the tasks of a stage into files.

    :param size: How many tasks a file has; more if there would be more than `most` files.
    :return: URIs of the files; the same for a retry, and for a clear.
    :raises InvalidArgumentError: The directory has the files of another task or run.
    :raises UnavailableError: Another task is writing to the directory.
    """
    about = query.about(size=size)
    claim = Claim(directory / CLAIM_FILE, owner, _ARGUMENT)
    claim.take()
    try:
        files = _own_files(directory, owner, about)
        if files is None:
            files = _write(client, query, directory, owner, about, size, most)
    finally:
        claim.release()
    return [str(directory / name) for name in files]


def _write(
    client: EncordClient, query: TaskQuery, directory: StoragePath, owner: Owner, about: str, size: int, most: int
) -> list[str]:
    stage, tasks = query.run(client)
    size = max(size, math.ceil(len(tasks) / most))
    names = []
    with storage_errors(_ARGUMENT, directory):
        for number, part in enumerate(chunks(tasks, size)):
            names.append(f"tasks-{number:05d}.jsonl")
            lines = (selected_line(query.project_id, stage, task, owner, about) for task in part)
            write_whole(directory / names[-1], encode_lines(lines))
        index = Partition(about=about, task_instance=owner.task, files=names)
        write_whole(directory / INDEX, [msgspec.json.encode(index)])
    return names


def _own_files(directory: StoragePath, owner: Owner, about: str) -> list[str] | None:
    """The files that this task wrote before with the same arguments; None without them.

    :raises InvalidArgumentError: Another task wrote them.
    """
    path = directory / INDEX
    with storage_errors(_ARGUMENT, path):
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        index = msgspec.json.decode(content, type=Partition)
    except NOT_JSON:
        raise InvalidArgumentError(
            f"{_ARGUMENT}: {path} was not written by this operator. Pass another directory."
        ) from None
    if index.task_instance != owner.task:
        raise InvalidArgumentError(
            f"{_ARGUMENT}: {directory} has the files of the task {index.task_instance}, which other tasks may still "
            "read. Pass a directory that is different in each DAG run, such as one with {{ run_id }}."
        )
    return index.files if index.about == about else None
