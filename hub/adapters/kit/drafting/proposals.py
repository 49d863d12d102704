"""Proposals for one stream: which type its records are, which fields are which properties, what tells records apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import phonenumbers

from hub.adapters.connectors import watermark
from hub.adapters.converters import Context
from hub.adapters.converters.iso import COUNTRY_BY_WORD
from hub.adapters.kit.drafting.fields import SampledField, sampled_fields, uniques
from hub.adapters.kit.drafting.fitting import ENOUGH, Fit, fit
from hub.adapters.kit.drafting.vocabulary import (
    MODIFIED,
    MONEY_CODES,
    NOTHING,
    called_like,
    joined,
    names_of,
    without_type,
)
from hub.adapters.records import Payload
from hub.detection import Kind
from hub.errors import SourceProtocolError
from hub.ontology import EntityType, Ontology, Property, PropertyType

_BY_NAME: Final = 4.0
"""What a stream's name counts beside the fields of its records, of which each counts at most one."""
_SEVERAL: Final = 3
"""Most parts of a proposed key."""
_KEY_LIKE: Final = 4
"""The stability of a field that is plainly meant for a key."""
_DBF_NAME: Final = 10
"""Signs of a DBF file's longest field names: of these, the rest may have been cut off."""
_STABLE = {
    "id": 5,
    "uuid": 5,
    "guid": 5,
    "no": 4,
    "nr": 4,
    "number": 4,
    "key": 4,
    "code": 3,
    "ref": 2,
    "sku": 4,
}
_FLEETING = frozenset(
    {Kind.EMAIL, Kind.PHONE, Kind.NAME, Kind.BIRTH_DATE, Kind.PAYMENT_CARD, Kind.IP_ADDRESS}
)
"""Kinds of values that people change: no key."""
_CALLED_SO: Final[Mapping[Kind, str]] = {
    Kind.EMAIL: "email",
    Kind.PHONE: "telephone",
    Kind.IBAN: "iban",
    Kind.NATIONAL_ID: "nationalId",
    Kind.BIRTH_DATE: "birthDate",
}
"""The property of a party that a value is by itself, whatever its field is called."""
_REGIONS: Final = (
    *("GB", "US", "DE", "FR", "ES", "IT", "NL", "BE", "AT", "CH", "SE", "NO", "DK", "FI", "PL", "IE", "PT"),
    *("AU", "CA", "IN", "JP", "BR", "MX", "ZA"),
)


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field that becomes a property."""

    field: SampledField
    property: Property
    fit: Fit
    why: str


@dataclass(frozen=True, slots=True)
class LeftField:
    """A field that becomes none, and why."""

    field: SampledField
    why: str


@dataclass(slots=True)
class Proposal:
    """What a stream's YAML is to say."""

    type: EntityType
    type_is_sure: bool
    key: tuple[SampledField, ...]
    key_why: str
    mapped: list[MappedField] = field(default_factory=list)
    left: list[LeftField] = field(default_factory=list)
    modified: SampledField | None = None
    """The time at which a record was last changed."""
    modified_steps: tuple[Any, ...] = ()
    modified_why: str = ""


def propose(
    source: str,
    stream: str,
    words: tuple[str, ...],
    records: Sequence[Payload],
    primary_key: Sequence[str],
    ontology: Ontology,
    context: Context,
) -> Proposal:
    """What the sampled `records` of a stream suggest.

    Raises:
        SourceProtocolError: the sample is empty, or nothing in it tells records apart.
    """
    fields = sampled_fields(records)
    if not fields:
        raise SourceProtocolError(
            source, stream, "the sample has no record to draft from; try again with some"
        )
    key, key_why = _key(source, stream, words, fields, primary_key, len(records), context)
    type_, is_sure = _type(words, fields, ontology)
    made = Proposal(type_, is_sure, key, key_why)
    _modified(made, fields, context)
    _map(made, fields, context)
    return made


