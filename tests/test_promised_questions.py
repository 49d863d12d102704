"""What the API promises: each root field answers as it always did, to those it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import parse, validate

from hub.access import Command, Requester
from hub.ontology import load_ontology
from hub.reference.graphql import served_schema
from hub.schema import GraphQLRequest, GraphQLService
from hub.services import open_services
from hub.settings import Settings
from tests.doc_blocks import ROOT

# GraphQL

LISTS = [
    "customers",
    "campaigns",
    "consents",
    "contracts",
    "documents",
    "households",
    "interactions",
    "invoices",
    "leads",
    "lots",
    "loyaltyAccounts",
    "loyaltyTransactions",
    "opportunities",
    "orders",
    "orderLines",
    "organizations",
    "partners",
    "payments",
    "people",
    "products",
    "purchaseOrders",
    "quotes",
    "restrictions",
    "returns",
    "shipments",
    "shipmentEvents",
    "shipmentLines",
    "stockLevels",
    "stores",
    "surveyResponses",
    "tickets",
]
ROWS = [
    "customer",
    "campaign",
    "consent",
    "contract",
    "document",
    "household",
    "interaction",
    "invoice",
    "lead",
    "lot",
    "loyaltyAccount",
    "loyaltyTransaction",
    "opportunity",
    "order",
    "orderLine",
    "organization",
    "partner",
    "payment",
    "person",
    "product",
    "purchaseOrder",
    "quote",
    "restriction",
    "return",
    "shipment",
    "shipmentEvent",
    "shipmentLine",
    "stockLevel",
    "store",
    "surveyResponse",
    "ticket",
]
OTHERS = {
    "customerByIdentifier": '(scheme: email, value: "nobody@example.com") { id }',
    "contactAudience": '(channel: "email", purpose: "marketing", customers: null) { count excluded { reason count } }',
    "lastChange": "",
    "me": "{ subject roles purpose purposes department }",
    "sources": "{ name state records quarantined }",
    "mappings": '(source: "nothing", stream: null, version: null) { source stream version content since sinceRun }',
    "screenPop": '(number: "+441174960055", dnis: null, ivrId: null, uui: null, reference: null, callId: null)'
    " { status deadlineHit number shown region brand notes mentions { type id customerId title }"
    " call { id pbx key state direction extension beganAt answeredAt endedAt missed customerId wrappedUp }"
    " matches { id kind confidence why level calls name company tier language openTickets phones email"
    " likely { kind text ref at why type id source } reasons { kind } touches { id type at title channel direction"
    " handledBy outcome source } open { kind id ref title status at due source } promises { text by due id source }"
    " warnings worth { orders total since points } others { id name relation calls } freshness { source at state }"
    " withheld } }",
    "search": '(text: "nobody", after: 0, where: [{facet: "Ticket.status", values: ["open"]}],'
    ' since: "2026", until: "2026-02", facets: ["source"])'
    " { total hits { id title } counts { facet counts { value count } } didYouMean }",
    "searchIndex": "{ engine lag lagSeconds drift dropped }",
    "searchRows": '(text: "nobody", types: ["Customer"], first: 3) { __typename ... on Customer { name } }',
    "searchSuggest": '(text: "nobody", types: ["Customer"], sources: ["erp"], first: 3) { text type }',
    "_entities": '(representations: [{__typename: "Customer", id: "cus_nobody"}]) { __typename }',
}
FOR_TOOLS = {
    "_service": "{ sdl }",
    "explainAccess": '(role: "it", purpose: "accounting", property: "Customer.email")'
    " { category special effect mask breakGlassMinutes policySha256"
    " grants { part effect category scope why owner review overdue line } }",
}
_REQUEST = (
    "{ id kind law state channel receivedAt byAgent subject { pseudonym } identity deadline daysLeft overdue paused"
    " extended outcome closedAt steps { number source action way owner state at proof }"
    " retained { what count purpose basis until } resurrection { source stream blocked firstAt at } certificate }"
)
FOR_REVIEWERS = {
    "breakGlasses": "(reviewed: false, first: 1, after: null) { id state overdue subject roles department purpose"
    " customerId categories reason ticket startedAt expiresAt stoppedAt stoppedBy uses notifiedAt notices reviewedAt"
    " reviewedBy outcome note }",
    "suppressions": '(channel: "email", purpose: "marketing", hashed: true) { address reason }',
    "erasures": "(first: 1, after: null) { id customerIds erasedAt ground event state }",
    "privacyRequests": f"(states: [RECEIVED]) {_REQUEST}",
    "privacyRequestMetrics": "(year: 2026) { law kind received complied inPart refused open medianDays meanDays }",
}
_EVENT = (
    "{ seq id at action outcome reason subject roles department purpose customers categories entityTypes"
    " counts { name value } querySha256 policySha256 source stream runId breakGlass partOf }"
)
_USUAL = "{ days median deviation bound }"
_TIMES = 'since: "2026-01-01T00:00:00Z", until: "2026-01-31T00:00:00Z"'
_NARROWED = f'categories: ["user"], purposes: ["accounting"], {_TIMES}, first: 1, after: -1'
FOR_AUDITORS = {
    "accessesOf": f'(customer: "cus_nobody_at_all_00", {_NARROWED}) {{ customers events {_EVENT} next }}',
    "accessesBy": f'(subject: "u-1", {_NARROWED}) {{ events {_EVENT} next }}',
    "changesOf": f'(customer: "cus_nobody_at_all_00", categories: ["user"], {_TIMES}, first: 1, after: -1)'
    f" {{ customers next changes {{ event {_EVENT} records {{ recordId source stream runId landedAt }} }} }}",
    "readsWithoutResult": f"({_NARROWED}) {{ events {_EVENT} next }}",
    "unusualAccess": f"({_TIMES}, first: 1) {{ rule exports {{ events {_EVENT} next }}"
    f" volumes {{ subject roles day customers events reasons own {_USUAL} role {_USUAL} }} }}",
    "auditSample": f'(size: 1, seed: "7", {_TIMES}) {{ population events {_EVENT} }}',
}
OF_A_GLASS = {"breakGlassEvents": f'(id: "nothing", first: 1, after: -1) {{ events {_EVENT} next }}'}
FOR_OFFICERS = {"erasure": '(customerId: "nobody") { id customerIds erasedAt ground event state }'}
_EXTENT = (
    "{ erased events nameless cut unresolved waiting categories { name count } types { name count }"
    " actors { account roles events customers } }"
)
_INCIDENT = (
    "{ id openedAt openedBy awareAt dueAt isOverdue isLate isClosed lacks nature consequences measures owner people"
    f" extent {_EXTENT} steps {{ kind at notedAt notedBy note }} }}"
)
_USE = "{ reads lastAt people customers }"
_CHANGE = "{ what before after cause { kind sha256 since } }"
OF_PRIVACY = {
    "accessMap": f'(role: "support", purpose: "customer_service", category: "user.name", {_TIMES})'
    " { policySha256 since until reads readsWithoutResult refusedWithoutPurpose rule"
    f" unusual {{ subject roles day customers events reasons own {_USUAL} role {_USUAL} }}"
    " rules { id kind roles purposes names effect scope why owner since review pastReview attestBy pastAttestation"
    f" unused attestation {{ verdict subject at }} use {_USE} }} }}",
    "field": f'(path: "Customer.email", {_TIMES}, first: 1, after: -1) {{ path category special'
    " readableBy { role purpose effect within breakGlassMinutes people { subject isKey }"
    f" via {{ part effect category scope why owner review overdue line }} use {_USE} }}"
    f" reads {{ events {_EVENT} next }} }}",
    "accessReview": f'(sample: 1, seed: "7", {_TIMES}) {{ population rules {{ flag meaning }}'
    f" accesses {{ flags event {_EVENT} }} }}",
    "privacyMapDiff": '(since: "2020-01-01T00:00:00Z", until: null)'
    f" {{ added {_CHANGE} removed {_CHANGE} changed {_CHANGE} unknown }}",
    "complianceOverview": "{ key label state count how items { what owner due } }",
    "ropa": "(format: CSV, draft: false) { policySha256 activities content gaps { activity field required what } }",
    "retention": "(due: true, at: null) { at overdue rules { name label purpose types categories countedFrom keepDays"
    " then basis owner review cutoff due undated counts { type source due held bound } } }",
    "legalHolds": "(released: false, first: 1, after: null) { id matter reason owner until isOverdue placedAt placedBy"
    " releasedAt releasedBy customerIds }",
    "breachScope": f'(where: {{account: "u-1"}}) {{ people customerIds extent {_EXTENT} }}',
    "incidents": f"(first: 1, after: null) {_INCIDENT}",
}
_CAN = "{ access erase rectify restrict export }"
_PLACE_FIELD = "{ path property category special state }"
_LOCATION = (
    "{ id label kind system state categories purposes purposeDeclared subjects owner country partner rows"
    f" lastSeenAt retentionDays can {_CAN} fields {_PLACE_FIELD} }}"
)
_FINDING = (
    "{ id kind place field detected category hits sampled confidence firstSeenAt lastSeenAt state decidedBy decidedAt"
    " reason }"
)
FOR_SUPERVISORS = {
    "privacyMap": f'(category: "user.contact", system: "hub") {{ locations {_LOCATION}'
    " flows { source target derived purposes leaves transferMechanism } }",
    "recipients": "{ name label role categories fields purposes countries transferMechanism subProcessors"
    " agreement { ref until } people }",
    "findings": f"(state: OPEN, first: 1, after: null) {_FINDING}",
}
OF_A_PERSON = {
    "dataMap": '(customerId: "cus_nobody_at_all_00") { customerId copies lastReadAt lastReadBy'
    " places { id label rows categories } records { reference source stream key state observedAt landedAt versions"
    " fields { name property category state purposes basis retentionUntil recipients lastReadAt lastReadBy } } }",
    "privacyRequest": f'(id: "nothing") {_REQUEST}',
}
_DECISION = "{ id act verdict left right holdsTo by at undoneBy undoneAt inForce }"
_PAIR = (
    "{ left right together reason weight mergeWeight prior comparisons { comparison level bits frequencyBits }"
    f" schemes identifierBits decision {_DECISION} }}"
)
_HOLD = "{ left right weight reason }"
FOR_STEWARDS = {
    "matchReview": "(first: 1, after: null, kind: DOUBT)"
    " { kind left right customerIds weight mergeWeight parties worth cursor }",
    "matchPreview": "(mergeWeight: 60, kind: PERSON, first: 1) { mergeCount merges splitCount keptCount"
    " splits { customerId parts } overruledCount overruled { verdict left right } }",
    "matchAgreement": "{ month decisions same precision recall f1 blockingRecall }",
    "matchDecisions": f'(first: 1, after: null, act: "nothing", party: "nobody") {_DECISION}',
}
NOTHING_TO_TELL = {
    "matchPreview": {
        **dict.fromkeys(("mergeCount", "splitCount", "keptCount", "overruledCount"), 0),
        **{name: [] for name in ("merges", "splits", "overruled")},
    }
}
OF_PARTIES = {
    "explainMatch": f'(left: "nobody", right: "noone") {_PAIR}',
    "whyNot": f'(one: "cus_nobody", other: "cus_noone") {_PAIR}',
    "explainCustomer": f'(id: "cus_nobody") {{ customerId parties holds {_HOLD} weakest {_HOLD} parts }}',
}
OF_A_CUSTOMER = {
    "relatedCustomers": '(id: "cus_nobody") { customerId label distance reason steps { label } }',
    "path": '(from: "cus_nobody", to: "cus_noone") { start end label kind forward }',
    "graphml": '(id: "cus_nobody")',
    "contactAllowed": '(customerId: "cus_nobody", channel: "email", purpose: "marketing") { allowed reason'
    " evidence { id kind purpose channel state since expiresOn legalBasis wording wordingVersion proof collectedVia"
    " source stream recordId } }",
    "consentHistory": '(customerId: "cus_nobody") { id }',
    "retainedItems": '(id: "nothing") { what until values }',
}


MUTATIONS = {
    "recordConsent": '(input: {customerId: "nobody", purpose: "sales", channel: any, state: given,'
    ' idempotencyKey: "1"}) { customerId id }',
    "recordRestriction": '(input: {customerId: "nobody", kind: objection, purpose: "sales", state: in_force,'
    ' idempotencyKey: "7"}) { customerId id }',
    "logInteraction": '(input: {customerId: "nobody", kind: call, idempotencyKey: "2"}) { customerId id }',
    "correctProperty": '(input: {customerId: "nobody", property: name, value: "x", reason: "x", idempotencyKey: "3"})'
    " { customerId properties entityId }",
    "withdrawCorrection": '(input: {customerId: "nobody", property: name, reason: "x", idempotencyKey: "4"})'
    " { customerId properties entityId }",
    "breakGlass": '(input: {customerId: "nobody", categories: ["user.government_id"], minutes: 5,'
    ' reason: "a reason of twenty letters", ticket: "T-1", idempotencyKey: "8"}) { id expiresAt }',
    "stopBreakGlass": '(id: "nothing") { id stoppedAt }',
    "reviewBreakGlass": '(input: {id: "nothing", outcome: JUSTIFIED, note: "", idempotencyKey: "9"}) { id }',
    "recordGpc": '(customerId: "nobody", idempotencyKey: "k") { ids }',
    "eraseCustomer": '(input: {customerId: "nobody", ground: CONSENT_WITHDRAWN, reason: "a reason of twenty letters",'
    ' ticket: "T-1", scrub: false, idempotencyKey: "10"})'
    " { id event counts { place count } mentions verified remaining { place count } state }",
    "releaseSuppression": '(input: {scheme: "email", value: "nobody@example.com", region: null, source: null,'
    ' stream: null, recordKey: null, erasureId: null, reason: "a reason of twenty letters", ticket: "T-1",'
    ' idempotencyKey: "11"})'
    " { event count }",
    "attestGrant": '(input: {grantId: "nothing", verdict: KEEP, idempotencyKey: "at"}) { verdict subject at }',
    "runRetention": '(input: {rules: null, most: 1, scrub: false, idempotencyKey: "22"})'
    " { id customers records rows { type count } erasures overdue held bound verified }",
    "placeLegalHold": '(input: {matter: "x", reason: "a reason of twenty letters", owner: "compliance",'
    ' until: "2099-01-01", customerIds: ["nobody"], type: null, property: null, value: null, idempotencyKey: "23"})'
    " { id customers }",
    "releaseLegalHold": '(input: {id: "nothing", reason: "a reason of twenty letters", idempotencyKey: "24"})',
    "recordIncident": '(input: {where: {source: null, stream: null, wholeHub: false, account: "u-1", since: null,'
    ' until: null}, nature: "twenty letters at least", consequences: "twenty letters at least",'
    ' measures: "twenty letters at least", owner: "compliance", awareAt: "2020-01-01T00:00:00Z",'
    ' idempotencyKey: "25"})',
    "noteIncident": '(input: {id: "nothing", kind: MEASURE, note: "twenty letters at least", at: null,'
    f' idempotencyKey: "26"}}) {_INCIDENT}',
    "decideMatches": '(input: {pairs: [{left: "nobody", right: "noone"}], verdict: NOT_SAME, reason: "x",'
    ' idempotencyKey: "12"}) { act pairs customerIds }',
    "mergeCustomers": '(input: {customerIds: ["nobody", "noone"], reason: "x", idempotencyKey: "13"})'
    " { act pairs customerIds }",
    "unmergeCustomer": '(input: {customerId: "nobody", parties: ["noone"], reason: "x", idempotencyKey: "14"})'
    " { act pairs customerIds }",
    "undoDecisions": '(input: {act: "nothing", reason: "x", idempotencyKey: "15"}) { act pairs customerIds }',
    "pickCaller": '(input: {callId: "nothing", customerId: "nobody", idempotencyKey: "16"}) { callId }',
    "confirmCaller": '(input: {callId: "nothing", customerId: "nobody", method: SECURITY_QUESTION,'
    ' idempotencyKey: "17"}) { callId }',
    "rejectCaller": '(input: {callId: "nothing", customerId: "nobody", idempotencyKey: "18"}) { callId }',
    "undoCaller": '(callId: "nothing", idempotencyKey: "19") { callId }',
    "correctCaller": '(input: {callId: "nothing", property: "email", value: "x@example.com", reason: "x",'
    ' idempotencyKey: "21"}) { callId }',
    "createCaller": '(input: {callId: "nothing", name: "Cy Doe", reason: "x", idempotencyKey: "22"}) { callId }',
    "wrapUpCall": '(input: {callId: "nothing", subject: "x", idempotencyKey: "20"}) { callId }',
    "decideFinding": f'(input: {{findingId: "nothing", state: ACCEPTED, reason: "it may be so"}}) {_FINDING}',
    "openPrivacyRequest": "(input: {kind: RECTIFICATION, law: GDPR, channel: LETTER,"
    ' receivedAt: "2026-01-02T00:00:00Z", customerId: "nobody", byAgent: false, contact: null, said: null,'
    ' ground: null, purpose: null, changes: [{property: "name", value: "x"}], idempotencyKey: "24"})'
    f" {_REQUEST}",
    "verifyIdentity": '(id: "nothing", method: DOCUMENT, customerId: null, passed: true, permissionSeen: false)'
    " { id }",
    "planRequest": '(id: "nothing") { id }',
    "runRequest": '(id: "nothing") { id }',
    "completeTask": '(id: "nothing", number: 1, proof: "T-1") { id }',
    "pauseRequest": '(id: "nothing", reason: IDENTITY, fee: null) { id }',
    "resumeRequest": '(id: "nothing") { id }',
    "extendRequest": '(id: "nothing", reason: "a reason of twenty letters") { id }',
    "refuseRequest": '(id: "nothing", why: EXEMPT, reason: "a reason of twenty letters") { id }',
    "accessPackage": '(id: "nothing", preview: true) { event json html csv }',
    "syncSource": '(source: "nothing", idempotencyKey: "5") { source state runId }',
    "freezeSource": '(input: {source: "nothing", reason: "x", idempotencyKey: "22"}) { source }',
    "thawSource": '(source: "nothing", idempotencyKey: "23") { source }',
    "replayQuarantine": '(input: {source: "nothing", numbers: [1], idempotencyKey: "6"}) { source state runId }',
}

SUBSCRIPTIONS = {
    "customerChanged": "(ids: [], kinds: [CREATED, CHANGED, MERGED, REMOVED], after: 0)"
    " { id kind seq at mergedInto customer { id } }",
    "screenPop": '(extension: "21") { status matches { name } }',
    "syncProgress": '(source: "erp") { runId source kind state message startedAt finishedAt counts { read }'
    " streams { stream counts { read unchanged accepted quarantined suppressed deleted } } }",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphQLService]:
    """GraphQL on an empty hub."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "sources").mkdir()
    settings = Settings(
        data_dir=folder,
        config_dir=folder / "sources",
        policy_file=ROOT / "policy.yaml",
        queries_dir=ROOT / "queries",
    )
    with open_services(settings, {}) as services:
        services.publish()
        service = GraphQLService(services)
        yield service
        service.close()


