"""Restriction, objection and consent as staff record them: they hold for the next question that is asked."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access import Effect, Reach
from hub.audit import Action
from hub.commands import Noted, RecordConsent, RecordRestriction, record_consent, record_restriction
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.graph.reached import Reached
from tests.commands.command_world import A_A, ANN, Shop, fresh_key
from tests.commands.lifting import informed

EMAIL = "marketing.communications.email"


def restrict(shop: Shop, customer: str, /, role: str = "compliance", **values: Any) -> Noted:
    said = {"kind": "restriction", "state": "in_force", **values}
    return record_restriction(
        shop.services, shop.author(role), RecordRestriction(customer, said, fresh_key())
    )


def reached(shop: Shop, customer: str, role: str = "support") -> bool:
    services = shop.services
    with services.store.read() as connection:
        access = shop.author(role)
        return Reached(services.ontology, access, services.store.dialect.name).customer(connection, customer)


def bars(shop: Shop, customer: str) -> set[str]:
    return {row["bar"] for row in shop.rows("SELECT bar FROM standing WHERE customer_id = $id", id=customer)}


def test_who_restricts_is_gone_for_all_but_compliance_until_it_is_lifted(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    noted = restrict(shop, ann, role="support", ground="says that the address is wrong")
    assert noted.customer == ann
    assert not reached(shop, ann)
    assert reached(shop, ben)
    with pytest.raises(NotFoundError, match="no customer with this id"):
        shop.consent(ann)
    with pytest.raises(NotFoundError, match="no customer with this id"):
        restrict(shop, ann, role="support", state="lifted")
    informed(shop.services, ann)
    restrict(shop, ann, state="lifted")
    assert reached(shop, ann)
    assert bars(shop, ann) == set()


def test_an_objection_keeps_from_legitimate_interests_and_from_its_use_only(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    restrict(shop, ann, kind="objection", purpose="sales")
    assert bars(shop, ann) == {"sales"}
    assert not reached(shop, ann, "sales")
    assert reached(shop, ann, "support")
    assert reached(shop, ann, "marketing")
    restrict(shop, ann, kind="objection")
    assert not reached(shop, ann, "marketing")
    assert reached(shop, ann, "support")


def test_an_event_tells_the_restriction_and_not_its_ground(shop: Shop) -> None:
    restrict(shop, shop.customer("club", "1"), ground="a quarrel with Zelda")
    [event] = [event for event in shop.events() if event.action is Action.RESTRICTION_CHANGED]
    assert event.entity_types == ("Restriction",)
    assert b"Zelda" not in event.encode()


def test_what_is_said_of_one_party_holds_for_the_merged_customer_and_no_longer_when_they_part(
    shop: Shop,
) -> None:
    ann = shop.customer("club", "1")
    restrict(shop, ann)
    shop.write("till", [{**A_A, "card": ANN["card"]}])
    shop.sync("till")
    merged = shop.customer("till", "9")
    assert merged == shop.customer("club", "1")
    assert bars(shop, merged) == {"restriction"}
    shop.write("till", [{**A_A, "card": "7999"}])
    shop.sync("till")
    parted = shop.customer("till", "9")
    assert parted != shop.customer("club", "1")
    assert (bars(shop, parted), bars(shop, shop.customer("club", "1"))) == (set(), {"restriction"})


def test_of_two_statements_the_newer_one_counts_whatever_came_first(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    restrict(shop, ann, at="2026-03-02T10:00:00Z")
    informed(shop.services, ann)
    restrict(shop, ann, at="2026-03-01T10:00:00Z", state="lifted")
    assert bars(shop, ann) == {"restriction"}
    restrict(shop, ann, at="2026-03-02T10:00:00Z", state="lifted")
    assert bars(shop, ann) == {"restriction"}, "of two at a time the one that keeps data from being used"
    restrict(shop, ann, at="2026-03-03T10:00:00Z", state="lifted")
    assert bars(shop, ann) == set()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "objection", "purpose": "nonsense"}, "no data use of the taxonomy"),
        ({"purpose": "marketing"}, "belongs to objections"),
        ({"state": None}, "Restriction.state is missing"),
        ({"kind": "whim"}, "kind"),
    ],
)
def test_a_restriction_that_says_nothing_clear_is_refused(
    shop: Shop, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        restrict(shop, shop.customer("club", "1"), **values)


def test_who_may_not_record_a_restriction_does_not(shop: Shop) -> None:
    with pytest.raises(AccessDeniedError, match="record_restriction"):
        restrict(shop, shop.customer("club", "1"), role="marketing")


# consent


class Asking:
    """One who asks for a purpose that needs a yes to e-mail."""

    def __init__(self, *channels: str) -> None:
        from hub.access import Consent

        self.reach = Reach((), Consent((EMAIL, "marketing.communications", "marketing"), (*channels, "any")))

    def decide(self, _category: str) -> Any:
        from hub.access import Decision

        return Decision(Effect.ALLOW, None, "all")


def consents(shop: Shop, customer: str) -> bool:
    services = shop.services
    with services.store.read() as connection:
        found = Reached(services.ontology, Asking("email"), services.store.dialect.name)
        return found.customer(connection, customer)


WORDS: list[tuple[list[dict[str, str]], bool]] = [
    ([], False),
    ([{}], True),
    ([{"channel": "any"}], True),
    ([{"channel": "sms"}], False),
    ([{"purpose": "marketing"}], True),
    ([{"purpose": "marketing.advertising"}], False),
    ([{"state": "pending"}], False),
    ([{"expiresOn": "2020-01-31"}], False),
    ([{"expiresOn": "2999-01-31"}], True),
    ([{}, {"state": "withdrawn"}], False),
    ([{}, {"state": "withdrawn", "channel": "sms"}], True),
    ([{}, {"state": "withdrawn", "channel": "any"}], False),
    ([{}, {"state": "refused", "purpose": "marketing"}], False),
    ([{}, {"state": "withdrawn"}, {}], True),
    ([{}, {"expiresOn": "2020-01-31"}], False),
]


@pytest.mark.parametrize(("words", "expected"), WORDS)
def test_the_newest_word_on_the_use_and_the_channel_counts(
    shop: Shop, words: list[dict[str, str]], expected: bool
) -> None:
    ann = shop.customer("club", "1")
    for day, said in enumerate(words, 1):
        shop.consent(ann, **{"at": f"2026-03-{day:02d}T10:00:00Z", **said})
    assert consents(shop, ann) is expected


def test_a_withdrawal_denies_the_next_question(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann)
    assert consents(shop, ann)
    shop.consent(ann, state="withdrawn")
    assert not consents(shop, ann)


def test_a_yes_of_one_party_holds_for_the_customer_and_not_for_another(shop: Shop) -> None:
    ann, ben = shop.customer("club", "1"), shop.customer("club", "2")
    order = RecordConsent(ann, {"purpose": EMAIL, "channel": "email", "state": "given"}, fresh_key())
    record_consent(shop.services, shop.author(), order)
    assert (consents(shop, ann), consents(shop, ben)) == (True, False)
