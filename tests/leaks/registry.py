"""Every path by which personal data may leave the hub, and what checks it.

A path that is not registered fails `test_registry.py`: whoever adds a root field, a route or a command of the `hub`
says here by which questions the leak checks ask it, or why it tells nothing of anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click
import typer
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from hub.cli import app as hub_command
from hub.schema import Catalogue
from hub.schema.meanings import ByIdentifierRoot, ByIdRoot, ByIdsRoot, ChangesRoot, FoundRoot, ListRoot


@dataclass(frozen=True)
class Asked:
    """The leak checks ask it by probes of these kinds."""

    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Entrance:
    """The leak checks ask through it, by these ways of `tests.leaks.ways`."""

    ways: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """Whoever uses it reads the database anyway; a test shows that the log says who did."""

    test: str
    """Its file and name."""


@dataclass(frozen=True)
class Silent:
    """It tells nothing of anybody."""

    why: str


Path = Asked | Entrance | Shown | Silent

MEANINGS: Mapping[type, Asked] = {
    ByIdRoot: Asked(("by_id", "guessed id")),
    ByIdsRoot: Asked(("entities", "guessed id")),
    FoundRoot: Asked(("search",)),
    ByIdentifierRoot: Asked(("identifier",)),
    ChangesRoot: Asked(("subscription",)),
    ListRoot: Asked(("fields", "filter", "sort", "figure", "group", "forged cursor", "one row", "count")),
}
"""Root fields that follow from the ontology, by what they stand for."""

ARGUMENTS: Mapping[str, Asked] = {
    "after": Asked(("fields", "forged cursor")),
    "asOf": Asked(("past",)),
    "first": Asked(("fields",)),
    "id": Asked(("by_id", "guessed id")),
    "ids": Asked(("subscription",)),
    "kinds": Asked(("subscription",)),
    "orderBy": Asked(("sort",)),
    "region": Asked(("identifier",)),
    "representations": Asked(("entities",)),
    "scheme": Asked(("identifier",)),
    "text": Asked(("search",)),
    "types": Asked(("search",)),
    "value": Asked(("identifier",)),
    "where": Asked(("filter", "link_filter")),
}
"""Arguments of the root fields that follow from the ontology: what they may choose is asked for."""

FIELDS: Mapping[str, Path] = {
    "Query.me": Silent("what the caller's own token says"),
    "Query.sources": Asked(("sources",)),
    "Query.mappings": Silent("what the YAML of the sources says"),
    "Query.search": Asked(("search", "count")),
    "Query.searchIndex": Silent("counts of changes and documents, for those who may know of the sources"),
    "Query.searchSuggest": Asked(("search",)),
    "Query.relatedCustomers": Asked(("network", "guessed id")),
    "Query.path": Asked(("network", "guessed id")),
    "Query.graphml": Asked(("network", "guessed id")),
    "Query.lastChange": Asked(("subscription",)),
    "Query.explainAccess": Silent("the policy's decisions, which are the same for all data"),
    **dict.fromkeys(
        (
            "Query.accessesOf",
            "Query.accessesBy",
            "Query.changesOf",
            "Query.readsWithoutResult",
            "Query.unusualAccess",
            "Query.auditSample",
            "Query.breakGlassEvents",
            "Query.accessMap",
            "Query.accessReview",
            "Query.complianceOverview",
            "Query.field",
            "Query.privacyMapDiff",
            "Query.ropa",
        ),
        Silent("ids, words and numbers of the audit log, for those alone who may read all of it"),
    ),
    "Mutation.attestGrant": Silent("what the caller has just said of a rule of the policy"),
    "Query._service": Silent("the schema, which is the same for all data"),
    "Mutation.recordConsent": Asked(("command",)),
    "Mutation.recordRestriction": Asked(("command",)),
    "Mutation.logInteraction": Asked(("command",)),
    "Mutation.correctProperty": Asked(("command",)),
    "Mutation.withdrawCorrection": Asked(("command",)),
    "Query.breakGlasses": Silent("what was said by those who broke the glass, for reviewers alone"),
    "Mutation.breakGlass": Asked(("command",)),
    "Mutation.stopBreakGlass": Silent("when what the caller began has ended"),
    "Mutation.reviewBreakGlass": Silent("the id that the caller has just said"),
    "Query.erasure": Silent("ids, ground and time of an erasure, for those alone who may erase"),
    "Query.erasures": Silent("the like of all erasures"),
    **dict.fromkeys(
        ("Query.contactAllowed", "Query.contactAudience", "Query.consentHistory", "Query.suppressions"),
        Silent(
            "the ledger of consents, for those alone to whom a command of the policy gives it, of whom they reach"
        ),
    ),
    **dict.fromkeys(
        ("Query.callRegisters", "Query.consentStatus", "Mutation.acknowledgeSuppressions"),
        Silent("names, times and counts of lists"),
    ),
    "Mutation.takeSuppressions": Silent("a suppression list, for those alone to whom the policy gives it"),
    **dict.fromkeys(
        ("Mutation.recordSignal", "Mutation.receiveReply"),
        Silent("what the caller has just said, the same whoever holds the identifier"),
    ),
    **dict.fromkeys(
        ("Mutation.recordDoNotCall", "Mutation.releaseDoNotCall"),
        Silent("how many customers have the number that the caller has just said"),
    ),
    "Mutation.recordGpc": Silent("ids of what the caller has just said"),
    "Mutation.eraseCustomer": Silent(
        "counts of what is gone, for those alone who may erase, of whom they reach"
    ),
    **dict.fromkeys(
        (
            "Query.privacyRequests",
            "Query.privacyRequest",
            "Query.privacyRequestMetrics",
            "Mutation.openPrivacyRequest",
            "Mutation.verifyIdentity",
            "Mutation.planRequest",
            "Mutation.runRequest",
            "Mutation.completeTask",
            "Mutation.pauseRequest",
            "Mutation.resumeRequest",
            "Mutation.extendRequest",
            "Mutation.refuseRequest",
        ),
        Silent("ids, states and counts of requests, for those alone who may handle them"),
    ),
    "Mutation.accessPackage": Shown(
        "tests/privacy/requests/test_answers.py::test_article_15_the_package_is_complete_against_a_scan_of_all_stores"
    ),
    "Query.retainedItems": Shown(
        "tests/privacy/requests/test_answers.py"
        "::test_article_17_3_what_stays_is_what_the_rule_says_and_is_shown_for_its_purpose_alone"
    ),
    "Mutation.releaseSuppression": Silent("how many hashes were taken back, for those alone who may erase"),
    **dict.fromkeys(
        ("Query.retention", "Mutation.runRetention"),
        Silent("counts of what is overdue, or gone, for those alone who may run retention"),
    ),
    **dict.fromkeys(
        ("Query.legalHolds", "Mutation.placeLegalHold", "Mutation.releaseLegalHold"),
        Silent("ids of customers and what was said of a hold, for those alone who may place holds"),
    ),
    **dict.fromkeys(
        (
            "Query.breachScope",
            "Query.incidents",
            "Query.incidentCustomers",
            "Mutation.recordIncident",
            "Mutation.noteIncident",
        ),
        Silent("ids, words and numbers of a breach, for those alone who may handle breaches"),
    ),
    **dict.fromkeys(
        (
            "Query.explainMatch",
            "Query.whyNot",
            "Query.explainCustomer",
            "Query.matchReview",
            "Query.matchPreview",
            "Query.matchAgreement",
            "Query.matchDecisions",
        ),
        Silent("ids, comparisons, levels and bits, for those alone who may decide them, of whom they reach"),
    ),
    **dict.fromkeys(
        (
            "Mutation.decideMatches",
            "Mutation.mergeCustomers",
            "Mutation.unmergeCustomer",
            "Mutation.undoDecisions",
        ),
        Silent("ids of customers, for those alone who may decide them, of whom they reach"),
    ),
    "Query.screenPop": Shown("tests/calls/test_levels.py::test_no_role_is_shown_more_than_graphql_shows_it"),
    "Subscription.screenPop": Shown(
        "tests/api/test_pops.py::test_what_a_listener_is_told_is_on_record_before"
    ),
    **dict.fromkeys(
        (
            "Mutation.pickCaller",
            "Mutation.confirmCaller",
            "Mutation.rejectCaller",
            "Mutation.undoCaller",
            "Mutation.wrapUpCall",
            "Mutation.correctCaller",
            "Mutation.createCaller",
        ),
        Silent("the id of the call that the agent has just said"),
    ),
    **dict.fromkeys(
        ("Query.privacyMap", "Query.dataMap", "Query.recipients", "Query.findings", "Mutation.decideFinding"),
        Silent("names of places, fields and people's ids, counts: no value, for those alone who may ask"),
    ),
    "Mutation.syncSource": Silent("that a run of a source has begun"),
    **dict.fromkeys(
        ("Mutation.freezeSource", "Mutation.thawSource"), Silent("the name of the source that was given")
    ),
    "Mutation.replayQuarantine": Silent("that a run of a source has begun"),
    "Subscription.syncProgress": Silent("how many records a run of a source has read"),
}
"""The other root fields."""

ROUTES: Mapping[str, Path] = {
    "HTTP /graphql": Entrance(("POST", "GET", "events")),
    "WEBSOCKET /graphql": Entrance(("socket",)),
    "HTTP /graphql/schema.graphql": Silent("the schema"),
    "HTTP /healthz": Silent("that the hub lives"),
    "HTTP /metrics": Silent("counts by source and by path"),
    "HTTP /pop/card": Shown(
        "tests/api/test_pop_page.py::test_a_card_is_html_for_the_agents_rights_and_on_record"
    ),
    "HTTP /pop/events": Shown("tests/api/test_pop_page.py::test_cards_come_as_events_that_are_on_record"),
    "HTTP /pop": Silent("files of the package"),
    "HTTP /cti/v1/cnam": Shown("tests/api/test_cti.py::test_whom_a_display_told_of_is_on_record_before"),
    "HTTP /cti/v1/lookup": Shown("tests/api/test_cti.py::test_a_lookup_tells_who_how_sure_and_why"),
    "HTTP /cti/v1/events": Silent("that a call was taken note of, and how far it is"),
    "HTTP /cti/3cx.xml": Silent("a template without values"),
    "HTTP /cti/yeastar.xml": Silent("a template without values"),
    "HTTP /hooks/{source}": Silent("that a delivery was kept, was there already, or is of no stream"),
    "HTTP /console": Silent("files of the package, and documents without values"),
}
"""Routes of the application; one under another that is here is a file of its page."""

_NOTES = Silent("the id of what the operator has just said")
_STEWARD = Shown("tests/cli/test_decide.py::test_who_looked_is_on_record")
_QUESTION = Shown("tests/cli/test_questions.py::test_every_question_is_on_record_before_its_answer")
_OFFICER = Shown("tests/privacy/test_cli.py::test_every_question_is_on_record")
_REGISTER = Shown("tests/cli/test_breach.py::test_who_looks_at_breaches_is_on_record")
COMMANDS: Mapping[str, Path] = {
    "access cedar": Silent("the policy as Cedar has it"),
    "access check": Silent("faults of the policy"),
    "access diff": Silent("decisions of two policies"),
    "access explain": Silent("the policy's decisions"),
    "access glass list": Shown("tests/cli/test_glass.py::test_who_looks_at_the_queue_is_on_record"),
    "access glass review": Silent("the id that the operator has just said"),
    "access glass stop": Silent("when it ended"),
    "audit changes": _QUESTION,
    "audit checkpoint": Silent("a count and a hash"),
    "audit cosign": Silent("names of witnesses"),
    "audit empty-reads": _QUESTION,
    "audit export": Shown(
        "tests/cli/test_audit.py::test_events_are_exported_as_lines_after_the_event_that_says_so"
    ),
    "audit key new": Silent("the public half of a new key"),
    "audit prove": Shown(
        "tests/cli/test_audit.py::test_a_receipt_of_a_number_and_of_an_id_is_checked_without_the_hub"
    ),
    "audit data-keys destroy": Silent("counts of what was destroyed"),
    "audit data-keys make": Silent("a new master key"),
    "audit data-keys rotate": Silent("a count of keys"),
    "audit sample": _QUESTION,
    "audit seen-by": _QUESTION,
    "audit under-glass": _QUESTION,
    "audit unusual": _QUESTION,
    "audit who-saw": _QUESTION,
    "audit show": Shown(
        "tests/cli/test_payloads.py::test_an_event_is_shown_as_it_was_hashed_and_its_payload_by_request_only"
    ),
    "audit verify": Silent("counts and hashes"),
    "breach fingerprint": Silent("a hash of what the operator has just given"),
    "breach list": _REGISTER,
    "breach notify": Silent("what is undecided about the incident that the operator has just named"),
    "breach open": Silent("a count of people and a time"),
    "breach people": Shown(
        "tests/privacy/keeping/test_breach.py::test_how_to_reach_them_is_an_access_of_its_own"
    ),
    "breach scope": _REGISTER,
    "breach show": _REGISTER,
    "check": Silent("the configuration"),
    "consent record": _NOTES,
    "consent gpc": _NOTES,
    **dict.fromkeys(
        ("consent do-not-call", "consent may-call", "consent signal", "consent reply"),
        Silent("what the operator has just said, and a count"),
    ),
    **dict.fromkeys(
        ("consent import-register", "consent registers", "consent acknowledge", "consent status"),
        Silent("names, times and counts of lists"),
    ),
    "consent take": Shown("tests/privacy/test_replies.py::test_the_commands_of_lists_tell_what_came_of_them"),
    **dict.fromkeys(
        ("consent allowed", "consent audience", "consent history", "consent suppressions"),
        Shown("tests/privacy/test_consent.py::test_the_commands_tell_it"),
    ),
    "restriction record": _NOTES,
    "correction make": _NOTES,
    "correction withdraw": _NOTES,
    "demo": Silent("counts of an invented company"),
    "docs": Silent("the generated pages"),
    "erase customer": Shown("tests/cli/test_erase.py::test_a_dry_run_counts_and_nothing_else"),
    "erase list": Shown("tests/cli/test_erase.py::test_erasures_are_listed_and_who_looked_is_on_record"),
    **dict.fromkeys(
        (
            "request open",
            "request list",
            "request show",
            "request verify",
            "request plan",
            "request run",
            "request task",
            "request pause",
            "request extend",
            "request refuse",
            "request metrics",
            "request tidy",
        ),
        Silent("ids, states and counts of requests"),
    ),
    **dict.fromkeys(
        ("request package", "request keys", "request retained"),
        Shown("tests/cli/test_request.py::test_what_shows_values_or_keys_is_on_record"),
    ),
    "erase release": Silent("how many hashes were taken back"),
    "erase scrub": Silent("how many erasures waited for it"),
    "forget": Silent("counts of a run"),
    "hold list": Shown("tests/cli/test_retain.py::test_who_looks_at_holds_is_on_record"),
    "hold place": Silent("a count of customers whom the operator has just named"),
    "hold release": Silent("the id that the operator has just said"),
    "index check": Silent("counts of documents"),
    "index rebuild": Silent("a count of documents"),
    "index status": Silent("counts of documents and changes"),
    "interaction log": _NOTES,
    "key create": Silent("a new key of a machine"),
    "key list": Silent("what the keys of machines may do"),
    "key revoke": Silent("that a key is refused"),
    "key rotate": Silent("a new secret of a machine's key"),
    "privacy access": _OFFICER,
    "privacy attest": Silent("the verdict that the operator has just said"),
    "privacy diff": _OFFICER,
    "privacy fides": Silent("names of fields and categories"),
    "privacy home": _OFFICER,
    "privacy readers": _OFFICER,
    "privacy record": _OFFICER,
    "privacy review": _OFFICER,
    **dict.fromkeys(
        ("privacy map", "privacy person", "privacy field", "privacy recipients", "privacy findings"),
        Shown("tests/privacy/test_places_cli.py::test_every_question_is_on_record"),
    ),
    "preview": Shown("tests/cli/test_main.py::test_preview_with_values_shows_them_and_leaves_an_audit_event"),
    "quarantine discard": Silent("the number that the operator has just said"),
    "quarantine list": Shown(
        "tests/cli/test_main.py::test_quarantined_values_are_shown_by_request_only_which_leaves_an_audit_event"
    ),
    "quarantine replay": Silent("counts of a run"),
    "quarantine show": Shown(
        "tests/cli/test_main.py::test_quarantined_values_are_shown_by_request_only_which_leaves_an_audit_event"
    ),
    "queries": Silent("documents without values"),
    "resolve evaluate": Silent("figures of records in a file of the operator's own"),
    "resolve evaluate-households": Silent("figures of records in a file of the operator's own"),
    "resolve train": Shown(
        "tests/cli/test_train.py::test_a_model_is_learnt_from_the_store_which_leaves_an_audit_event"
    ),
    **dict.fromkeys(
        (
            "resolve review",
            "resolve preview",
            "resolve explain",
            "resolve why-not",
            "resolve customer",
            "resolve household",
            "resolve decisions",
            "resolve agreement",
        ),
        _STEWARD,
    ),
    **dict.fromkeys(
        ("resolve same", "resolve not-same", "resolve merge", "resolve unmerge", "resolve undo"),
        Silent("ids of customers that the operator has just named"),
    ),
    "retention report": Silent("counts of what is overdue"),
    "retention run": Silent("counts of what is gone"),
    "search": Shown("tests/cli/test_search.py::test_a_search_is_on_record_before_it_is_answered"),
    "serve": Silent("nothing but its address"),
    "sources": Silent("counts and times of runs"),
    "sync": Silent("counts of runs"),
    "worker": Silent("counts of runs"),
    **dict.fromkeys(
        ("source schedule", "source freeze", "source thaw", "source backfill", "source hooks"),
        Silent("names of sources, times, counts"),
    ),
    **dict.fromkeys(("adapter install", "adapter list"), Silent("names of programs")),
    **dict.fromkeys(
        ("adapter preset list", "adapter preset show", "adapter preset use"),
        Silent("what ships with the hub"),
    ),
    "adapter coverage": Silent("names of fields, shares and data categories"),
    "adapter test": Shown(
        "tests/cli/test_adapter_kit.py::test_values_are_recorded_as_they_are_by_request_only_which_leaves_an_audit_event"
    ),
    "adapter new": Silent("names of fields, shares and data categories; no value of what it samples"),
    "token": Silent("a token of the demo issuer"),
}
"""Commands of the `hub`."""


def fields(catalogue: Catalogue) -> Iterator[tuple[str, Path | None]]:
    """All root fields of the schema, each with its registration; None where it has none."""
    schema = catalogue.graphql
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name in root.fields if root is not None else ():
            meaning = catalogue.meaning(root.name, name) if root is not None else None
            path = f"{root.name if root is not None else ''}.{name}"
            yield path, FIELDS.get(path) if meaning is None else MEANINGS.get(type(meaning))


def arguments(catalogue: Catalogue) -> set[str]:
    """The arguments of the root fields that follow from the ontology."""
    schema = catalogue.graphql
    return {
        argument
        for root in (schema.query_type, schema.subscription_type)
        for name, field in (root.fields.items() if root is not None else ())
        if root is not None and catalogue.meaning(root.name, name) is not None
        for argument in field.args
    }


def routes(app: Starlette) -> Iterator[tuple[str, Path | None]]:
    """All routes of the application, the like."""
    for route in app.routes:
        if isinstance(route, WebSocketRoute):
            yield f"WEBSOCKET {route.path}", ROUTES.get(f"WEBSOCKET {route.path}")
        else:
            path = str(getattr(route, "path", route))
            within = (known for known in ROUTES if f"HTTP {path}".startswith(f"{known}/"))
            yield f"HTTP {path}", ROUTES.get(f"HTTP {path}", ROUTES.get(next(within, "")))


def commands() -> Iterator[tuple[str, Path | None]]:
    """All commands, the like."""
    for words in _commands(typer.main.get_command(hub_command), ()):
        yield " ".join(words), COMMANDS.get(" ".join(words))


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words
    for name, each in (inner or {}).items():
        yield from _commands(each, (*words, name))
