"""Rows of the table: user and organisation."""

from __future__ import annotations

from .. import organisation, people
from ..operations import Operation
from .rows import ANY_KEY, DATASET, PROJECT, READS, USER, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "user.bearer_token", "GET user/bearer-token", people.bearer_token),
    v2(READS, "organisation_tags.list", "GET organisation/organisation-tags", organisation.tags),
    v2(READS, "cloud_integrations.list", "GET cloud-integrations", organisation.integrations,
        organisation.IntegrationQuery),
    v1(READS, "cloud_integrations.list (v1)", "cloudintegration GET", organisation.integrations_v1,
        USER, PROJECT, DATASET, key=ANY_KEY),
)
# fmt: on
