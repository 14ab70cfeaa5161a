"""Assumptions and open questions about Encord, and the checks that test them with read requests.

The protocol reference marks these facts as inferred, or leaves them open. `marks` is the number of such marks in the
reference that a fact covers; a test compares the sum with the reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from airflow_provider_encord.client.call import API_KEY, API_KEY_ONLY, SSH_ONLY, SSH_OR_API_KEY
from airflow_provider_encord.smoke import checks_of_access as access
from airflow_provider_encord.smoke import checks_of_content as content
from airflow_provider_encord.smoke.findings import Finding, joined, not_checked
from airflow_provider_encord.smoke.visit import Visit

_WOULD_WRITE = "only a write could show it"
_BROWSER = "only a browser can show it: does this path open the right page when you are signed in?"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fact:
    """An assumption of this package, or an open question.

    :param id: Its name in reports.
    :param section: The section of the protocol reference.
    :param statement: The assumption or question.
    :param credentials: The kinds of credential that the check accepts.
    :param check: Checks whether the fact holds; None if read requests cannot show it.
    :param why_not: Why read requests cannot show it.
    :param marks: Number of "inferred" marks in that section that it covers.
    """

    id: str
    section: str
    statement: str
    credentials: frozenset[str] = SSH_ONLY
    check: Callable[[Visit], Finding] | None = None
    why_not: str = ""
    marks: int = 0


FACTS: tuple[Fact, ...] = (
    Fact(
        id="web-hosts",
        section="1.3",
        statement="The address of the web application is known only for Encord's own API hosts.",
        why_not="the API does not state the address of its web application",
    ),
    Fact(
        id="link-dataset",
        section="1.3",
        statement="A dataset's page is /datasets/view/{dataset}, or /data/datasets/{dataset}.",
        why_not=_BROWSER,
    ),
    Fact(id="link-folder", section="1.3", statement="A folder's page is /data/files/{folder}.", why_not=_BROWSER),
    Fact(
        id="link-ontology",
        section="1.3",
        statement="An ontology's page is /ontologies/view/{ontology}/structure.",
        why_not=_BROWSER,
    ),
    Fact(
        id="signature-age",
        section="2.2",
        statement="A v2 signature that is 30 s old is accepted. (The exact limit is not documented.)",
        check=access.signature_age,
    ),
    Fact(
        id="sign-again",
        section="2.2",
        statement="The same request may be signed again for each attempt.",
        check=access.signed_again,
        marks=1,
    ),
    Fact(
        id="api-keys-accepted",
        section="2.3",
        statement="Encord still accepts API keys, which its SDK dropped in November 2024.",
        credentials=API_KEY_ONLY,
        check=access.api_keys_accepted,
    ),
    Fact(
        id="api-key-elsewhere",
        section="2.3",
        statement="A key that is sent with the id of another resource is refused as not authenticated or not "
        "authorised, also when it looks up its own resource.",
        credentials=API_KEY_ONLY,
        check=access.key_for_something_else,
        marks=1,
    ),
    Fact(
        id="api-key-unknown",
        section="2.3",
        statement="An unknown key is refused in the same way.",
        credentials=API_KEY_ONLY,
        why_not="it needs an invented key, which can look like an attack",
    ),
    Fact(
        id="bearer-lifetime",
        section="2.4",
        statement="How long does a bearer token live?",
        check=access.bearer_token_lifetime,
    ),
    Fact(
        id="missing-v1",
        section="3",
        statement="v1 refuses an id that does not exist with RESOURCE_NOT_FOUND_ERROR or AUTHORISATION_ERROR.",
        check=access.missing_on_v1,
        marks=1,
    ),
    Fact(
        id="missing-v2",
        section="3",
        statement="v2 refuses an id that does not exist with status 404 or 403.",
        check=access.missing_on_v2,
    ),
    Fact(
        id="time-forms",
        section="4",
        statement="Every listing accepts times that end in Z and in +00:00.",
        check=content.time_forms,
        marks=1,
    ),
    Fact(
        id="naive-times",
        section="4",
        statement="A time without an offset is read as UTC.",
        check=content.naive_times,
        marks=1,
    ),
    Fact(
        id="camel-case",
        section="4",
        statement="v2 answers in camelCase. (The SDK would also accept snake_case.)",
        check=content.names_in_camel_case,
    ),
    Fact(
        id="no-content",
        section="4",
        statement="Some servers may answer 200 with null where others answer 204.",
        why_not=f"{_WOULD_WRITE}: only writes have empty answers",
    ),
    Fact(
        id="rate-limits",
        section="6",
        statement="How many requests are allowed, and do answers state it?",
        credentials=SSH_OR_API_KEY,
        check=access.rate_limits,
    ),
    Fact(
        id="lookup-scope",
        section="7.1",
        statement="The lookup of the resource that an API key belongs to needs no scope.",
        credentials=API_KEY_ONLY,
        check=access.lookup_needs_no_scope,
        marks=1,
    ),
    Fact(
        id="api-key-reach",
        section="7.1",
        statement="Which reads may an API key send?",
        credentials=API_KEY_ONLY,
        check=access.reach_of_keys,
    ),
    Fact(
        id="rows-follow-data",
        section="7.3",
        statement="Every data unit of an attached dataset has a label row from the start; in a workflow project the "
        "row is in a stage.",
        check=content.rows_follow_data,
        marks=1,
    ),
    Fact(
        id="default-workflow",
        section="7.3",
        statement="Which stages does the default workflow have, and do new tasks start in the first one?",
        why_not=f"{_WOULD_WRITE}: a new project, and the API cannot delete projects",
    ),
    Fact(
        id="ontology-pages",
        section="7.4",
        statement="The listing of ontologies has further pages, with a page token, although the SDK reads one page.",
        check=content.ontology_pages,
    ),
    Fact(
        id="metadata-keys",
        section="7.5",
        statement="A request that lists label rows may leave out optional keys.",
        credentials=SSH_OR_API_KEY,
        check=content.metadata_keys_optional,
        marks=1,
    ),
    Fact(
        id="rows-without-times",
        section="7.5",
        statement="A filter of edit times leaves out label rows that were never created.",
        credentials=SSH_OR_API_KEY,
        check=content.times_leave_out_rows_without,
        marks=1,
    ),
    Fact(
        id="repeated-creations",
        section="6",
        statement="Can a creation that the SDK repeats create a second resource, such as a second collection?",
        why_not=f"{_WOULD_WRITE}: collections, data groups, models",
        marks=1,
    ),
    Fact(
        id="time-series-ranges",
        section="7.5",
        statement="Which unit do the ranges of objects in a time series have?",
        why_not="it needs a labelled time series, which few accounts have",
        marks=1,
    ),
    Fact(
        id="order-of-actions",
        section="7.5",
        statement="Does the order of the dynamic actions in a saved label row matter?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="object-numbers",
        section="7.5",
        statement="Does Encord number the objects of a save that leaves their numbers out?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="absent-keys-of-rows",
        section="7.5",
        statement="Does a save keep the stored keys that it leaves out?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="layouts-of-groups",
        section="7.20",
        statement="Does the layout of a data group accept both camelCase and snake_case?",
        why_not=f"{_WOULD_WRITE}: data groups",
        marks=1,
    ),
    Fact(
        id="routers",
        section="7.7",
        statement="The stages of a workflow do not include routers.",
        check=content.routers_left_out,
        marks=1,
    ),
    Fact(
        id="label-review-types",
        section="7.7",
        statement='The labelType of a label review is "Object" or "Classification".',
        check=content.types_of_label_reviews,
    ),
    Fact(
        id="upload-ids",
        section="7.9",
        statement="The id of a new data unit can differ from the itemUuid of its upload.",
        why_not=f"{_WOULD_WRITE}: an upload",
        marks=1,
    ),
    Fact(
        id="measured",
        section="7.9",
        statement="Encord reads type, size and dimensions of an image from the file.",
        credentials=SSH_OR_API_KEY,
        check=content.measured_by_encord,
        marks=1,
    ),
    Fact(
        id="hold-capped",
        section="7.10",
        statement="Encord limits how long a poll may wait for an answer.",
        why_not=f"{_WOULD_WRITE}: a job to poll",
        marks=1,
    ),
    Fact(
        id="upload-manifest",
        section="7.11",
        statement="The documented JSON of an upload has lists in snake_case and entries in camelCase, with up to a "
        "million URLs.",
        why_not=f"{_WOULD_WRITE}: a registration",
    ),
    Fact(
        id="words",
        section="8",
        statement="Statuses, types and roles are those that the SDK knows.",
        credentials=SSH_OR_API_KEY,
        check=content.words_known,
    ),
    Fact(
        id="delete-again",
        section="9",
        statement="A removal of a tag or group can be sent twice without an error.",
        why_not=_WOULD_WRITE,
        marks=1,
    ),
    Fact(
        id="signed-url-type",
        section="9",
        statement="A signed URL for an upload does not bind the content type.",
        why_not=f"{_WOULD_WRITE}: an upload",
        marks=1,
    ),
)


def check_fact(fact: Fact, visits: Sequence[Visit]) -> Finding:
    """Check a fact with every connection that has an accepted kind of credential."""
    if fact.check is None:
        return not_checked(fact.why_not)
    able = [visit for visit in visits if visit.credential.kind in fact.credentials]
    if not able:
        return not_checked(f"needs a connection with an {' or '.join(sorted(map(kind_name, fact.credentials)))}")
    return joined([(kind_name(visit.credential.kind), _checked(fact.check, visit)) for visit in able])


def _checked(check: Callable[[Visit], Finding], visit: Visit) -> Finding:
    try:
        return check(visit)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # A check can fail on a response that the client could read. The rest of the report is still useful.
        return not_checked(f"the check failed on an unexpected answer ({type(error).__name__})")


def kind_name(kind: str) -> str:
    """The name of a kind of credential in texts."""
    return "API key" if kind == API_KEY else "SSH key"
