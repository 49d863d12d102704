"""What a model of the hub compares and blocks on: one standard for people, one for organisations.

Two ideas differ from a plain list of columns.

*What is shared in a household is one piece of evidence.* Family name, address, landline and family e-mail go together
without being the same person, as do name, switchboard and domain of a company's branches. Compared one by one, each
would add its bits as if the others said nothing; a *joint* comparison has a level for each combination instead, so
that training sees how often two strangers share all of it.

*How rare a value is counts apart.* A comparison named in `RARITIES` adds no bits but those of the value's frequency.

All conditions keep to the SQL that `scoring` compiles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hub.graph.resolution.profiles import Kind

Level = tuple[str, str]
"""SQL condition and label."""

RARITIES = frozenset({"given_rarity", "family_rarity", "name_rarity"})
"""Comparisons that only tell how rare an equal value is: training gives their levels equal m and u."""

JOINTS = {"household": ("family", "contact"), "name_office": ("name", "office")}
"""Joint comparisons, with those of their parts alone, which count where the other part is unknown."""


def settings_for(kind: Kind, columns: Collection[str]) -> dict[str, Any]:
    """The comparisons and blocking rules over those `columns` that some profile has, as Splink's settings."""
    comparisons, rules = (
        (_PERSON, _PERSON_RULES) if kind == "person" else (_ORGANIZATION, _ORGANIZATION_RULES)
    )
    present = frozenset(columns)
    return {
        "link_type": "dedupe_only",
        "comparisons": [
            comparison for needs, comparison in comparisons if any(need <= present for need in needs)
        ],
        "blocking_rules_to_generate_predictions": [
            _rule(parts) for parts in rules if all(_column(part) in present for part in parts)
        ]
        + ([_SWAPPED_RULE] if kind == "person" and {"given", "family"} <= present else []),
    }


# Writing conditions.


def _unknown(*columns: str) -> str:
    """That of each of these columns one side is not known."""
    return " AND ".join(f"({column}_l IS NULL OR {column}_r IS NULL)" for column in columns)


def _equal(*columns: str) -> str:
    return " AND ".join(f"{column}_l = {column}_r" for column in columns)


def _share(column: str, least: int = 1) -> str:
    return f"array_length(list_intersect({column}_l, {column}_r)) >= {least}"


def _meet(left: str, right: str) -> str:
    """That two columns of the two sides share a value."""
    return f"array_length(list_intersect({left}_l, {right}_r)) >= 1"


def _any_alike(column: str, least: float) -> str:
    pairs = f"list_transform({column}_l, lambda x: list_transform({column}_r, lambda y: [x, y]))"
    likeness = "lambda pair: jaro_winkler_similarity(pair[1], pair[2])"
    return f"list_max(list_transform(flatten({pairs}), {likeness})) >= {least}"


