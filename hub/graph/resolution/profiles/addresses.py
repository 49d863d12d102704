"""Streets in parts: name, house, unit. The normal form is described in docs/resolution-profiles.md.

`Flat 3, 12a High Street` is the unit `3`, the house `12a` and the street `high st`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from hub.graph.resolution.profiles.texts import CACHED, is_placeholder, lower, without_umlauts, words

StreetReader: TypeAlias = Callable[[str], "StreetParts"]
"""Reads the parts of a line of an address: by the rules of this module, or by libpostal."""


class StreetParts(NamedTuple):
    """The normal forms of one line of an address; a part that is not given is empty."""

    street: str = ""
    house: str = ""
    """Number of the house, or its name where it has no number."""
    unit: str = ""


def _table(text: str) -> dict[str, str]:
    """Each variant with the form that stands for it."""
    lines = (line.partition("=") for line in text.split())
    return {variant: form for form, _, variants in lines for variant in variants.split(",")}


_TYPES = _table(
    """
    st=street,str,saint,strasse,strase,straat,strt,st rd=road,rd
    ave=avenue,av,aven,avn,avenu,avenida,avda,ave ln=lane,ln dr=drive,drv,driv,dr cl=close,clse,cl
    ct=court,crt,ct cres=crescent,cresc,crsnt,cr,cres ter=terrace,terr,tce,ter pl=place,plaza,plz,platz,pl
    sq=square,sqr,sq gdns=gardens,garden,gdn,gdns gr=grove,grv,gro,gr pk=park,prk,pk pde=parade,pde
    blvd=boulevard,boul,bd,bvd,bv,bl,blvd hwy=highway,hway,hwy pkwy=parkway,pky,parkwy,pkwy
    cir=circle,circ,circuit,cct,cir tr=trail,trl,tr way=way,wy esp=esplanade,esp mws=mews,mws
    hts=heights,hgts,hts xing=crossing,xing rte=route,rte sq=square al=alley,aly,al row=row wk=walk,wlk,wk
    hl=hill,hl vw=view,vw est=estate,est ldg=lodge,ldg mt=mount,mt pt=point,pt rdg=ridge,rdg rn=run,rn
    vis=vista,vis exp=expressway,expy,exp
    """
)
_DIRECTIONS = _table(
    """
    n=north,nth,n s=south,sth,s e=east,e w=west,w ne=northeast,ne nw=northwest,nw se=southeast,se sw=southwest,sw
    """
)
_ORDINALS = _table(
    """
    1st=first 2nd=second 3rd=third 4th=fourth 5th=fifth 6th=sixth 7th=seventh 8th=eighth 9th=ninth 10th=tenth
    11th=eleventh 12th=twelfth
    """
)
_WORDS = {**_TYPES, **_DIRECTIONS, **_ORDINALS}
_NO_WORDS = words("the ul ulica")
_NUMBERED = words("hwy rte road rd ave st")
"""Words that make a street's name with a number after them."""

_COMPOUND = re.compile(r"(.{3,}?)(?:strasse|strase|str|straat)")
_BOX = re.compile(
    r"\b(?:g\.?p\.?o\.?|p\.?\s?o\.?|post office|postal|locked|private)\s?(?:box|bag)\b"
    r"|\b(?:postfach|postbus|apartado|skrytka pocztowa|boite postale|casella postale)\b"
)
_NUMBER = r"(?:no\.?|number|nbr|num|nr\.?|#)?\s*"
_UNIT = re.compile(
    r"\b(?:flat|flt|apartment|apartamento|apart|aprt|apt|ap|unit|unt|suite|suit|ste|room|rm|shop|office|villa|lot|whg"
    r"|wohnung)\b\.?\s*" + _NUMBER + r"(?P<number>[a-z]?\s?\d+(?:/\d+)?\s?[a-z]?\b|[a-z]\b)"
)
_FLOOR = re.compile(
    r"\b(?:floor|flr|fl|level|lvl|etage)\b\.?\s*" + _NUMBER + r"(?P<after>\d+)\b"
    r"|\b(?P<before>\d{1,2})(?:st|nd|rd|th|\.)?\s*(?:floor|flr|fl|level|etage|og)\b"
    r"|\b(?P<word>ground floor|basement|penthouse|first floor|second floor|third floor|top floor"
    r"|lower level|upper level|upstairs|downstairs)\b"
)
_FLOOR_WORDS = _table(
    "1=first 2=second 3=third g=ground b=basement ph=penthouse top=top l=lower,downstairs u=upper,upstairs"
)
_STAIR = re.compile(r"^(?P<number>\d+/\d+)[\s,]+(?=\d)")
"""A Scottish flat: its floor and door before the number of the house."""

