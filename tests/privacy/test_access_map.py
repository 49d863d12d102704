"""The access map of officers: each rule with since when, its next look and its use; who sees a field; attestations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.access import policy_rules
from hub.audit import Action, Outcome, uses
from hub.commands import AttestGrant, Verdict, attest_grant
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.privacy.access import Narrowing, Seen, access_map, field_access, rules_seen, span
from hub.store import fixed
from tests.privacy.office import Office, someone

MAP = """query($role: String, $category: String) { accessMap(role: $role, category: $category) {
  policySha256 reads readsWithoutResult refusedWithoutPurpose unusual { subject customers }
  rules { id kind roles purposes names effect scope why owner since review pastReview attestBy pastAttestation unused
    attestation { verdict subject } use { reads people customers lastAt } } } }"""
FIELD = """query($path: String!) { field(path: $path) { category special
  readableBy { role purpose effect within people { subject isKey } via { why line } use { reads people customers } }
  reads { events { subject purpose customers } } } }"""
ATTEST = "mutation($input: AttestGrantInput!) { attestGrant(input: $input) { verdict subject at } }"


def permit(office: Office, role: str, category: str) -> Seen:
    """The first rule that lets the role see what it names."""
    found = access_map(office.services, office.author(), Narrowing(role=role)).rules
    return next(seen for seen in found if seen.rule.is_permit and category in seen.rule.names)


def backdate(office: Office, days: int) -> None:
    """Let the policies be in force for so long already."""
    since = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    with office.services.store.write() as connection:
        connection.execute(fixed.configuration.update().values(since=since))


def test_use_stands_beside_each_rule_and_counts_people_and_customers_once(office: Office) -> None:
    for number, subject in enumerate(["u-1", "u-2", "u-1"]):
        office.read([someone(0), someone(number)], subject=subject, days_ago=number)
    office.read([someone(9)], days_ago=91)
    office.read([someone(8)], outcome=Outcome.FAILED)
    office.read([someone(7)], purpose="safety_recall")
    office.read([someone(6)], break_glass="01890000-0000-7000-8000-000000000000")
    use = permit(office, "support", "user.contact").use
    assert use is not None
    assert (use.reads, use.people, use.customers) == (3, ("u-1", "u-2"), 3)
    assert use.last_at is not None
    assert datetime.now(UTC) - use.last_at < timedelta(minutes=5)


def test_a_read_of_many_customers_counts_once(office: Office) -> None:
    office.read([someone(number) for number in range(900)])
    use = permit(office, "support", "user.contact").use
    assert use is not None
    assert (use.reads, use.customers) == (1, 900)


def test_a_special_category_is_not_the_use_of_a_grant_above_it(office: Office) -> None:
    office.read([someone(0)], categories=["user.financial.bank_account"])
    above = permit(office, "support", "user.financial").use
    named = permit(office, "support", "user.financial.bank_account").use
    assert above is not None
    assert named is not None
    assert (above.reads, named.reads) == (0, 1)


def test_a_permit_is_unused_after_ninety_days_without_a_read(office: Office) -> None:
    assert not any(seen.is_unused for seen in access_map(office.services, office.author()).rules)
    backdate(office, 91)
    office.read([someone(0)])
    used, idle = permit(office, "support", "user.contact"), permit(office, "finance", "user.payment")
    assert (used.is_unused, idle.is_unused) == (False, True)
    kinds = {seen.rule.kind for seen in access_map(office.services, office.author()).rules if seen.is_unused}
    assert kinds == {"grant"}


def test_a_rule_is_there_since_the_first_policy_that_has_it_without_a_break(office: Office) -> None:
    before = permit(office, "support", "user.contact")
    office.change("categories: user.health_and_medical", "categories: user.demographic.religious_belief")
    gone_and_new = {seen.rule.names for seen in access_map(office.services, office.author()).rules}
    assert ("user.health_and_medical",) not in gone_and_new
    new = permit(office, "support", "user.demographic.religious_belief")
    kept = permit(office, "support", "user.contact")
    assert kept.since == before.since
    assert new.since is not None
    assert before.since is not None
    assert new.since > before.since
    office.change("categories: user.demographic.religious_belief", "categories: user.health_and_medical")
    back = permit(office, "support", "user.health_and_medical")
    assert back.since is not None
    assert back.since > new.since


def test_what_it_gives_makes_the_id_of_a_rule_and_not_its_words(office: Office) -> None:
    before = {rule.id: rule for rule in policy_rules(office.services.access.policy)}
    office.change("why: an agent knows who is asking", "why: whoever asks is known to the agent")
    reworded = {rule.id: rule for rule in policy_rules(office.services.access.policy)}
    assert reworded.keys() == before.keys()
    assert {rule.why for rule in reworded.values()} != {rule.why for rule in before.values()}
    office.change(
        "effect: mask:last4\n    why: to say which account", "effect: allow\n    why: to say which account"
    )
    assert policy_rules(office.services.access.policy)[0].id in before
    changed = {rule.id for rule in policy_rules(office.services.access.policy)} - before.keys()
    assert len(changed) == 1


def test_requests_without_a_purpose_and_reads_without_a_result_are_counted(office: Office) -> None:
    world = office.world
    two = world.token("support", ["customer_service", "safety_recall"])
    assert world.post({"query": "{ me { subject } }"}, two).code == "PURPOSE_REQUIRED"
    office.read()
    found = world.ask(MAP, "compliance").data["accessMap"]
    assert (found["refusedWithoutPurpose"], found["readsWithoutResult"]) == (1, 1)


def test_a_reader_of_unusually_many_is_told(office: Office) -> None:
    office.read([someone(number) for number in range(25)], subject="u-nosy", days_ago=1)
    found = office.world.ask(MAP, "compliance").data["accessMap"]
    assert found["unusual"] == [{"subject": "u-nosy", "customers": 25}]


def test_the_map_is_narrowed_to_role_purpose_and_category(office: Office) -> None:
    variables = {"role": "partner", "category": "user.contact.email"}
    reply = office.world.post({"query": MAP, "variables": variables}, office.world.token("compliance"))
    (rule,) = reply.data["accessMap"]["rules"]
    assert (rule["effect"], rule["owner"], rule["use"]) == ("deny", "compliance", None)
    with pytest.raises(QueryError, match="no role 'suport'"):
        access_map(office.services, office.author(), Narrowing(role="suport"))
    with pytest.raises(QueryError, match="366 days"):
        access_map(office.services, office.author(), since=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("role", ["support", "it", "management", "steward"])
def test_others_are_refused_and_each_question_is_on_record(office: Office, role: str) -> None:
    with pytest.raises(AccessDeniedError):
        access_map(office.services, office.author(role))
    access_map(office.services, office.author())
    refused, asked = [each.event for each in office.services.audit.events()][-2:]
    assert (refused.action, refused.reason_code) == (Action.COMMAND_REFUSED, "read_audit.FORBIDDEN")
    assert (asked.action, asked.reason_code) == (Action.AUDIT_READ, "access_map")


# a field


def test_a_field_tells_who_can_see_it_by_role_and_person_and_who_did(office: Office) -> None:
    ann = office.world.customer("erp", "C1")
    office.world.ask("query($id: ID!) { customer(id: $id) { email } }", "support", id=ann)
    found = office.world.ask(FIELD, "compliance", path="Customer.email").data["field"]
    assert (found["category"], found["special"]) == ("user.contact.email", False)
    readers = {(each["role"], each["purpose"]): each for each in found["readableBy"]}
    support = readers["support", "customer_service"]
    assert support["effect"] == "allow"
    assert support["people"] == [{"subject": "u-support", "isKey": False}]
    assert support["use"] == {"reads": 1, "people": ["u-support"], "customers": 1}
    assert readers["marketing", "campaign_analysis"]["effect"] == "mask:email"
    assert not [each for each in readers if each[0] == "compliance"]
    assert [event["customers"] for event in found["reads"]["events"]] == [[ann]]


def test_a_read_of_another_type_is_not_one_of_the_field(office: Office) -> None:
    office.read([someone(0)], entity_types=("Ticket",))
    office.read([someone(1)], entity_types=("Customer",))
    office.read([someone(2)], categories=["user.name"], entity_types=("Customer",))
    found = field_access(office.services, office.author(), "Customer.email")
    assert [each.event.customers for each in found.reads.events] == [(someone(1),)]
    category = field_access(office.services, office.author(), "user.contact.email")
    assert len(category.reads.events) == 2


def test_a_field_that_only_break_glass_opens_says_so(office: Office) -> None:
    found = field_access(office.services, office.author(), "user.location")
    glass = {each.role: each.break_glass_minutes for each in found.readers}
    assert glass["support"] == 60
    assert {each.effect for each in found.readers if each.role == "support"} == {"deny"}


def test_an_unknown_field_is_not_found_and_leaves_a_refusal(office: Office) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'email'"):
        field_access(office.services, office.author(), "Customer.emial")


# attestations


def test_a_rule_is_attested_once_a_quarter_by_somebody_else(office: Office) -> None:
    backdate(office, 93)
    seen = permit(office, "support", "user.contact")
    assert seen.is_past_attestation
    given = {"grantId": seen.rule.id, "verdict": "NARROW", "idempotencyKey": "q3-1"}
    for _ in range(2):
        said = office.world.ask(ATTEST, "compliance", input=given).data["attestGrant"]
        assert (said["verdict"], said["subject"]) == ("NARROW", "u-compliance")
    after = permit(office, "support", "user.contact")
    assert not after.is_past_attestation
    assert after.attested is not None
    assert after.attested.verdict is Verdict.NARROW
    events = [each.event for each in office.services.audit.events()]
    (event,) = [each for each in events if each.action is Action.GRANT_ATTESTED]
    assert (event.reason_code, event.stream, event.id) == ("narrow", seen.rule.id, after.attested.event_id)


def test_nobody_attests_what_their_own_role_is_given(office: Office) -> None:
    own = permit(office, "compliance", "user.unique_id.pseudonymous").rule.id
    order = AttestGrant(own, Verdict.KEEP, "k1")
    with pytest.raises(AccessDeniedError, match="own role"):
        attest_grant(office.services, office.author(), order)
    assert attest_grant(office.services, office.author("management"), order).subject == "u-management"
    with pytest.raises(AccessDeniedError):
        attest_grant(office.services, office.author("support"), order)
    with pytest.raises(NotFoundError):
        attest_grant(office.services, office.author(), AttestGrant("0" * 16, Verdict.KEEP, "k2"))


def test_a_rule_that_gives_something_else_is_attested_anew(office: Office) -> None:
    rule = permit(office, "support", "user.financial.bank_account").rule
    attest_grant(office.services, office.author(), AttestGrant(rule.id, Verdict.KEEP, "k1"))
    office.change(
        "effect: mask:last4\n    why: to say which account", "effect: allow\n    why: to say which account"
    )
    assert permit(office, "support", "user.financial.bank_account").attested is None


def test_a_rule_past_its_review_is_told(office: Office) -> None:
    office.change("review: 2027-03-31", "review: 2020-01-01")
    found = rules_seen(
        office.services, office.services.access, uses(office.services.audit, *span(None, None))
    )
    assert [seen.rule.review.year for seen in found if seen.is_past_review] == [2020]
