"""Who may be contacted: why, by which rows, the same as read plans decide, and from the next question on."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from hub.access import Reach
from hub.access.policy import Channel
from hub.audit import Action
from hub.cli import app
from hub.commands import Author, RecordRestriction, record_restriction
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.contact import contacts
from hub.graph.reached import Reached
from hub.privacy.consent import (
    GPC_USES,
    Audience,
    Reason,
    Verdict,
    audience,
    consent_history,
    contact_allowed,
    decide,
    reach_of,
    record_gpc,
    suppressions,
)
from tests.api.test_erasures import served
from tests.cli.test_erase import customers
from tests.commands.command_world import A_A, ANN, Shop, fresh_key

__all__ = ["customers"]

EMAIL = "marketing.communications.email"
FIRST, SECOND, THIRD = "2026-03-01T08:00:00Z", "2026-04-01T08:00:00Z", "2026-05-01T08:00:00Z"


def asked(shop: Shop, customer: str, channel: str = "email", use: str = EMAIL) -> Verdict:
    return contact_allowed(shop.services, shop.author("compliance"), customer, channel, use)


def object_to(shop: Shop, customer: str, use: str | None = None, kind: str = "objection") -> None:
    said = {"kind": kind, "state": "in_force", **({"purpose": use} if use else {})}
    record_restriction(
        shop.services, shop.author("compliance"), RecordRestriction(customer, said, fresh_key())
    )


@dataclass(frozen=True)
class _Reaching:
    """Who sees everything, of those whom a reach leaves."""

    author: Author
    reach: Reach

    def decide(self, category: str) -> Any:
        return self.author.decide(category)


def planned(shop: Shop, customer: str, channel: str, use: str) -> bool:
    """Whether read plans of a purpose with this use and channel see the customer."""
    author = Author.operator("os:tests", shop.services.access)
    access = _Reaching(author, reach_of(use, cast(Channel, channel)))
    services = shop.services
    with services.store.read() as connection:
        return Reached(services.ontology, access, services.store.dialect.name).customer(connection, customer)


def counted(shop: Shop, customer: str, channel: str, use: str) -> Reason:
    """What all that is known says of the customer but for the hour; audiences have to count the same."""
    with shop.services.store.read() as connection:
        contact = contacts(shop.services.store, connection, [customer])[customer]
    reach = reach_of(use, cast(Channel, channel), shop.services.access.ages)
    verdict = decide(contact, reach, channel, datetime.now(UTC).date().isoformat())
    operator = Author.operator("os:tests", shop.services.access)
    found = audience(shop.services, operator, channel, use, [customer])
    whole = audience(shop.services, operator, channel, use)
    expected = Audience(1, {}) if verdict.allowed else Audience(0, {verdict.reason: 1})
    assert found == expected, (channel, use, verdict.reason)
    assert verdict.allowed or whole.excluded[verdict.reason] > 0
    return verdict.reason


def agree(shop: Shop, customer: str) -> set[Reason]:
    """Check that rules and plans say the same of every channel; the reasons met."""
    reasons = set()
    for channel in ("email", "sms", "phone", "post", "push", "web"):
        for use in (EMAIL, "marketing.communications", "marketing", "third_party_sharing", "sales"):
            verdict = asked(shop, customer, channel, use)
            seen = verdict.allowed or verdict.reason is Reason.NO_ADDRESS
            assert seen == planned(shop, customer, channel, use), (channel, use, verdict.reason)
            counted(shop, customer, channel, use)
            reasons.add(verdict.reason)
    return reasons


def test_a_yes_is_shown_with_the_row_that_gave_it(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    assert asked(shop, ann) == Verdict(Reason.NO_CONSENT)
    noted = shop.consent(ann, at=FIRST, wordingVersion="7", proof="form 12")
    verdict = asked(shop, ann)
    assert (verdict.allowed, verdict.reason) == (True, Reason.CONSENT)
    [word] = verdict.evidence
    assert (word.id, word.source, word.stream) == (noted.id, "desk", "consents")
    assert (word.wording_version, word.proof, word.state) == ("7", "form 12", "given")
    [row] = shop.rows("SELECT id FROM record WHERE id = $id", id=word.record_id)
    assert row["id"] == word.record_id
    assert "form 12" not in repr(verdict)


def test_a_withdrawal_works_on_the_very_next_question(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST)
    assert asked(shop, ann).allowed
    shop.consent(ann, state="withdrawn")
    assert asked(shop, ann).reason is Reason.WITHDRAWN
    assert not planned(shop, ann, "email", EMAIL)


def test_a_no_of_one_party_is_that_of_the_merged_customer(shop: Shop) -> None:
    shop.write("till", [{**A_A, "card": "7009", "street": "", "postcode": ""}])
    shop.sync("till")
    ann, other = shop.customer("club", "1"), shop.customer("till", "9")
    assert ann != other
    shop.consent(ann, at=FIRST)
    shop.consent(other, at=SECOND, state="refused")
    assert asked(shop, ann).allowed
    shop.write("till", [{**A_A, "card": ANN["card"]}])
    shop.sync("till")
    merged = shop.customer("club", "1")
    assert merged == shop.customer("till", "9")
    assert asked(shop, merged).reason is Reason.WITHDRAWN
    assert [word.state for word in consent_history(shop.services, shop.author("compliance"), ann)] == [
        "given",
        "refused",
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([("given", FIRST, {}), ("refused", FIRST, {})], Reason.WITHDRAWN),
        ([("withdrawn", FIRST, {}), ("given", SECOND, {})], Reason.CONSENT),
        ([("given", FIRST, {}), ("pending", SECOND, {})], Reason.PENDING),
        ([("given", FIRST, {}), ("given", SECOND, {"expiresOn": "2026-04-02"})], Reason.EXPIRED),
        ([("given", FIRST, {"expiresOn": "2999-01-01"})], Reason.CONSENT),
        ([("given", FIRST, {"channel": "any"}), ("withdrawn", SECOND, {})], Reason.WITHDRAWN),
        ([("given", FIRST, {"purpose": "marketing"})], Reason.CONSENT),
        ([("given", FIRST, {"purpose": "marketing.communications.sms"})], Reason.NO_CONSENT),
        ([("given", FIRST, {}), ("expired", THIRD, {})], Reason.EXPIRED),
        ([("given", FIRST, {"legalBasis": "consent"})], Reason.CONSENT),
        ([("given", FIRST, {"legalBasis": "soft_opt_in"})], Reason.CONSENT),
        ([("given", FIRST, {"legalBasis": "legitimate_interest"})], Reason.NO_CONSENT),
        ([("given", FIRST, {"legalBasis": "contract"})], Reason.NO_CONSENT),
        ([("withdrawn", FIRST, {}), ("given", SECOND, {"legalBasis": "contract"})], Reason.WITHDRAWN),
        ([("given", FIRST, {}), ("withdrawn", SECOND, {"legalBasis": "contract"})], Reason.WITHDRAWN),
    ],
)
def test_words_combine_by_the_rules_and_as_plans_do(
    shop: Shop, words: list[tuple[str, str, dict[str, str]]], reason: Reason
) -> None:
    ann = shop.customer("club", "1")
    for state, at, more in words:
        shop.consent(ann, state=state, at=at, **more)
    assert asked(shop, ann).reason is reason
    agree(shop, ann)


def test_a_soft_opt_in_is_no_yes_to_advertising_of_others_nor_to_a_call(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any", legalBasis="soft_opt_in")
    assert asked(shop, ann).allowed
    assert not asked(shop, ann, "email", "marketing.advertising").allowed
    assert not asked(shop, ann, "phone", "marketing.communications").allowed
    agree(shop, ann)


def test_restriction_and_objection_come_before_consent(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    assert agree(shop, ann) == {Reason.CONSENT, Reason.NO_ADDRESS, Reason.NOT_NEEDED}
    object_to(shop, ann, "marketing.communications")
    verdict = asked(shop, ann)
    assert verdict.reason is Reason.OBJECTION
    assert [word.use for word in verdict.evidence] == ["marketing.communications"]
    assert asked(shop, ann, "email", "marketing").allowed
    agree(shop, ann)
    object_to(shop, ann, kind="restriction")
    assert asked(shop, ann).reason is Reason.RESTRICTION
    assert agree(shop, ann) == {Reason.RESTRICTION}


def test_global_privacy_control_stops_sharing_and_advertising_elsewhere(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    assert all(asked(shop, ann, "web", use).allowed for use in GPC_USES)
    author = shop.author("compliance")
    noted = record_gpc(shop.services, author, ann, "gpc-1")
    assert record_gpc(shop.services, author, ann, "gpc-1") == noted
    for use in (*GPC_USES, "marketing.advertising.third_party.targeted"):
        assert asked(shop, ann, "web", use).reason is Reason.OBJECTION
        assert not planned(shop, ann, "web", use)
    assert asked(shop, ann).allowed


def test_an_audience_tells_whom_it_leaves_out_and_why(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    marketing = shop.author("marketing")
    found = audience(shop.services, marketing, "email", EMAIL)
    assert (found.count, found.excluded) == (1, {Reason.NO_CONSENT: 1})
    found = audience(shop.services, marketing, "phone", EMAIL)
    assert (found.count, found.excluded) == (0, {Reason.NO_CONSENT: 1, Reason.NO_ADDRESS: 1})
    object_to(shop, ben, "marketing")
    assert audience(shop.services, marketing, "email", EMAIL).excluded == {Reason.OBJECTION: 1}
    assert audience(shop.services, marketing, "email", EMAIL, [ann]).excluded == {}
    object_to(shop, ben, kind="restriction")
    assert audience(shop.services, marketing, "email", EMAIL).excluded == {}


def test_those_who_said_no_are_exported_and_the_log_tells(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    shop.consent(ann, at=FIRST)
    shop.consent(ben, at=FIRST, state="refused")
    officer = shop.author("compliance")
    [row] = suppressions(shop.services, officer, "email", EMAIL)
    assert (row.address, row.reason) == ("ben@example.com", Reason.WITHDRAWN)
    assert "ben@" not in repr(row)
    [hashed] = suppressions(shop.services, officer, "email", EMAIL, hashed=True)
    assert hashed.address == hashlib.sha256(b"ben@example.com").hexdigest()
    exports = [event for event in shop.events() if event.action is Action.EXPORT]
    assert [(event.customers, event.counts) for event in exports] == [((ben,), {"exported": 1})] * 2
    with pytest.raises(QueryError, match="email, sms, phone"):
        suppressions(shop.services, officer, "post", EMAIL)


def test_questions_are_on_record_and_those_refused_too(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    asked(shop, ann)
    with pytest.raises(AccessDeniedError, match="read_consent"):
        contact_allowed(shop.services, shop.author("sales"), ann, "email", EMAIL)
    with pytest.raises(AccessDeniedError, match="export_suppressions"):
        suppressions(shop.services, shop.author("marketing"), "email", EMAIL)
    with pytest.raises(QueryError, match="did you mean"):
        asked(shop, ann, use="marketing.comunications.email")
    with pytest.raises(QueryError, match="a channel is one of"):
        asked(shop, ann, channel="any")
    with pytest.raises(NotFoundError):
        asked(shop, "cus_nobody")
    events = shop.events()
    [read] = [event for event in events if event.action is Action.READ]
    assert (read.customers, read.data_categories) == ((ann,), ("user.privacy_preferences",))
    refused = [event.reason_code for event in events if event.action is Action.COMMAND_REFUSED]
    assert refused == [
        "read_consent.FORBIDDEN",
        "export_suppressions.FORBIDDEN",
        *("read_consent.BAD_QUERY",) * 2,
        "read_consent.NOT_FOUND",
    ]


def test_a_no_without_a_time_is_stronger_than_every_yes(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST)
    with shop.services.store.read() as connection:
        contact = contacts(shop.services.store, connection, [ann])[ann]
    [yes] = contact.words
    reach = reach_of(EMAIL, "email")
    assert decide(contact, reach, "email", "2026-11-23").allowed
    contact.words.append(replace(yes, id="x", at=None, state="withdrawn"))
    assert decide(contact, reach, "email", "2026-11-23").reason is Reason.WITHDRAWN


ALLOWED = """query($id: ID!) { contactAllowed(customerId: $id, channel: "email",
  purpose: "marketing.communications.email") { allowed reason evidence { state source since } } }"""
REST = """query($id: ID!) {
  contactAudience(channel: "email", purpose: "marketing.communications.email") { count excluded { reason count } }
  consentHistory(customerId: $id) { kind purpose state }
}"""
LIST = '{ suppressions(channel: "email", purpose: "marketing.communications.email") { address reason } }'
GPC = 'mutation($id: ID!) { recordGpc(customerId: $id, idempotencyKey: "g") { ids } }'


def test_the_api_tells_it_to_those_whom_the_policy_lets(tmp_path: Path, store_url: str) -> None:
    with served(tmp_path, store_url) as (world, shop):
        ann = shop.customer("club", "1")
        shop.consent(ann, at=FIRST)
        told = world.ask(ALLOWED, "support", id=ann).data["contactAllowed"]
        assert (told["allowed"], told["reason"]) == (True, "CONSENT")
        assert [(word["state"], word["source"]) for word in told["evidence"]] == [("given", "desk")]
        shop.consent(ann, state="withdrawn")
        assert world.ask(ALLOWED, "support", id=ann).data["contactAllowed"]["reason"] == "WITHDRAWN"
        rest = world.ask(REST, "marketing", id=ann).data
        assert rest["contactAudience"] == {
            "count": 0,
            "excluded": [{"reason": "WITHDRAWN", "count": 1}, {"reason": "NO_CONSENT", "count": 1}],
        }
        assert [word["state"] for word in rest["consentHistory"]] == ["given", "withdrawn"]
        assert len(world.ask(GPC, "compliance", id=ann).data["recordGpc"]["ids"]) == 2
        assert world.ask(LIST, "compliance").data["suppressions"] == [
            {"address": "ann@example.com", "reason": "WITHDRAWN"}
        ]
        assert "export_suppressions" in world.ask(LIST, "support").message
        assert "read_consent" in world.ask(ALLOWED, "sales", id=ann).message


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["consent", *words], catch_exceptions=False)


def test_the_commands_tell_it(customers: list[str], tmp_path: Path) -> None:
    ann, ben = customers
    assert (
        run("record", ann, f"purpose={EMAIL}", "channel=email", "state=given", f"at={FIRST}").exit_code == 0
    )
    assert run("record", ben, f"purpose={EMAIL}", "channel=email", "state=refused").exit_code == 0
    allowed = run("allowed", ann, "email", EMAIL)
    assert (allowed.exit_code, allowed.output.splitlines()[0]) == (0, "yes: consent")
    denied = run("allowed", ben, "email", EMAIL)
    assert (denied.exit_code, denied.output.splitlines()[0]) == (3, "no: withdrawn")
    assert run("audience", "email", EMAIL).output.splitlines() == ["may be contacted 1", "withdrawn 1"]
    assert f"consent {EMAIL} email given (desk/consents record" in run("history", ann).output
    [row] = csv.DictReader(io.StringIO(run("suppressions", "email", EMAIL).output))
    assert row == {"address": "ben@example.com", "reason": "withdrawn"}
    assert run("gpc", ann).output.count("Restriction") == 2
    assert run("allowed", ann, "web", "third_party_sharing").output.startswith("no: objection")
