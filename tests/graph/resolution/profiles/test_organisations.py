from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.graph.resolution.profiles import profile_of
from hub.graph.resolution.profiles.legal_forms import FORMS
from hub.graph.resolution.profiles.organisations import organisation_name
from hub.graph.resolution.profiles.texts import words

NAMES = [
    ("Anchor Inn Ltd", "anchor inn", "ltd"),
    ("ANCHOR INN LIMITED", "anchor inn", "ltd"),
    ("Acme Pty Ltd", "acme", "ltd"),
    ("Acme Co., Ltd.", "acme", "ltd"),
    ("Acme plc", "acme", "plc"),
    ("Acme P.L.C.", "acme", "plc"),
    ("Acme, Inc.", "acme", "inc"),
    ("Acme Incorporated", "acme", "inc"),
    ("Acme Corporation", "acme", "corp"),
    ("Acme L.L.C.", "acme", "llc"),
    ("The Lighthouse Bakery & Co", "lighthouse bakery", "co"),
    ("J. P. Morgan and Company", "jp morgan", "co"),
    ("Pebble Marine & Sons Ltd", "pebble marine and sons", "ltd"),
    ("Coral Deli (Holdings) Ltd", "coral deli holdings", "ltd"),
    ("Siemens Aktiengesellschaft", "siemens", "ag"),
    ("Foo Bar GmbH & Co. KG", "foo bar", "gmbhcokg"),
    ("Foo UG (haftungsbeschränkt)", "foo", "ug"),
    ("Muehlenbau e.V.", "muhlenbau", "ev"),
    ("Mühlenbau eV", "muhlenbau", "ev"),
    ("Société Générale S.A.", "societe generale", "sa"),
    ("La Poste S.A.S.", "poste", "sas"),
    ("Acme S.A. de C.V.", "acme", "sa"),
    ("Acme S.p.A.", "acme", "spa"),
    ("Blue Lagoon Spa", "blue lagoon spa", ""),
    ("Acme S.r.l.", "acme", "srl"),
    ("Acme B.V.", "acme", "bv"),
    ("Acme A/S", "acme", "as"),
    ("Oy Acme Ab", "acme", "ab"),
    ("Acme Sp. z o.o.", "acme", "spzoo"),
    ("ООО Ромашка", "romashka", "ooo"),
    ("株式会社トヨタ", "toyota", "kk"),
    ("AS Roma", "as roma", ""),
    ("Kelp AEG", "kelp aeg", ""),
    ("Limited", "limited", ""),
    ("Woodlawn A.M.E. Church", "woodlawn ame church", ""),
    ("Y M C A Chicago", "ymca chicago", ""),
    ("Tony's Family Practice", "tonys family practice", ""),
    ("Saint Mary's Center II", "st marys center 2", ""),
    ("St. Marys Centre 2", "st marys center 2", ""),
    ("unknown", "", ""),
    ("n/a", "", ""),
]


@pytest.mark.parametrize(("raw", "core", "form"), NAMES, ids=[raw for raw, _, _ in NAMES])
def test_the_legal_form_parts_from_the_core_name(raw: str, core: str, form: str) -> None:
    found = organisation_name(raw)
    assert (found.core, found.legal_form) == (core, form)


@pytest.mark.parametrize("variant", sorted(FORMS))
def test_every_legal_form_is_found_at_the_end(variant: str) -> None:
    found = organisation_name(f"Pebble Marine {variant}")
    assert found.core == "pebble marine"


@pytest.mark.parametrize(
    "joint", ["t/a", "trading as", "T/A", "dba", "d/b/a", "doing business as", "formerly", "aka"]
)
def test_a_trading_name_is_another_name(joint: str) -> None:
    profile = profile_of(
        "organization", {"org_name": [f"The Lighthouse Bakery Ltd {joint} Beacon Cakes Ltd"]}
    )
    assert profile == {
        "name": "lighthouse bakery",
        "tokens": ["bakery", "lighthouse"],
        "legal_form": "ltd",
        "other_names": ["beacon cakes"],
    }


def test_the_first_name_counts_and_all_others_are_other_names() -> None:
    values = {
        "org_name": ["?", "Anchor Inn", "Anchor Inn Ltd", "Anchor Hotels"],
        "alternate_name": ["The Anchor"],
    }
    profile = profile_of("organization", values)
    assert profile["name"] == "anchor inn"
    assert profile["other_names"] == ["anchor", "anchor hotels"]
    assert profile["legal_form"] == "ltd"


def test_words_that_join_are_no_tokens() -> None:
    profile = profile_of("organization", {"org_name": ["House of Salt and Tar"]})
    assert profile["tokens"] == ["house", "salt", "tar"]


def test_the_domain_of_a_company_is_evidence_and_a_mail_provider_is_none() -> None:
    values = {
        "org_name": ["Anchor"],
        "email": ["Bookings@Anchor.example.com", "anchor@gmail.com", "x@btinternet.com"],
    }
    assert profile_of("organization", values)["domains"] == ["anchor.example.com"]


ORG_TEXT = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(sorted(words("The & and Co Ltd t/a of A B S.A. AG Café - ( ) II Oy"))), max_size=7
    ).map(" ".join),
)


@given(ORG_TEXT)
@settings(max_examples=200, deadline=None)
def test_a_core_name_is_its_own_core_name(raw: str) -> None:
    core = organisation_name(raw).core
    assert organisation_name(core).core == core