def _alike(column: str, least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"


def _slip(column: str, distance: int = 1, length: int = 3) -> str:
    """That a slip of the pen parts the values: a letter too many, too few, another, or two swapped."""
    return (
        f"(damerau_levenshtein({column}_l, {column}_r) <= {distance}"
        f" AND length({column}_l) >= {length} AND length({column}_r) >= {length})"
    )


def _begins(column: str) -> str:
    one, other = f"{column}_l", f"{column}_r"
    return " OR ".join(
        f"(length({b}) >= 3 AND substring({a}, 1, 3) = substring({b}, 1, 3)"
        f" AND jaro_winkler_similarity({a}, {b}) >= 0.8 AND length({a}) > length({b}) + 1)"
        for a, b in ((one, other), (other, one))
    )


def _comparison(name: str, null: str, levels: Sequence[Level], frequency: str = "") -> dict[str, Any]:
    """A comparison as Splink writes it; equality of column `frequency` is weighed by how rare its value is."""
    made: list[dict[str, Any]] = [
        {"sql_condition": null, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for condition, label in levels:
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": label}
        if frequency and condition == _equal(frequency):
            level["tf_adjustment_column"] = frequency
            level["tf_adjustment_weight"] = 1.0
        made.append(level)
    return {"output_column_name": name, "comparison_levels": made}


def _joint(names: Sequence[Level], contacts: Sequence[Level]) -> list[Level]:
    """All combinations of two gradations, the last of which is ELSE."""
    return [
        (_both(name[0], contact[0]), f"{name[1]}, {contact[1]}") for name in names for contact in contacts
    ]


def _both(name: str, contact: str) -> str:
    parts = [f"({part})" for part in (name, contact) if part != "ELSE"]
    return " AND ".join(parts) if parts else "ELSE"


# People.

_SWAPPED = "given_l IS NOT NULL AND given_r IS NOT NULL AND given_l = family_r AND family_l = given_r"
_YEAR, _MONTH, _DAY = (
    f"substring(birth_date_l, {start}, {length}) = substring(birth_date_r, {start}, {length})"
    for start, length in ((1, 4), (6, 2), (9, 2))
)
_WHOLE_DATES = "length(birth_date_l) = 10 AND length(birth_date_r) = 10"
_TURNED = (
    f"{_YEAR} AND substring(birth_date_l, 6, 2) = substring(birth_date_r, 9, 2)"
    " AND substring(birth_date_l, 9, 2) = substring(birth_date_r, 6, 2)"
)
_GIVEN: Sequence[Level] = (
    (f"{_equal('given')} AND length(given_l) > 1", "same given name"),
    (_SWAPPED, "given and family name swapped"),
    (_share("given_roots"), "nickname or variant"),
    (_slip("given"), "slip in the given name"),
    (_alike("given", 0.88), "like given name"),
    (
        "(length(given_l) = 1 OR length(given_r) = 1) AND substring(given_l, 1, 1) = substring(given_r, 1, 1)",
        "initial",
    ),
    ("given_l = middle_r OR given_r = middle_l", "given name is the middle name"),
    (_begins("given"), "short form"),
    (_alike("given", 0.75), "somewhat like given name"),
    ("ELSE", "other given name"),
)
_FAMILY: Sequence[Level] = (
    (_equal("family"), "same family name"),
    (f"{_slip('family')} OR {_alike('family', 0.88)}", "like family name"),
    (_alike("family", 0.75), "somewhat like family name"),
    ("ELSE", "other family name"),
)
_BIRTH: Sequence[Level] = (
    (f"{_equal('birth_date')} AND length(birth_date_l) = 10", "same day"),
    (f"{_WHOLE_DATES} AND {_TURNED}", "day and month turned"),
    (f"{_WHOLE_DATES} AND damerau_levenshtein(birth_date_l, birth_date_r) <= 1", "slip in the date"),
    (f"{_YEAR} AND NOT ({_WHOLE_DATES})", "same year, one not more precise"),
    (
        f"{_WHOLE_DATES} AND (({_YEAR} AND {_MONTH}) OR ({_YEAR} AND {_DAY}) OR ({_MONTH} AND {_DAY}))",
        "two parts of the date",
    ),
    (f"{_WHOLE_DATES} AND damerau_levenshtein(birth_date_l, birth_date_r) <= 2", "two slips in the date"),
    ("ELSE", "other date"),
)
_NEAR_TAX_ID = (
    "list_min(list_transform(flatten(list_transform(tax_ids_l, lambda x: list_transform(tax_ids_r, lambda y: [x, y]))),"
    " lambda pair: damerau_levenshtein(pair[1], pair[2]))) <= {}"
)
_SHARED_CONTACT = f"({_share('home_phones')} OR {_share('home_emails')})"
_OWN_PHONE = f"({_meet('own_phones', 'phones')} OR {_meet('phones', 'own_phones')})"
_OWN_EMAIL = f"({_meet('own_emails', 'emails')} OR {_meet('emails', 'own_emails')})"
_TWO_PHONES = "(own_phones_l IS NOT NULL AND own_phones_r IS NOT NULL)"
_TWO_EMAILS = "(own_emails_l IS NOT NULL AND own_emails_r IS NOT NULL)"
_OWN: Sequence[Level] = (
    (f"{_OWN_PHONE} AND {_OWN_EMAIL}", "same mobile phone and own mailbox"),
    (_OWN_PHONE, "same mobile phone"),
    (_OWN_EMAIL, "same own mailbox"),
    (_any_alike("own_emails", 0.92), "like own mailbox"),
    (f"{_TWO_PHONES} AND {_TWO_EMAILS}", "other mobile phone and mailbox"),
    (_TWO_PHONES, "other mobile phone"),
    ("ELSE", "other own mailbox"),
)
_ADDRESS = f"(house_l = house_r AND (street_l = street_r OR {_alike('street', 0.9)}))"
_PART_OF_ADDRESS = (
    "(street_l = street_r OR (house_l = house_r AND (postal_code_l = postal_code_r OR city_l = city_r)))"
)
_TOWN = f"(postal_code_l = postal_code_r OR city_l = city_r OR {_alike('city', 0.88)})"
_NO_PLACE = _unknown("street", "postal_code", "city")
_NO_OWN = f"NOT ({_OWN_PHONE} OR {_OWN_EMAIL} OR {_TWO_PHONES} OR {_TWO_EMAILS})"
_NO_CONTACT = f"({_unknown('home_phones', 'home_emails')} AND {_NO_PLACE})"
_NO_FAMILY = f"({_unknown('family')} OR ({_SWAPPED}))"
_CONTACT: Sequence[Level] = (
    (f"{_SHARED_CONTACT} AND {_ADDRESS}", "same phone or e-mail and address"),
    (_SHARED_CONTACT, "same phone or e-mail"),
    (_any_alike("home_emails", 0.92), "like e-mail"),
    (_ADDRESS, "same address"),
    (_PART_OF_ADDRESS, "part of the address"),
    (_TOWN, "same town"),
    ("ELSE", "nothing shared"),
)
_TAX_IDS: Sequence[Level] = (
    (_share("tax_ids"), "same number"),
    (_NEAR_TAX_ID.format(1), "slip in the number"),
    (_NEAR_TAX_ID.format(2), "two slips in the number"),
    ("ELSE", "other number"),
)

_Needs = Sequence[frozenset[str]]
_REACHABLE: _Needs = [
    frozenset({column}) for column in ("home_phones", "home_emails", "street", "postal_code", "city")
]


def _needs(*columns: str) -> list[frozenset[str]]:
    return [frozenset(columns)]


_PERSON: Sequence[tuple[_Needs, Mapping[str, Any]]] = (
    (_needs("given"), _comparison("given", _unknown("given"), _GIVEN)),
    (
        _needs("given"),
        _comparison(
            "given_rarity",
            _unknown("given"),
            [(_equal("given"), "same given name"), ("ELSE", "another")],
            "given",
        ),
    ),
    (_needs("family"), _comparison("family", f"{_NO_FAMILY} OR NOT {_NO_CONTACT}", _FAMILY)),
    (
        [need | {"family"} for need in _REACHABLE],
        _comparison("household", f"{_NO_FAMILY} OR {_NO_CONTACT}", _joint(_FAMILY, _CONTACT)),
    ),
    (
        _needs("family"),
        _comparison(
            "family_rarity",
            f"{_unknown('family')} OR ({_SWAPPED}) OR {_SHARED_CONTACT} OR {_ADDRESS}",
            [(_equal("family"), "same family name"), ("ELSE", "another")],
            "family",
        ),
    ),
    (
        _needs("own_phones") + _needs("own_emails"),
        _comparison("own_contact", _NO_OWN, _OWN),
    ),
    (_REACHABLE, _comparison("contact", f"NOT {_NO_FAMILY} OR {_NO_CONTACT}", _CONTACT)),
    (
        _needs("middle"),
        _comparison(
            "middle",
            _unknown("middle"),
            (
                ("middle_l = middle_r AND length(middle_l) > 1", "same middle name"),
                ("substring(middle_l, 1, 1) = substring(middle_r, 1, 1)", "same initial"),
                ("ELSE", "other middle name"),
            ),
        ),
    ),
    (_needs("birth_date"), _comparison("birth_date", _unknown("birth_date"), _BIRTH)),
    (
        _needs("gender"),
        _comparison(
            "gender", _unknown("gender"), [(_equal("gender"), "same gender"), ("ELSE", "other gender")]
        ),
    ),
    (_needs("tax_ids"), _comparison("tax_ids", _unknown("tax_ids"), _TAX_IDS)),
)


# Organisations.

_COMMON = "array_length(list_intersect(tokens_l, tokens_r))"
_ALL_OF_ONE = f"({_COMMON} = array_length(tokens_l) OR {_COMMON} = array_length(tokens_r))"
_NAME: Sequence[Level] = (
    (_equal("name"), "same name"),
    (f"{_COMMON} = array_length(tokens_l) AND {_COMMON} = array_length(tokens_r)", "same words"),
    (_alike("name", 0.95), "slip in the name"),
    (f"{_ALL_OF_ONE} AND {_COMMON} >= 2", "one name holds the other"),
    (f"{_COMMON} >= 3", "three words shared"),
    (f"{_ALL_OF_ONE}", "one word is in the other name"),
    (f"{_COMMON} >= 2", "two words shared"),
    (_alike("name", 0.88), "like name"),
    (f"{_COMMON} >= 1", "one word shared"),
    ("ELSE", "other name"),
)
_SHARED_OFFICE = f"({_share('phones')} OR {_share('emails')} OR {_share('domains')})"
_NO_OFFICE = f"({_unknown('phones', 'emails')})"
_OFFICE: Sequence[Level] = ((_SHARED_OFFICE, "same phone, e-mail or domain"), ("ELSE", "none shared"))
_SITE: Sequence[Level] = (
    (_equal("house", "street"), "same address"),
    (f"house_l = house_r AND {_alike('street', 0.9)}", "like street, same house"),
    ("house_l = house_r AND postal_code_l = postal_code_r", "same house and postal code"),
    (f"{_slip('house', length=2)} AND street_l = street_r", "same street, slip in the house"),
    ("street_l = street_r", "same street"),
    ("postal_code_l = postal_code_r", "same postal code"),
    ("city_l = city_r", "same town"),
    ("ELSE", "elsewhere"),
)

_ORGANIZATION: Sequence[tuple[_Needs, Mapping[str, Any]]] = (
    (_needs("name"), _comparison("name", f"{_unknown('name')} OR NOT {_NO_OFFICE}", _NAME)),
    (
        [frozenset({"name", "phones"}), frozenset({"name", "emails"})],
        _comparison("name_office", f"{_unknown('name')} OR {_NO_OFFICE}", _joint(_NAME, _OFFICE)),
    ),
    (
        _needs("name"),
        _comparison(
            "name_rarity",
            f"{_unknown('name')} OR {_SHARED_OFFICE}",
            [(_equal("name"), "same name"), ("ELSE", "another")],
            "name",
        ),
    ),
    (_REACHABLE, _comparison("site", _NO_PLACE, _SITE)),
    (
        _needs("tax_ids"),
        _comparison(
            "tax_ids", _unknown("tax_ids"), [(_share("tax_ids"), "same number"), ("ELSE", "other number")]
        ),
    ),
)


# Blocking. A part is one expression; `*column` is a list of which each item makes a key.


def _start(column: str, length: int, first: int = 1) -> str:
    return f"substring({column}, {first}, {length})"


_PERSON_RULES: Sequence[Sequence[str]] = (
    ("*tax_ids",),
    ("*emails",),
    ("*phones",),
    ("given", "family"),
    ("family", "birth_date"),
    ("given", "birth_date"),
    ("*given_roots", "birth_date"),
    ("birth_date",),
    (_start("given", 2), _start("family", 2), _start("birth_date", 4)),
    (_start("given", 1), _start("family", 1), _start("birth_date", 5, 6)),
    ("family", _start("birth_date", 7)),
    ("given", _start("birth_date", 7)),
    ("house", "street", "family"),
    ("house", "street", _start("given", 1)),
    ("birth_date", "house"),
    ("birth_date", "street"),
    ("given", "postal_code"),
    ("family", "postal_code"),
    ("given", "city"),
    ("family", "city"),
    ("*given_roots", _start("family", 4)),
    (_start("given", 3), _start("family", 3), "postal_code"),
    ("city", _start("birth_date", 7)),
    ("city", _start("birth_date", 5, 6)),
    ("city", _start("birth_date", 4), _start("given", 1)),
    ("city", _start("birth_date", 4), _start("family", 1)),
    ("postal_code", _start("birth_date", 4)),
    ("family",),
    ("given",),
)
_ORGANIZATION_RULES: Sequence[Sequence[str]] = (
    ("*tax_ids",),
    ("*emails",),
    ("*domains",),
    ("*phones",),
    ("name",),
    ("house", "street"),
    ("house", _start("street", 5)),
    ("house", "postal_code"),
    ("street",),
    ("*tokens",),
    ("*tokens", "house"),
    ("*tokens", "street"),
    ("*tokens", "postal_code"),
    ("*tokens", "city"),
    (_start("name", 6), "postal_code"),
    (_start("name", 6), "city"),
)


_SWAPPED_RULE = {"blocking_rule": "l.given = r.family AND l.family = r.given", "sql_dialect": "duckdb"}


def _column(part: str) -> str:
    return part.removeprefix("substring(").removeprefix("*").partition(",")[0]


def _rule(parts: Sequence[str]) -> dict[str, Any]:
    lists = [part[1:] for part in parts if part.startswith("*")]
    rule: dict[str, Any] = {
        "blocking_rule": " AND ".join(f"{_of('l', part)} = {_of('r', part)}" for part in parts),
        "sql_dialect": "duckdb",
    }
    return rule | {"arrays_to_explode": lists} if lists else rule


def _of(side: str, part: str) -> str:
    if part.startswith("substring("):
        return part.replace("substring(", f"substring({side}.", 1)
    return f"{side}.{part.removeprefix('*')}"