def region_of(records: Sequence[Payload]) -> tuple[str | None, str]:
    """The region of phone numbers without a country code, and why; None where the sample has none of them."""
    fields = sampled_fields(records)
    numbers = [
        str(value)
        for each in fields
        if {"phone", "mobile", "tel", "telephone", "fax", "cell"} & set(each.words)
        for value in each.values
        if isinstance(value, str | int) and not str(value).lstrip().startswith("+")
        if str(value).strip().casefold() not in NOTHING
    ]
    if not numbers:
        return None, ""
    said = Counter(
        COUNTRY_BY_WORD[str(value).casefold()]
        for each in fields
        if "country" in each.words
        for value in each.values
        if str(value).casefold() in COUNTRY_BY_WORD
    )
    stated = [region for region, _ in said.most_common(1)]
    candidates = list(dict.fromkeys([*stated, *_REGIONS]))
    counts = {region: sum(_is_number_of(number, region) for number in numbers) for region in candidates}
    ranked = sorted(candidates, key=lambda region: -counts[region])
    # Where the records say their country, half of the numbers are enough: some regions take nearly any number.
    best = stated[0] if stated and counts[stated[0]] >= len(numbers) / 2 else ranked[0]
    if not counts[best]:
        return None, ""
    others = [f"{each} {counts[each]}" for each in ranked if each != best and counts[each]]
    also = f"; others: {', '.join(others[:4])}" if others else ""
    return (
        best,
        f"guessed: of {len(numbers)} phone numbers without a country code {counts[best]} are valid there{also}",
    )


