"""What comes by an identifier, children's words, and which system knows of what was withdrawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from hub.access.minors import AGES, UNKNOWN, is_child
from hub.cli import app
from hub.errors import AccessDeniedError, NotFoundError, QueryError
from hub.privacy.consent import (
    GPC_USES,
    Meaning,
    Reason,
    Reply,
    Signal,
    acknowledge,
    audience,
    consent_history,
    consent_status,
    meaning_of,
    receive_reply,
    record_signal,
    take_suppressions,
)
from hub.privacy.home import withdrawals_unacknowledged
from tests.api.test_erasures import served
from tests.cli.test_erase import customers
from tests.commands.command_world import ANN, BEN, Shop, fresh_key
from tests.privacy.test_calling import NUMBER, OTHER, USE, judged, phone
from tests.privacy.test_consent import EMAIL, FIRST, asked, planned

__all__ = ["customers"]

NEW = {**BEN, "key": "5", "name": "Cleo Cole", "email": "cleo@example.com", "card": "7005"}


def reply(shop: Shop, text: str, address: str = NUMBER, channel: str = "sms") -> Meaning:
    order = Reply(channel, address, text, datetime.now(UTC), "msg-77", fresh_key())
    return receive_reply(shop.services, shop.author("website"), order)


def signal(shop: Shop, value: str, scheme: str = "email") -> None:
    record_signal(shop.services, shop.author("website"), Signal(scheme, value, None, fresh_key()))


# replies


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *(
            (word, Meaning.STOP)
            for word in ("stop", "QUIT", "End.", " revoke ", "Opt out", "opt-out", "cancel")
        ),
        *((word, Meaning.STOP) for word in ("UNSUBSCRIBE!", "STOP ALL", "Stop, please!", "stop now thanks")),
        *(
            (word, Meaning.STOP)
            for word in ("Please don't call me again", "do not text this number", "Arrêt")
        ),
        *(
            (word, Meaning.STOP)
            for word in ("take me off your list", "I said stop texting me", "unsubscribe me")
        ),
        *((word, Meaning.HELP) for word in ("HELP", "info?", "help me")),
        *((word, Meaning.START) for word in ("START", "unstop")),
        *(
            (word, Meaning.OTHER)
            for word in ("", "?!", "thanks", "Where is my order?", "the week-end was fine")
        ),
        *((word, Meaning.OTHER) for word in ("cancel my order", "does it stop at Bristol", "non-stop fun")),
    ],
)
def test_tcpa_64_1200_a_10_the_words_that_revoke_by_law_and_the_ways_of_saying_so(
    text: str, meaning: Meaning
) -> None:
    assert meaning_of(text) is meaning


@given(st.text(max_size=200))
def test_any_text_has_a_meaning_and_case_and_signs_do_not_matter(text: str) -> None:
    assert meaning_of(text) is meaning_of(f"  {text}!  ")
    assert meaning_of(f"stop {'!' * len(text)}") is Meaning.STOP


def test_tcpa_64_1200_a_10_a_stop_is_a_withdrawal_with_its_proof_on_the_very_next_question(
    shop: Shop,
) -> None:
    ann = shop.customer("club", "1")
    phone(shop, ann)
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    assert judged(shop, ann, "sms") is Reason.CONSENT
    assert reply(shop, "Thanks, it arrived") is Meaning.OTHER
    assert judged(shop, ann, "sms") is Reason.CONSENT
    assert reply(shop, "STOP") is Meaning.STOP
    assert judged(shop, ann, "sms") is Reason.WITHDRAWN
    assert not planned(shop, ann, "sms", USE)
    assert asked(shop, ann, "email", EMAIL).allowed
    word = consent_history(shop.services, shop.author("compliance"), ann)[-1]
    assert (word.state, word.channel, word.proof) == ("withdrawn", "sms", "message msg-77")
    assert word.collected_via == "reply by sms"


def test_a_stop_of_an_unknown_number_holds_for_whoever_turns_out_to_have_it_until_a_start(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="sms")
    assert reply(shop, "stop") is Meaning.STOP
    phone(shop, ann)
    assert judged(shop, ann, "sms") is Reason.DO_NOT_CALL
    assert reply(shop, "start") is Meaning.START
    assert judged(shop, ann, "sms") is Reason.CONSENT


def test_can_spam_7704_a_3_an_unsubscribe_by_e_mail_holds_at_once_known_or_not(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST)
    reply(shop, "unsubscribe", "Ann@Example.com", "email")
    assert asked(shop, ann).reason is Reason.WITHDRAWN
    reply(shop, "unsubscribe", NEW["email"], "email")
    shop.write("club", [ANN, BEN, NEW])
    shop.sync("club")
    cleo = shop.customer("club", "5")
    shop.consent(cleo, at=FIRST)
    assert asked(shop, cleo).reason is Reason.OBJECTION
    assert not planned(shop, cleo, "email", EMAIL)


def test_a_machine_that_replies_and_signals_learns_nothing_and_may_do_nothing_else(shop: Shop) -> None:
    order = Reply("sms", NUMBER, "stop", datetime.now(UTC), "m", fresh_key())
    with pytest.raises(AccessDeniedError, match="record_signal"):
        receive_reply(shop.services, shop.author("marketing"), order)
    with pytest.raises(AccessDeniedError, match="read_consent"):
        audience(shop.services, shop.author("website"), "email", EMAIL)
    with pytest.raises(QueryError, match="email, sms"):
        reply(shop, "stop", channel="post")
    with pytest.raises(QueryError) as refused:
        signal(shop, "no address at all")
    assert "no address" not in str(refused.value)
    signal(shop, ANN["email"])
    [event] = [each for each in shop.events() if each.reason_code == "gpc"]
    assert event.customers == (shop.customer("club", "1"),)
    assert b"ann@" not in event.encode()


# signals


def test_ccpa_135_a_signal_by_e_mail_holds_for_who_has_it_and_for_who_will(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST, purpose="marketing", channel="any")
    signal(shop, ANN["email"])
    signal(shop, NEW["email"])
    shop.write("club", [ANN, BEN, NEW])
    shop.sync("club")
    for customer in (ann, shop.customer("club", "5")):
        for use in GPC_USES:
            assert asked(shop, customer, "web", use).reason is Reason.OBJECTION
            assert not planned(shop, customer, "web", use)
    assert asked(shop, ann).allowed
    assert asked(shop, shop.customer("club", "2"), "web", GPC_USES[0]).reason is Reason.NOT_NEEDED


# children


def be(shop: Shop, customer: str, born: str | None, is_minor: bool | None, country: str | None) -> None:
    """Make the golden record say so, as sources would."""
    known = shop.services.ontology.customer_properties
    names = [known[each].column for each in ("birthDate", "isMinor", "addressCountry")]
    mark = shop.services.store.dialect.param
    said = ", ".join(f'"{name}" = {mark(name)}' for name in names)
    values = dict(zip(names, (born, is_minor, country), strict=True))
    with shop.services.store.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE customer SET {said} WHERE id = {mark('id')}", {**values, "id": customer}
        )


def years_ago(years: int, days: int = 0) -> str:
    today = datetime.now(UTC).date() + timedelta(days=days)
    month = min(today.day, 28) if today.month == 2 else today.day
    return date(today.year - years, today.month, month).isoformat()


def test_gdpr_art_8_the_yes_of_a_child_counts_when_a_guardian_gave_it(shop: Shop) -> None:
    ann = shop.customer("club", "1")
    shop.consent(ann, at=FIRST)
    be(shop, ann, years_ago(15), None, "DE")
    verdict = asked(shop, ann)
    assert (verdict.reason, verdict.allowed) == (Reason.CHILD, False)
    assert not planned(shop, ann, "email", EMAIL)
    assert audience(shop.services, shop.author("marketing"), "email", EMAIL).excluded[Reason.CHILD] == 1
    shop.consent(ann, at=FIRST, givenBy="guardian")
    assert asked(shop, ann).reason is Reason.CONSENT
    assert planned(shop, ann, "email", EMAIL)
    shop.consent(ann, state="withdrawn")
    assert asked(shop, ann).reason is Reason.WITHDRAWN
    assert not planned(shop, ann, "email", EMAIL)


@pytest.mark.parametrize(
    ("age", "country", "is_one"),
    [
        (13, "GB", False),
        (12, "GB", True),
        (15, "DE", True),
        (16, "DE", False),
        (14, "ES", False),
        (15, None, True),
    ],
)
def test_gdpr_art_8_of_which_age_says_the_country(age: int, country: str | None, is_one: bool) -> None:
    assert is_child(years_ago(age), False, country, datetime.now(UTC).date().isoformat()) is is_one
    assert is_child(years_ago(age, 1), False, country, datetime.now(UTC).date().isoformat()) or not is_one


def test_gdpr_art_8_every_age_is_one_that_the_law_allows() -> None:
    assert all(13 <= years <= UNKNOWN for _, years in AGES)
    assert sorted(AGES) == list(AGES)


born = st.one_of(
    st.none(),
    st.builds(years_ago, st.integers(11, 18), st.integers(-2, 2)),
    st.builds(lambda years: years_ago(years)[:7], st.integers(12, 17)),
    st.builds(lambda years: years_ago(years)[:4], st.integers(12, 17)),
)
countries = st.sampled_from((None, "gb", "GB", "DE", "XX"))
words = st.lists(
    st.tuples(
        st.sampled_from(("given", "given", "withdrawn")),
        st.sampled_from((FIRST, "2026-04-01T08:00:00Z")),
        st.sampled_from((None, "person", "guardian")),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    words,
    st.lists(
        st.tuples(born, st.sampled_from((None, False, True)), st.sampled_from((None, "gb", "GB", "DE", "XX")))
    ),
)
def test_gdpr_art_8_rules_and_plans_agree_on_children(
    shop: Shop,
    said: list[tuple[str, str, str | None]],
    people: list[tuple[str | None, bool | None, str | None]],
) -> None:
    with shop.services.store.write() as connection:
        connection.exec_driver_sql(f'DELETE FROM "{shop.services.ontology.type("Consent").table}"')
    ann = shop.customer("club", "1")
    for state, at, by in said:
        shop.consent(ann, state=state, at=at, **({"givenBy": by} if by else {}))
    for who in people:
        be(shop, ann, *who)
        assert asked(shop, ann).allowed == planned(shop, ann, "email", EMAIL), who


# receipts


def test_a_withdrawal_waits_for_each_system_to_say_that_it_took_the_list(shop: Shop) -> None:
    ann, officer = shop.customer("club", "1"), shop.author("compliance")
    assert consent_status(shop.services, officer) == ()
    system = sorted(shop.services.organisation.systems)[0]
    shop.consent(ann, at=FIRST, state="withdrawn")
    first, rows = take_suppressions(shop.services, officer, system, "email", EMAIL)
    assert [row.address for row in rows] == ["ann@example.com"]
    [status] = consent_status(shop.services, officer)
    assert (status.taken, status.waiting, status.withdrawals) == (None, first, 1)
    assert status.due is not None
    assert status.due > datetime.now(UTC).date() + timedelta(days=12)
    assert withdrawals_unacknowledged(shop.services).state == "attention"
    acknowledge(shop.services, officer, first, fresh_key())
    [status] = consent_status(shop.services, officer)
    assert (status.waiting, status.withdrawals, status.oldest) == (None, 0, None)
    assert withdrawals_unacknowledged(shop.services).state == "ok"
    shop.consent(shop.customer("club", "2"), at=FIRST, state="refused")
    [status] = consent_status(shop.services, officer)
    assert status.withdrawals == 1
    with pytest.raises(NotFoundError, match="no suppression list"):
        acknowledge(shop.services, officer, "nothing", fresh_key())
    with pytest.raises(QueryError, match="no system or partner"):
        take_suppressions(shop.services, officer, "nobody", "email", EMAIL)
    with pytest.raises(AccessDeniedError, match="export_suppressions"):
        take_suppressions(shop.services, shop.author("marketing"), system, "email", EMAIL)


STATUS = "{ consentStatus { system withdrawals due } callRegisters { name } }"
SAY = """mutation($text: String!) {
  receiveReply(channel: "email", address: "ann@example.com", text: $text, receivedAt: "2026-06-01T00:00:00Z",
    message: "m-1", idempotencyKey: "r-1") { meaning }
  recordSignal(scheme: "email", value: "ben@example.com", idempotencyKey: "s-1") { recorded }
}"""


def test_the_api_takes_what_comes_from_outside(tmp_path: Path, store_url: str) -> None:
    with served(tmp_path, store_url) as (world, shop):
        ann = shop.customer("club", "1")
        shop.consent(ann, at=FIRST)
        said = world.ask(SAY, "website", text="Please unsubscribe").data
        assert said == {"receiveReply": {"meaning": "STOP"}, "recordSignal": {"recorded": True}}
        assert asked(shop, ann).reason is Reason.WITHDRAWN
        assert world.ask(STATUS, "compliance").data == {"consentStatus": [], "callRegisters": []}
        assert "record_signal" in world.ask(SAY, "sales", text="stop").message
        number = 'mutation($n: String!) { recordDoNotCall(number: $n, idempotencyKey: "d") { customers } }'
        assert world.ask(number, "compliance", n=OTHER).data["recordDoNotCall"] == {"customers": 0}


def run(*said: str) -> Result:
    return CliRunner().invoke(app, ["consent", *said], catch_exceptions=False)


def test_the_commands_of_lists_tell_what_came_of_them(customers: list[str], tmp_path: Path) -> None:
    ann, ben = customers
    file = tmp_path / "dnc.csv"
    file.write_text("202,5550123\n202,5550199\n")
    day = datetime.now(UTC).date().isoformat()
    said = run("import-register", "us-dnc", str(file), "--region", "US", "--made-at", day)
    assert said.output.startswith(f"us-dnc: 2 numbers of {day}, good until")
    assert "us-dnc US: 2 numbers" in run("registers").output
    assert run("do-not-call", "202 555 0123", "--region", "US").output.endswith("number: 0.\n")
    assert run("may-call", NUMBER).output.startswith("Off the list")
    assert run("may-call", NUMBER).exit_code == 1
    assert run("signal", "email", "ben@example.com").output == "Recorded.\n"
    assert run("allowed", ben, "web", "third_party_sharing").output.startswith("no: objection")
    assert run("reply", "email", "ann@example.com", "STOP", "--message", "m-1").output == "stop\n"
    assert run("allowed", ann, "email", EMAIL).output.startswith("no: withdrawn")
    late = run("reply", "email", "ann@example.com", "STOP", "--message", "m-2", "--received-at", "noon")
    assert (late.exit_code, "--received-at is no day" in late.output) == (1, True)
    assert run("take", "nobody", "email", EMAIL).exit_code == 1
    assert run("status").output == "No system ever took a list.\n"
