"""The rules of consent, against a definition of their own that is written in another way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.contact import Contact, Word
from hub.privacy.consent import ALLOWED, Reason, decide, reach_of

TODAY = "2026-06-15"
USES = (
    "marketing",
    "marketing.communications",
    "marketing.communications.email",
    "sales",
    "marketing.advertising",
)
TIMES = (None, "2026-01-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z")

said = st.builds(
    lambda use, channel, state, at, until, basis: Word(
        "x", "s", "t", "k", 1, "consent", use, channel, state, at, until, basis
    ),
    st.sampled_from(USES),
    st.sampled_from(("any", "email", "sms")),
    st.sampled_from(("given", "given", "withdrawn", "refused", "expired", "pending", None)),
    st.sampled_from(TIMES),
    st.sampled_from((None, None, "2026-06-14", TODAY, "2027-01-01")),
    st.sampled_from((None, None, "consent", "soft_opt_in", "contract", "legitimate_interest")),
)


def agreed(words: Sequence[Word], use: str, channel: str) -> bool:
    """Whether there is a yes that nothing said against it outweighs."""

    def is_about(word: Word) -> bool:
        covers = f"{use}.".startswith(f"{word.use}.") and word.channel in ("any", channel)
        return covers and (word.state != "given" or rests_on_a_yes(word))

    def rests_on_a_yes(word: Word) -> bool:
        if word.legal_basis == "soft_opt_in":
            return f"{use}.".startswith("marketing.communications.") and channel in ("email", "sms")
        return word.legal_basis not in ("contract", "legitimate_interest")

    def is_yes(word: Word) -> bool:
        lasts = word.expires_on is None or not word.expires_on < TODAY
        return word.state == "given" and word.at is not None and lasts

    def outweighs(other: Word, yes: Word) -> bool:
        if other.at is None:
            return other.state != "given"
        assert yes.at is not None
        return other.at > yes.at or (other.at == yes.at and other.state != "given")

    about = [word for word in words if is_about(word)]
    return any(is_yes(word) and not any(outweighs(other, word) for other in about) for word in about)


@settings(max_examples=600, deadline=None)
@given(st.lists(said, max_size=6), st.sampled_from(("email", "sms")))
def test_the_rules_say_what_the_definition_says(words: list[Word], channel: str) -> None:
    contact = Contact(words, set(), {"email": {"a"}, "phone": {"1"}})
    use = "marketing.communications.email"
    verdict = decide(contact, reach_of(use, channel), channel, TODAY)  # type: ignore[arg-type]  # drawn from both
    assert verdict.allowed == agreed(words, use, channel)
    assert verdict.allowed == (verdict.reason is Reason.CONSENT)
    assert (verdict.reason is Reason.NO_CONSENT) == (verdict.evidence == ())
    assert {*verdict.evidence} <= {*words}


@settings(max_examples=200, deadline=None)
@given(st.lists(said, max_size=4), st.permutations(range(4)))
def test_the_order_of_arrival_does_not_matter(words: list[Word], order: list[int]) -> None:
    reach = reach_of("marketing.communications.email", "email")
    shuffled = [words[at] for at in order if at < len(words)]
    one, other = (decide(Contact(said), reach, "email", TODAY).reason for said in (words, shuffled))
    assert one is other


@pytest.mark.parametrize("bar", ["restriction", "*", "marketing", "marketing.communications.email"])
def test_a_bar_is_stronger_than_any_yes(bar: str) -> None:
    yes = Word("x", "s", "t", "k", 1, "consent", "marketing", "any", "given", TIMES[3])
    contact = Contact([yes], {bar}, {"email": {"a"}})
    reach = reach_of("marketing.communications.email", "email")
    assert decide(contact, reach, "email", TODAY).reason not in ALLOWED
    contact.bars.clear()
    assert decide(contact, reach, "email", TODAY).allowed