def ask(
    service: GraphQLService, document: str, role: str = "support", purpose: str = "customer_service"
) -> dict[str, Any]:
    requester = Requester("agent-1", frozenset({role}), "support", purpose, "tests", (purpose,))
    answer = asyncio.run(service.answer(GraphQLRequest(document), requester))
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


@pytest.mark.parametrize("field", LISTS)
def test_every_list_of_an_empty_hub_is_empty(service: GraphQLService, field: str) -> None:
    assert ask(service, f"{{ {field}(first: 1) {{ totalCount nodes {{ id }} }} }}")["data"] == {
        field: {"totalCount": 0, "nodes": []}
    }


@pytest.mark.parametrize("field", ROWS)
def test_what_is_not_there_is_null(service: GraphQLService, field: str) -> None:
    assert ask(service, f'{{ {field}(id: "nothing") {{ id }} }}')["data"] == {field: None}


@pytest.mark.parametrize("field", OTHERS)
def test_the_other_questions_are_answered_by_an_empty_hub(service: GraphQLService, field: str) -> None:
    answer = ask(service, f"{{ {field}{OTHERS[field]} }}")
    assert "errors" not in answer
    assert list(answer["data"]) == [field]


@pytest.mark.parametrize("field", FOR_TOOLS)
def test_what_tools_and_engineers_ask_is_answered_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_TOOLS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert list(ask(service, document, "it", "system_operation")["data"]) == [field]


