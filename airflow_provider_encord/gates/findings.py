"""Reading what a quality gate reported, for tasks that leave out what it found."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.gates.gate import REPORT_LINE, GateLine
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of


def findings_of(report: Any, argument: str, project_id: str) -> dict[str, list[str]]:
    """The data units that a report names, each with the measures that it counts against, in the order of the report.

    :param report: Path object of the report.
    :param argument: Name of the operator's argument, for error messages.
    :raises InvalidArgumentError: It is not a report of a quality gate, or of another project.
    """
    found: dict[str, list[str]] = {}
    try:
        for number, text in enumerate(lines_of(report, argument), 1):
            line = _line(text, f"{argument}: {report}, line {number}")
            if line.project_id.lower() != project_id.lower():
                raise InvalidArgumentError(
                    f"{argument}: {report} is about the project {line.project_id}, not about {project_id} of the "
                    "labels. Pass the report of a gate on this project."
                )
            if line.data_hash is not None:
                measures = found.setdefault(line.data_hash, [])
                if line.source not in measures:
                    measures.append(line.source)
    except DamagedFileError as error:
        raise InvalidArgumentError(f"{argument}: {report} is damaged: {error}.") from None
    return found


def _line(text: bytes, where: str) -> GateLine:
    try:
        return REPORT_LINE.decode(text)
    except NOT_JSON:
        raise InvalidArgumentError(
            f"{where}: it is not a line of a report of a quality gate. Pass another file."
        ) from None
