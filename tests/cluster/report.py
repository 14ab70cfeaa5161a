"""The report of a run: a file of JSON, and the same as text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.limit import Limited
from tests.cluster.rounds import Outcome
from tests.cluster.scaling import Measured
from tests.cluster.usage import Used


@dataclasses.dataclass(frozen=True)
class Report:
    """What a run found.

    :param seconds: How long all took, from the start of the first server.
    """

    form: str
    seconds: float
    rounds: Sequence[Outcome]
    scaling: Sequence[Measured]
    limited: Limited | None
    usage: Mapping[str, Used]

    @property
    def good(self) -> bool:
        """Whether everything was as it must be."""
        return not any(one.problems for one in self.rounds)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = dataclasses.asdict(self) | {"good": self.good}
        path.write_text(json.dumps(content, indent=2, default=str) + "\n")

    def text(self) -> str:
        """What a person reads."""
        lines = [f"== The {self.form} form took {self.seconds:.0f} s."]
        for one in self.rounds:
            items = ", ".join(f"{count} {kind}" for kind, count in one.items.items())
            lines.append(f"{one.name}: {one.seconds:.0f} s, {one.retried} more tries, each once: {items}")
            lines += [f"  in progress at '{what}': {', '.join(kinds)}" for what, kinds in one.under_way.items()]
            if one.restarted:
                lines.append(f"  ended by themselves and started again: {one.restarted}")
            lines += [f"  PROBLEM: {problem}" for problem in one.problems]
        if self.scaling:
            lines.append("== Rows per second, where Encord takes a fixed time for each request")
            first = self.scaling[0].rate
            lines += [f"{one.workers} workers: {one.rate:.0f} ({one.rate / first:.1f}x)" for one in self.scaling]
        if self.limited:
            lines.append("== Many tasks, where Encord takes only so many requests a minute")
            lines.append(self.limited.text())
        lines.append("== What each part used: seconds of CPU, megabytes at most")
        lines += [f"{name:16} {used.cpu:8.0f} s {used.memory:8.0f} MB" for name, used in sorted(self.usage.items())]
        lines.append("Everything is there once." if self.good else "Something is wrong; see PROBLEM above.")
        return "\n".join(lines)
