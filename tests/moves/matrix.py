"""The matrix: what is right in each move of each operator. A new operator needs a row here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tests.moves.agents import RunAgent, RunAgentRunner
from tests.moves.labels import (
    ExportAnalytics,
    ExportCollection,
    ExportLabels,
    ExportLabelsPartition,
    ImportCoco,
    ImportLabels,
    PartitionLabels,
    SnapshotLabels,
)
from tests.moves.media import BuildTrainingSet, PullMedia
from tests.moves.projects_and_datasets import (
    AddDatasetUsers,
    AddProjectUsers,
    AttachDatasets,
    CopyProject,
    CreateDataset,
    CreateFolder,
    CreateOntology,
    CreateProject,
    DetachDatasets,
    LinkItems,
    RemoveDataRows,
    SetProjectStatus,
)
from tests.moves.reports import ReportProject
from tests.moves.scenario import Scenario
from tests.moves.storage import (
    PartitionObjects,
    RegisterListing,
    RegisterManifest,
    SetMetadataSchema,
    SyncFolder,
    UpdateMetadata,
    UploadFiles,
)
from tests.moves.tasks import (
    AddIssues,
    AssignTasks,
    MoveTasks,
    PartitionTasks,
    ProceedTasks,
    ReleaseTasks,
    ReopenTasks,
    RevertTasks,
    ReviewTasks,
    SampleTasks,
    SetPriority,
    SubmitTasks,
)

MOVES = {
    "twice": "run in two DAG runs, one after the other",
    "cleared": "cleared after its success",
    "corrected": "cleared after its failure, with a corrected argument",
    "changed": "cleared after its success, when its source had changed",
    "lost": "retried after its source lost an entry",
    "gained": "retried after its source gained an entry",
    "at once": "two DAG runs at the same time",
    "zombie": "a zombie goes on beside its retry",
    "backfill": "an earlier logical date after a later one",
    "mapped": "mapped over nothing, one and many",
    "native": "native templates",
    "deferred": "deferred",
    "killed": "its worker is killed, and it is retried",
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """What is right.

    :param refused: What the last attempt is refused with; None if it succeeds.
    :param kept: The end state is that of before the move, whatever the world became.
    :param sends: The last attempt may send something that changes, though all is done.
    :param refused_without_state: On lines of Airflow that keep no state of tasks, it may be refused with this instead.
    :param agree: Several things may come of it, which Encord cannot prevent; but all attempts agree on one of them.
    :param skipped: Why the move does not apply.
    """

    refused: str | None = None
    kept: bool = False
    sends: bool = False
    agree: bool = False
    refused_without_state: str | None = None
    skipped: str | None = None


SAME = Cell()
"""The same end state; a repetition sends nothing that changes."""
SENDS = Cell(sends=True)
KEPT = Cell(kept=True)
AGREE = Cell(agree=True)
NO_JOB = Cell(skipped="it starts no job, so it does not wait")
GONE = Cell(refused="has none of the 3 data units")
GONE_WITHOUT_STATE = Cell(refused_without_state="has none of the 3 data units")
OF_ANOTHER_RUN = Cell(refused="is not the report of this snapshot")
OF_OTHER_LABELS = Cell(refused="has another training set", kept=True)
STILL_READ = Cell(refused="which other tasks may still read")
KEEPS_THE_UNDO = Cell(refused="holds what is needed to undo that change")

_ALWAYS: Mapping[str, Cell] = dict.fromkeys(MOVES, SAME)
_WITHOUT_JOB: Mapping[str, Cell] = {**_ALWAYS, "deferred": NO_JOB}
_CREATION: Mapping[str, Cell] = {**_WITHOUT_JOB, "at once": AGREE, "zombie": AGREE}
# A registration starts its jobs again, and Encord skips what is there; a sync scans the bucket again.
_WITH_JOB: Mapping[str, Cell] = {**_ALWAYS, **dict.fromkeys(("twice", "cleared", "backfill", "mapped"), SENDS)}
# The report of one run has what is needed to undo it, so another run, or another task, may not replace it.
_ON_TASKS: Mapping[str, Cell] = {
    **_WITHOUT_JOB,
    **dict.fromkeys(("twice", "backfill", "at once", "mapped"), KEEPS_THE_UNDO),
}
_NAMING_TASKS: Mapping[str, Cell] = {
    **_WITHOUT_JOB,
    "changed": KEPT,
    **dict.fromkeys(("twice", "backfill", "at once", "mapped"), STILL_READ),
}

MATRIX: Mapping[type[Scenario], Mapping[str, Cell]] = {
    CreateProject: _CREATION,
    CreateDataset: _CREATION,
    CreateOntology: _CREATION,
    CreateFolder: _CREATION,
    CopyProject: _CREATION,
    AttachDatasets: _WITHOUT_JOB,
    DetachDatasets: _WITHOUT_JOB,
    # Encord itself leaves alone who is there.
    AddProjectUsers: {**_WITHOUT_JOB, **dict.fromkeys(("twice", "cleared", "backfill", "mapped"), SENDS)},
    AddDatasetUsers: {**_WITHOUT_JOB, **dict.fromkeys(("twice", "cleared", "backfill", "mapped"), SENDS)},
    SetProjectStatus: _WITHOUT_JOB,
    LinkItems: {**_WITHOUT_JOB, **dict.fromkeys(("twice", "cleared", "backfill", "mapped"), SENDS)},
    RemoveDataRows: {
        **_WITHOUT_JOB,
        **dict.fromkeys(("twice", "cleared", "backfill", "mapped", "at once", "zombie"), GONE),
        "killed": GONE_WITHOUT_STATE,
    },
    SetMetadataSchema: _WITHOUT_JOB,
    UpdateMetadata: _WITHOUT_JOB,
    UploadFiles: _WITHOUT_JOB,
    RegisterManifest: _WITH_JOB,
    RegisterListing: _WITH_JOB,
    SyncFolder: _WITH_JOB,
    PartitionObjects: _WITHOUT_JOB,
    # A whole export of one logical date is not made again, whatever happened since; another date's is.
    ExportLabels: {**_WITHOUT_JOB, "changed": KEPT},
    ExportCollection: {**_WITHOUT_JOB, "changed": KEPT},
    # A partition keeps to the rows of its plan; once it is exported, it stays as it is.
    ExportLabelsPartition: {**_WITHOUT_JOB, "changed": KEPT},
    PartitionLabels: _WITHOUT_JOB,
    ImportLabels: _WITHOUT_JOB,
    ImportCoco: _WITHOUT_JOB,
    # Each run has a snapshot of its own: one that another run took is never added to.
    SnapshotLabels: {**_WITHOUT_JOB, **dict.fromkeys(("twice", "backfill", "at once"), OF_ANOTHER_RUN)},
    ExportAnalytics: _WITHOUT_JOB,
    ReportProject: _WITHOUT_JOB,
    PullMedia: _WITHOUT_JOB,
    # A finished training set is not replaced by another one, unless that is asked for.
    BuildTrainingSet: {**_WITHOUT_JOB, "changed": OF_OTHER_LABELS},
    MoveTasks: _ON_TASKS,
    ReopenTasks: _ON_TASKS,
    SubmitTasks: _ON_TASKS,
    ReviewTasks: _ON_TASKS,
    ProceedTasks: _ON_TASKS,
    AddIssues: _ON_TASKS,
    AssignTasks: _ON_TASKS,
    ReleaseTasks: _ON_TASKS,
    SetPriority: _ON_TASKS,
    RevertTasks: _ON_TASKS,
    # The tasks that read the files get the same tasks again.
    SampleTasks: _NAMING_TASKS,
    PartitionTasks: _NAMING_TASKS,
    RunAgent: _WITHOUT_JOB,
    RunAgentRunner: _WITHOUT_JOB,
}
"""By scenario and move."""

READS_ONLY = {
    "EncordGetProjectOperator",
    "EncordListProjectsOperator",
    "EncordGetDatasetOperator",
    "EncordListDatasetsOperator",
    "EncordGetOntologyOperator",
    "EncordVerifyExportOperator",
    "EncordQualityGateOperator",
    "EncordQualityGateBranchOperator",
    "EncordTasksSensor",
    "EncordProjectProgressSensor",
    "EncordProjectStatusSensor",
    "EncordLabelsChangedSensor",
}
"""Operators and sensors that change nothing and write no files."""
