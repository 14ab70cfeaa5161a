"""The facts about Encord that no server has confirmed yet, and how each could be seen by reading.

A fact is here because the protocol reference marks it as inferred, or leaves it open. `marks` counts the
reference's own marks that a fact stands for, so that a test can hold this list against the reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from airflow_provider_encord.client.call import API_KEY, API_KEY_ONLY, SSH_ONLY, SSH_OR_API_KEY
from airflow_provider_encord.smoke import checks_of_access as access
from airflow_provider_encord.smoke import checks_of_content as content
from airflow_provider_encord.smoke.findings import Finding, joined, not_checked
from airflow_provider_encord.smoke.visit import Visit

_WOULD_WRITE = "would need a write"
_BROWSER = (
    "cannot be seen from outside: the web application is no API. In a browser that is signed in, does this path open "
    "the right page?"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that this package takes for true, or would like to know.

    :param id: Its name in reports.
    :param section: Of the protocol reference.
    :param statement: In our own words.
    :param credentials: Kinds of credential that it can be seen with.
    :param check: Looks whether it holds; None if reading cannot tell.
    :param why_not: Why reading cannot tell.
    :param marks: How many marks "inferred" of that section it stands for.
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
        statement="Only for Encord's own API hosts is it known where the web application is.",
        why_not="cannot be seen from outside: an API does not name its web application",
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
        statement="A v2 signature that is 30 s old is accepted (how far off it may be is not known).",
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
        statement="A key with the id of something else is refused as not authenticated or not authorised, also when it "
        "asks what it belongs to.",
        credentials=API_KEY_ONLY,
        check=access.key_for_something_else,
        marks=1,
    ),
    Fact(
        id="api-key-unknown",
        section="2.3",
        statement="An unknown key is refused in the same way.",
        credentials=API_KEY_ONLY,
        why_not="would need a made-up key, which can look like an attack",
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
        statement="What does not exist is refused with RESOURCE_NOT_FOUND_ERROR or AUTHORISATION_ERROR on v1.",
        check=access.missing_on_v1,
        marks=1,
    ),
    Fact(
        id="missing-v2",
        section="3",
        statement="What does not exist is refused with 404 or 403 on v2.",
        check=access.missing_on_v2,
    ),
    Fact(
        id="time-forms",
        section="4",
        statement="Every listing takes times with Z and with +00:00.",
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
        statement="v2 answers in camelCase (the SDK would take snake_case, too).",
        check=content.names_in_camel_case,
    ),
    Fact(
        id="no-content",
        section="4",
        statement="Some servers may answer 200 with null where others answer 204.",
        why_not=f"{_WOULD_WRITE}: only writes have nothing to say",
    ),
    Fact(
        id="rate-limits",
        section="6",
        statement="How many requests are allowed, and does an answer tell?",
        credentials=SSH_OR_API_KEY,
        check=access.limits_told,
    ),
    Fact(
        id="lookup-scope",
        section="7.1",
        statement="Asking what an API key belongs to needs no scope.",
        credentials=API_KEY_ONLY,
        check=access.lookup_needs_no_scope,
        marks=1,
    ),
    Fact(
        id="api-key-reach",
        section="7.1",
        statement="What may an API key do?",
        credentials=API_KEY_ONLY,
        check=access.reach_of_keys,
    ),
    Fact(
        id="rows-follow-data",
        section="7.3",
        statement="Every data unit of an attached dataset has a label row without being asked for, and in a workflow "
        "project a place in the workflow.",
        check=content.rows_follow_data,
        marks=1,
    ),
    Fact(
        id="default-workflow",
        section="7.3",
        statement="What is the default workflow of a new project made of, and do its tasks begin in the first stage?",
        why_not=f"{_WOULD_WRITE}: a project, and projects cannot be deleted by API",
    ),
    Fact(
        id="ontology-pages",
        section="7.4",
        statement="The listing of ontologies continues with a page token, though the SDK reads one page.",
        check=content.ontology_pages,
    ),
    Fact(
        id="metadata-keys",
        section="7.5",
        statement="Keys may be left out when label rows are listed.",
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
        statement="May a creation that the SDK repeats by itself make a second thing, such as a second collection?",
        why_not=f"{_WOULD_WRITE}: collections, data groups, models",
        marks=1,
    ),
    Fact(
        id="time-series-ranges",
        section="7.5",
        statement="In which units are the ranges of objects in a time series?",
        why_not="it needs a labelled time series, which few accounts have",
        marks=1,
    ),
    Fact(
        id="order-of-actions",
        section="7.5",
        statement="Is a saved row the same to Encord if the order of its dynamic actions is turned round?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="object-numbers",
        section="7.5",
        statement="Are objects numbered by Encord if a save leaves their numbers out?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="absent-keys-of-rows",
        section="7.5",
        statement="Does a save that leaves keys out which the SDK does not know keep them?",
        why_not=f"{_WOULD_WRITE}: labels",
        marks=1,
    ),
    Fact(
        id="layouts-of-groups",
        section="7.20",
        statement="Does the layout of a data group take camelCase and snake_case?",
        why_not=f"{_WOULD_WRITE}: data groups",
        marks=1,
    ),
    Fact(
        id="routers",
        section="7.7",
        statement="Routers are not listed among the stages of a workflow.",
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
        statement="The ids of a new data unit need not be the itemUuid of its upload.",
        why_not=f"{_WOULD_WRITE}: an upload",
        marks=1,
    ),
    Fact(
        id="measured",
        section="7.9",
        statement="Encord reads type, size and dimensions of an image off the file.",
        credentials=SSH_OR_API_KEY,
        check=content.measured_by_encord,
        marks=1,
    ),
    Fact(
        id="hold-capped",
        section="7.10",
        statement="Encord caps how long a poll may ask to be held.",
        why_not=f"{_WOULD_WRITE}: a job to poll",
        marks=1,
    ),
    Fact(
        id="upload-manifest",
        section="7.11",
        statement="The documented upload JSON has lists in snake_case and entries in camelCase, up to a million URLs.",
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
        statement="Sending the removal of a tag or group again does no harm.",
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


def look_into(fact: Fact, visits: Sequence[Visit]) -> Finding:
    """The outcome of a fact, over all visits whose credential can show it."""
    if fact.check is None:
        return not_checked(fact.why_not)
    able = [visit for visit in visits if visit.credential.kind in fact.credentials]
    if not able:
        return not_checked(f"needs a connection with an {' or '.join(sorted(map(kind_name, fact.credentials)))}")
    return joined([(kind_name(visit.credential.kind), _looked(fact.check, visit)) for visit in able])


def _looked(check: Callable[[Visit], Finding], visit: Visit) -> Finding:
    try:
        return check(visit)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # An answer that our record could read can still be of a form that a check did not expect; that is no reason to
        # lose the rest of the report.
        return not_checked(f"the check could not make sense of an answer ({type(error).__name__})")


def kind_name(kind: str) -> str:
    """What people call a kind of credential."""
    return "API key" if kind == API_KEY else "SSH key"