def _is_number_of(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _type(
    words: tuple[str, ...], fields: Sequence[SampledField], ontology: Ontology
) -> tuple[EntityType, bool]:
    """The type that the stream's name and its fields' names speak for, and whether anything does."""
    types = [type_ for name, type_ in ontology.types.items() if name not in ("Consent", "Restriction")]
    holders = Counter(prop for type_ in types for prop in type_.properties)
    scores = {type_.name: _score(type_, words, fields, holders) for type_ in types}
    best = max(types, key=lambda type_: scores[type_.name])
    if scores[best.name] <= 0:
        has_people = any(each.detections(None) for each in fields)
        return ontology.type("Person" if has_people else "Document"), False
    return best, True


def _score(
    type_: EntityType, words: tuple[str, ...], fields: Sequence[SampledField], holders: Counter[str]
) -> float:
    score = _BY_NAME if called_like(words, type_) else 0.0
    for prop in type_.properties.values():
        sureness = max((_likeness(prop, type_, each) for each in fields), default=0.0)
        # What many types have says little about which one it is.
        score += sureness / holders[prop.name] ** 0.5
    return score


def _likeness(prop: Property, type_: EntityType, field_: SampledField) -> float:
    names = names_of(prop, type_)
    words = field_.words
    forms = {
        joined(words),
        joined(without_type(words, type_)),
        joined(tuple(w for n in field_.names for w in _of(n))),
    }
    sure = max((names.get(form, 0.0) for form in forms), default=0.0)
    if not sure and len(field_.names[-1]) == _DBF_NAME:
        cut = joined(words)
        sure = max((0.6 * each for name, each in names.items() if name.startswith(cut)), default=0.0)
    return sure


def _of(name: str) -> tuple[str, ...]:
    return SampledField((name,), 0).words


def _key(
    source: str,
    stream: str,
    words: tuple[str, ...],
    fields: Sequence[SampledField],
    primary_key: Sequence[str],
    records: int,
    context: Context,
) -> tuple[tuple[SampledField, ...], str]:
    by_name = {each.names[0]: each for each in fields if len(each.names) == 1}
    if primary_key and all(name in by_name for name in primary_key):
        return tuple(by_name[name] for name in primary_key), "the table's primary key"
    stable = [each for each in fields if not _is_fleeting(each, context)]
    single = [each for each in stable if each.is_unique]
    named = [each for each in stable if _stability(each, words) >= _KEY_LIKE]
    nearly = [each for each in named if each.distinct >= ENOUGH * records and not each.is_unique]
    if nearly and not any(each.is_unique for each in named):
        # Real tables have a bad row here and there; it is set aside, where another key would be of no use.
        best = max(nearly, key=lambda each: (_stability(each, words), -fields.index(each)))
        return (
            best,
        ), f"of {records} sampled records {best.distinct} have one of their own; look at the others"
    if single:
        best = max(single, key=lambda each: (_stability(each, words), -fields.index(each)))
        return (best,), f"unique in all {records} sampled records"
    whole = [each for each in stable if each.is_always and each.is_scalar]
    whole.sort(key=lambda each: -_stability(each, words, alone=False))
    for size in range(2, _SEVERAL + 1):
        for several in combinations(whole[:8], size):
            if uniques(several, records):
                return several, f"together unique in all {records} sampled records"
    raise SourceProtocolError(
        source,
        stream,
        f"no field, and no {_SEVERAL} fields together, tell the {records} sampled records apart; name a key by hand",
    )


def _is_fleeting(field_: SampledField, context: Context) -> bool:
    if not field_.is_scalar or any(isinstance(v, bool) for v in field_.values):
        return True
    if any(found.kind in _FLEETING for found in field_.detections(context.region)):
        return True
    return all(watermark.instant(value) is not None for value in field_.values)


def _stability(field_: SampledField, words: tuple[str, ...], *, alone: bool = True) -> int:
    """How much its name and its values look like something that stays; `alone` or as a part of a key."""
    own = field_.words
    score = max((_STABLE.get(word, 0) for word in own), default=0)
    if alone and len(own) == 1 and score:
        score += 3
    stems = {word.removesuffix("s") for word in words}
    if len(own) > 1 and own[0].removesuffix("s") in stems:
        score += 2
    if not all(isinstance(value, int | str) and len(str(value)) <= 64 for value in field_.values):
        score -= 5
    return score - len(field_.names)


def _modified(made: Proposal, fields: Sequence[SampledField], context: Context) -> None:
    """Find the field that says when a record was last changed, where its values are times."""
    instants = Property(type=PropertyType.INSTANT, label="", category="")
    candidates = [
        each for each in fields if joined(each.words) in MODIFIED and each.is_scalar and each.values
    ]
    for each in sorted(candidates, key=lambda each: MODIFIED.index(joined(each.words))):
        found = fit(instants, each.values, context)
        if found.is_good:
            made.modified, made.modified_steps = each, found.steps
            marks = [watermark.instant(value) for value in each.values]
            rises = None not in marks and marks == sorted(
                marks, key=lambda mark: mark.timestamp() if mark else 0
            )
            there = f"in {len(each.values)} of {each.records}"
            made.modified_why = f"{there}, {'ascending' if rises else 'not in order'} in the sample"
            return


def _map(made: Proposal, fields: Sequence[SampledField], context: Context) -> None:
    currency = next((each for each in fields if joined(each.words) in MONEY_CODES and each.is_always), None)
    taken: dict[str, MappedField] = {}
    refused: dict[str, str] = {}
    for likeness, each, prop, why in sorted(_pairs(made.type, fields, context), key=lambda pair: -pair[0]):
        del likeness
        if prop.name in taken or any(known.field is each for known in taken.values()):
            continue
        found = fit(prop, each.values, context, currency.path if currency else None)
        if found.is_good:
            taken[prop.name] = MappedField(each, prop, found, why)
        else:
            refused.setdefault(
                each.path,
                f"like {prop.name}, but only {found.fitting} of {found.tried} values fit it ({prop.type.value})",
            )
    order = list(made.type.properties)
    made.mapped = sorted(taken.values(), key=lambda each: order.index(each.property.name))
    used = {id(each.field) for each in made.mapped} | {id(each) for each in made.key}
    used |= {id(made.modified)} if made.modified else set()
    used |= {id(currency)} if currency and any(_is_money(each) for each in made.mapped) else set()
    made.left = [LeftField(each, _why_left(made, each, refused)) for each in fields if id(each) not in used]


def _is_money(mapped: MappedField) -> bool:
    return mapped.property.type is PropertyType.MONEY


def _pairs(
    type_: EntityType, fields: Sequence[SampledField], context: Context
) -> Iterator[tuple[float, SampledField, Property, str]]:
    """Fields and the properties that they may be, each with how likely that is."""
    for each in fields:
        if not each.values or not each.is_scalar:
            continue
        for prop in type_.properties.values():
            if prop.type is PropertyType.REFERENCE or (type_.is_party and prop.strong):
                continue
            if likeness := _likeness(prop, type_, each):
                yield likeness, each, prop, "by its name"
        if type_.is_party:
            for found in each.detections(context.region):
                name = _CALLED_SO.get(found.kind, "")
                if name in type_.properties and found.hits >= 0.9 * found.sampled:
                    yield 0.5 * found.confidence, each, type_.properties[name], "by its values"


def _why_left(made: Proposal, field_: SampledField, refused: Mapping[str, str]) -> str:
    if field_.path in refused:
        return refused[field_.path]
    if not field_.values:
        return "never has a value in the sample"
    if not field_.is_scalar:
        return "a list: its items are entities of their own (`each`), or of no use here"
    for prop in made.type.properties.values():
        if not _likeness(prop, made.type, field_):
            continue
        if prop.type is PropertyType.REFERENCE:
            return f"like the reference {prop.name}: a link, once a stream states what it refers to"
        if prop.strong:
            return f"like {prop.name}, which makes parties of several systems one: map it where they share it"
    return f"no property of {made.type.name} is called so"
