"""What runs in the background: the work of every sort of job."""

from __future__ import annotations

from ..datasets import reencoding
from ..models import models
from ..state.jobs import Work
from . import deidentification, jobs, sync

WORK = {
    sync.TABLE: Work(sync.run, sync.give_up),
    jobs.TABLE: Work(jobs.run, jobs.give_up),
    deidentification.TABLE: Work(deidentification.run, deidentification.give_up),
    models.TABLE: Work(models.run, models.give_up),
    reencoding.TABLE: Work(reencoding.run, reencoding.give_up),
}
"""By the table that the jobs are in; a sync comes first, for it waits for its upload jobs by itself."""