_HASH = re.compile(r"(?<=\S)\s*#\s*(?P<number>[a-z]?\d+[a-z]?)\b")
_SLASHED = re.compile(r"^(?P<unit>\d+[a-z]?)\s*/\s*(?P<house>\d+[a-z]?(?:-\d+[a-z]?)?)\s+(?=[a-z])")
_HOUSE = r"\d+(?:\s?(?:bis|ter)\b|\s?[a-df-mo-rt-vx-z](?![a-z0-9])|[a-z](?![a-z0-9]))?(?:\s?-\s?\d+[a-z]?)?"
_NUMBER_ALONE = re.compile(rf"(?:no\.?|nr\.?|#)?\s*(?P<house>{_HOUSE})")
_HOUSE_FIRST = re.compile(rf"^(?:no\.?|nr\.?|#)?\s*(?P<house>{_HOUSE})(?![a-z0-9])[\s,]+(?=[a-z0-9])")
_HOUSE_LAST = re.compile(rf"(?<=[a-z.])[\s,]+(?:no\.?|nr\.?|#)?\s*(?P<house>{_HOUSE})(?:/(?P<unit>\w+))?$")
_HOUSE_WITHIN = re.compile(rf"^(?P<before>[a-z' ]+?)\s(?P<house>{_HOUSE})\s(?P<street>[a-z].*)$")
_NUMBER_LAST = re.compile(r"(?<=[a-z.])\s+(?:no\b\.?|number|nbr|num)\s*(?P<number>[a-z]?\d+\s?[a-z]?)$")
_SIGNS = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=CACHED)
def street_parts(raw: str) -> StreetParts:
    """Street, house and unit of a line such as `Flat 3, 12 High Street` or `Hauptstr. 12a`."""
    text = " ".join(lower(raw).replace("'", "").split())
    if is_placeholder(_SIGNS.sub(" ", text).strip()) or text == "na":
        return StreetParts()
    if box := _BOX.search(text):
        number = re.search(r"\d+", text[box.end() :])
        return StreetParts("pobox", number[0] if number else "")
    text, unit = without_unit(text)
    if slashed := _SLASHED.match(text):
        return StreetParts(street_name(text[slashed.end() :]), slashed["house"], unit or slashed["unit"])
    if alone := _NUMBER_ALONE.fullmatch(text):
        return StreetParts("", alone["house"].replace(" ", ""), unit)
    street, house, behind = _without_house(_line_of_street(text))
    name = street_name(street)
    return StreetParts(name, house.replace(" ", "") or _house_name(text, street), unit or behind)


def without_unit(text: str) -> tuple[str, str]:
    """The text without flat and floor, and these in short: `f2 3` is flat 3 on floor 2."""
    units = []
    if floor := _FLOOR.search(text):
        number = floor["after"] or floor["before"] or _FLOOR_WORDS[floor["word"].split()[0]]
        units.append("f" + number)
        text = text[: floor.start()] + "," + text[floor.end() :]
    if found := _UNIT.search(text) or _STAIR.match(text) or _HASH.search(text):
        units.append(found["number"].replace(" ", ""))
        text = text[: found.start()] + "," + text[found.end() :]
    return text.strip(" ,-/"), " ".join(units)


def _line_of_street(text: str) -> str:
    """Of parts between commas the one with a number, else the last that ends like a street, else the last."""
    parts = [part.strip() for part in text.split(",") if part.strip(" .-")]
    if len(parts) < 2:
        return text
    if _NUMBER_ALONE.fullmatch(parts[0]):
        return " ".join(parts[:2])
    if _NUMBER_ALONE.fullmatch(parts[-1]):
        return " ".join(parts[-2:])
    for part in parts:
        if _HOUSE_FIRST.match(part) or _HOUSE_LAST.search(part):
            return part
    typed = [part for part in parts if part.replace(".", "").split()[-1:] and _ends_like_street(part)]
    return (typed or parts)[-1]


def _ends_like_street(text: str) -> bool:
    last = text.rstrip(".").split()[-1]
    return last in _TYPES or bool(_COMPOUND.fullmatch(last))


def _without_house(text: str) -> tuple[str, str, str]:
    """The text without its house number, the number, and the unit that stands behind it."""
    if first := _HOUSE_FIRST.match(text):
        return _behind_the_house(first["house"], text[first.end() :])
    if (last := _HOUSE_LAST.search(text)) and not _is_numbered(text[: last.start()]):
        return text[: last.start()], last["house"], last["unit"] or ""
    within = _HOUSE_WITHIN.match(text)
    if within and _ends_like_street(within["street"]) and within["before"] not in _DIRECTIONS:
        return within["street"], within["house"], ""
    return text, "", ""


def _behind_the_house(house: str, rest: str) -> tuple[str, str, str]:
    """Street, house and unit, where `12 Q Street` is in a street of one letter and `5 High St No 7` is a flat."""
    number, _, letter = house.partition(" ")
    if letter and rest.rstrip(".") in _TYPES:
        return f"{letter} {rest}", number, ""
    numbered = _NUMBER_LAST.search(rest)
    if numbered and not _is_numbered(rest[: numbered.start()]):
        return rest[: numbered.start()], house, numbered["number"].replace(" ", "")
    return rest, house, ""


def _is_numbered(text: str) -> bool:
    before = text.replace(".", " ").split()
    last = _TYPES.get(before[-1], before[-1])
    return last in ("hwy", "rte") or (len(before) == 1 and last in _NUMBERED)


def _house_name(text: str, street: str) -> str:
    """What stands before the street where there is no number: `Rose Cottage, Quay Street`."""
    before = text[: text.rfind(street)] if street != text else ""
    parts = [part for part in before.split(",") if part.strip()]
    return " ".join(_words(parts[-1])) if parts else ""


def _words(text: str) -> list[str]:
    return [each for each in _SIGNS.sub(" ", text).split() if each not in _NO_WORDS]


@lru_cache(maxsize=CACHED)
def street_name(text: str) -> str:
    """The street's name in words of one spelling: `N. 5th Avenue` and `north fifth ave` are `n 5th ave`."""
    name: list[str] = []
    for each in _words(lower(text).replace("'", "")):
        if compound := _COMPOUND.fullmatch(each):
            name += [without_umlauts(compound[1]), "st"]
        else:
            name.append(_WORDS.get(each) or without_umlauts(each))
    return " ".join(_joined_directions(name))


def _joined_directions(name: list[str]) -> list[str]:
    """`n w` as `nw`."""
    joined: list[str] = []
    for each in name:
        if joined and joined[-1] in ("n", "s") and each in ("e", "w"):
            joined[-1] += each
        else:
            joined.append(each)
    return joined
