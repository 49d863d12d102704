"""E-mail addresses and phone numbers."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from phonenumbers import (
    NumberParseException,
    PhoneNumberType,
    example_number_for_type,
    number_type,
    parse,
    region_code_for_country_code,
)

from hub.graph.resolution.profiles.nicknames import is_given_name, roots_of_any
from hub.graph.resolution.profiles.texts import CACHED, LONGEST, words
from hub.values import normalise_email, normalise_phone

_PLAIN_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
"""An address that is in its normal form by the look of it; checking it properly takes thirty times as long."""

_NOBODY = words("""
    no none na n.a noemail no.email no-email no_email nomail no-mail nobody noone unknown test null nil dummy fake
    noreply no-reply no_reply donotreply do-not-reply notprovided not.provided notgiven refused declined anonymous
    email mail xxx xx x asdf abc
    """)
"""What clerks type before the @ where a form insists on an address."""

_GOOGLE = frozenset({"gmail.com", "googlemail.com"})

FREEMAIL = words("""
    gmail.com googlemail.com outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.fr hotmail.de
    hotmail.it hotmail.es live.com live.co.uk live.fr live.nl msn.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it
    yahoo.es yahoo.ca yahoo.com.au yahoo.com.br yahoo.co.in yahoo.co.jp ymail.com rocketmail.com aol.com aim.com
    icloud.com me.com mac.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de
    freenet.de arcor.de mail.com email.com usa.com fastmail.com fastmail.fm zoho.com yandex.ru yandex.com mail.ru
    bk.ru list.ru inbox.ru rambler.ru orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr libero.it virgilio.it
    alice.it tiscali.it tin.it btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com talktalk.net
    talk21.com blueyonder.co.uk tiscali.co.uk o2.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net
    cox.net charter.net earthlink.net juno.com optonline.net shaw.ca rogers.com sympatico.ca telus.net bigpond.com
    bigpond.net.au optusnet.com.au iinet.net.au xtra.co.nz ziggo.nl kpnmail.nl planet.nl hetnet.nl home.nl telenet.be
    skynet.be bluewin.ch hispeed.ch wp.pl o2.pl onet.pl interia.pl gazeta.pl seznam.cz centrum.cz uol.com.br bol.com.br
    terra.com.br qq.com 163.com 126.com sina.com foxmail.com naver.com hanmail.net daum.net rediffmail.com
    tutanota.com tuta.io hushmail.com eircom.net
    """)
"""Domains whose addresses tell nothing of who owns the mailbox."""

_EXTENSION = re.compile(r";ext=.*")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_COUNTED = re.compile(r"0?(?:123456\d{0,4}|987654\d{0,4})")
_LETTERS = re.compile(r"[a-z]+")
_UMLAUT = re.compile(r"([aou])e")
SHORTEST_NAME = 3
"""Letters of a given name that are not found in any mailbox by chance."""
SHORTEST_PHONE = 6
"""Digits that a number without its country code must have; fewer are an extension or a slip."""


@lru_cache(maxsize=CACHED)
def email(raw: str) -> str | None:
    """The mailbox: small letters, without a `+tag`, for Google without dots; None for a placeholder.

    What is no address, most often by a slip, is kept as written in small letters: equal slips are evidence.
    """
    text = "".join(raw[:LONGEST].split()).lower()
    if not _PLAIN_EMAIL.fullmatch(text):
        text = _normalised(text)
    local, _, domain = text.rpartition("@")
    local = local.partition("+")[0]
    if domain in _GOOGLE:
        local, domain = local.replace(".", ""), "gmail.com"
    return None if not local or not domain or local in _NOBODY else f"{local}@{domain}"


def _normalised(text: str) -> str:
    try:
        return normalise_email(text)
    except ValueError:
        return text


def domain(address: str) -> str | None:
    """What stands after the @ of a normal e-mail address, None for a provider of private mailboxes."""
    found = address.rpartition("@")[2]
    return None if found in FREEMAIL or "." not in found else found


@lru_cache(maxsize=CACHED)
def phone(raw: str, country: str | None) -> str | None:
    """The number in E.164 without its extension, read as one of `country` if it has no country code.

    A number that stays local is its digits alone. None for a placeholder such as 0000000.
    """
    text = _EXTENSION.sub("", raw[:LONGEST].strip())
    if not _E164.fullmatch(text):
        text = _read(text, country)
    digits = text.lstrip("+")
    placeholder = len(digits) < SHORTEST_PHONE or len(set(digits[-7:])) == 1 or _COUNTED.fullmatch(digits)
    return None if placeholder else text


@lru_cache(maxsize=CACHED)
def is_mobile(number: str) -> bool:
    """Whether the country of this number in E.164 gives such numbers to mobile phones alone."""
    if not number.startswith("+"):
        return False
    try:
        read = parse(number)
    except NumberParseException:
        return False
    kind = number_type(read)
    if kind != PhoneNumberType.UNKNOWN:
        return kind == PhoneNumberType.MOBILE
    return str(read.national_number)[:1] in _mobile_digits(read.country_code)


@lru_cache(maxsize=CACHED)
def _mobile_digits(calling_code: int) -> str:
    """With what mobile numbers of a country begin, if no others do: tells of ranges that are given to nobody yet."""
    land = region_code_for_country_code(calling_code)
    mobile, fixed = (
        example_number_for_type(land, kind) for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    )
    if mobile is None or fixed is None:
        return ""
    first = str(mobile.national_number)[0]
    return "" if str(fixed.national_number).startswith(first) else first


def names_given(address: str, given: str, family: str, of_given: Collection[str]) -> bool:
    """Whether the mailbox seems to be of one of that name, whose given name has the roots `of_given`.

    A given name stands before the @, or an initial beside the family name. Where no name is known, any will do.
    """
    local = address.partition("@")[0]
    if not given:
        return any(len(word) == 1 or is_given_name(word) for word in _LETTERS.findall(local))
    if len(given) >= SHORTEST_NAME and (given in local or given in _UMLAUT.sub(r"\1", local)):
        return True
    if any(not roots_of_any(word).isdisjoint(of_given) for word in _LETTERS.findall(local) if len(word) > 2):
        return True
    rest = local.replace(family.replace(" ", ""), "", 1) if len(family) >= SHORTEST_NAME else local
    return "".join(_LETTERS.findall(rest)) == given[0]


def _read(text: str, country: str | None) -> str:
    try:
        return _EXTENSION.sub("", normalise_phone(text, country))
    except ValueError:
        return "".join(each for each in text if each in "0123456789")