@pytest.mark.parametrize("field", FOR_REVIEWERS)
def test_what_reviewers_ask_is_answered_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_REVIEWERS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert ask(service, document, "compliance", "privacy_compliance")["data"] == {field: []}


@pytest.mark.parametrize("field", FOR_AUDITORS)
def test_what_auditors_ask_is_answered_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_AUDITORS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = ask(service, document, "compliance", "privacy_compliance")
    assert "errors" not in answer
    told = answer["data"][field]
    assert told.get("events", []) == told.get("changes", []) == told.get("volumes", []) == []


@pytest.mark.parametrize("field", FOR_SUPERVISORS)
def test_where_data_lies_is_told_to_those_who_supervise_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_SUPERVISORS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = ask(service, document, "compliance", "privacy_compliance")
    assert "errors" not in answer
    assert answer["data"][field]


@pytest.mark.parametrize("field", OF_A_PERSON)
def test_where_nobodys_data_lies_is_not_found(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{OF_A_PERSON[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = ask(service, document, "compliance", "privacy_compliance")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("field", OF_A_GLASS)
def test_what_happened_under_no_glass_is_not_found(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{OF_A_GLASS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = ask(service, document, "compliance", "privacy_compliance")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("field", FOR_OFFICERS)
def test_what_officers_ask_of_nobody_is_null_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_OFFICERS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert ask(service, document, "compliance", "privacy_compliance")["data"] == {field: None}


@pytest.mark.parametrize("field", OF_PRIVACY)
def test_what_officers_ask_of_all_is_answered_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{OF_PRIVACY[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert ask(service, document, "compliance", "privacy_compliance")["data"][field] is not None


@pytest.mark.parametrize("field", FOR_STEWARDS)
def test_what_stewards_ask_is_answered_to_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{FOR_STEWARDS[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert ask(service, document, "steward", "data_quality")["data"] == {
        field: NOTHING_TO_TELL.get(field, [])
    }


@pytest.mark.parametrize("field", OF_PARTIES)
def test_what_stewards_ask_of_nobody_is_not_found_by_them_alone(service: GraphQLService, field: str) -> None:
    document = f"{{ {field}{OF_PARTIES[field]} }}"
    assert ask(service, document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = ask(service, document, "steward", "data_quality")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("field", OF_A_CUSTOMER)
def test_the_surroundings_of_nobody_are_not_found(service: GraphQLService, field: str) -> None:
    answer = ask(service, f"{{ {field}{OF_A_CUSTOMER[field]} }}")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("field", MUTATIONS)
def test_what_nobody_may_do_to_nothing_is_refused(service: GraphQLService, field: str) -> None:
    answer = ask(service, f"mutation {{ {field}{MUTATIONS[field]} }}")
    assert answer["data"] == {field: None}
    assert answer["errors"][0]["extensions"]["code"] in ("NOT_FOUND", "FORBIDDEN")


def test_no_mutation_is_forgotten_here(service: GraphQLService) -> None:
    mutation = service.catalogue.graphql.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == set(MUTATIONS)


def test_the_commands_that_a_policy_names_stay_as_they_are() -> None:
    assert [each.value for each in Command] == [
        "record_consent",
        "record_restriction",
        "log_interaction",
        "correct_property",
        "replay_quarantine",
        "sync_source",
        "freeze_source",
        "explain_access",
        "review_break_glass",
        "reveal_payloads",
        "read_audit",
        "erase_customer",
        "decide_match",
        "report_call",
        "handle_call",
        "attest_grant",
        "run_retention",
        "place_hold",
        "handle_breach",
        "read_privacy_map",
        "read_findings",
        "decide_finding",
        "read_consent",
        "export_suppressions",
        "handle_privacy_request",
    ]


@pytest.mark.parametrize("field", SUBSCRIPTIONS)
def test_every_subscription_fits_the_schema(service: GraphQLService, field: str) -> None:
    document = f"subscription {{ {field}{SUBSCRIPTIONS[field]} }}"
    assert validate(service.catalogue.graphql, parse(document)) == []


def test_no_root_field_is_forgotten_here(service: GraphQLService) -> None:
    schema = service.catalogue.graphql
    assert schema.query_type is not None
    assert schema.subscription_type is not None
    assert set(schema.query_type.fields) == {
        *LISTS,
        *ROWS,
        *OTHERS,
        *FOR_TOOLS,
        *FOR_REVIEWERS,
        *FOR_AUDITORS,
        *OF_A_GLASS,
        *FOR_SUPERVISORS,
        *OF_A_PERSON,
        *FOR_OFFICERS,
        *OF_PRIVACY,
        "incidentCustomers",
        *FOR_STEWARDS,
        *OF_PARTIES,
        *OF_A_CUSTOMER,
    }
    assert set(schema.subscription_type.fields) == set(SUBSCRIPTIONS)


def test_the_documented_schema_is_the_one_that_is_served(service: GraphQLService) -> None:
    documented, served = served_schema(load_ontology()), service.catalogue.graphql
    assert documented.type_map.keys() == served.type_map.keys()
