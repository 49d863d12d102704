"""Countries, regions, towns and postal codes."""

from __future__ import annotations

import re
from functools import lru_cache

from hub.graph.resolution.profiles.texts import CACHED, is_placeholder, lower, plain, without_umlauts

_COUNTRY_CODES = {"UK": "GB", "EL": "GR"}
_COUNTRY_PREFIX = re.compile(
    r"(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|LU|NL|S|SE|DK|N|NO|FIN|FI|PL|E|ES|P|PT|CZ|SK|SI|HR)[- ](?=\d)"
)
_NO_SIGN = re.compile(r"[^A-Z0-9]")
_DIGIT = re.compile(r"\d")
_NO_PLACE = "ZZ99"
"""Pseudo postcodes of the British statistics office, for people without an address."""

_PLUS_4 = re.compile(r"\d{5}-?\d{4}")
_DIGITS = {"US": 5, "DE": 5, "FR": 5, "IT": 5, "ES": 5, "AU": 4}
"""Countries whose postal codes start with zeros, which spreadsheets lose, and how many digits these have."""

_TOWN_WORDS = {"saint": "st", "sainte": "ste", "mount": "mt", "fort": "ft"}
_REGION_HEAD = re.compile(r"(?:county|co|state of|province of|region of|comte de) ")

_US = """
alabama=al alaska=ak arizona=az arkansas=ar california=ca colorado=co connecticut=ct delaware=de florida=fl georgia=ga
hawaii=hi idaho=id illinois=il indiana=in iowa=ia kansas=ks kentucky=ky louisiana=la maine=me maryland=md
massachusetts=ma michigan=mi minnesota=mn mississippi=ms missouri=mo montana=mt nebraska=ne nevada=nv new_hampshire=nh
new_jersey=nj new_mexico=nm new_york=ny north_carolina=nc north_dakota=nd ohio=oh oklahoma=ok oregon=or
pennsylvania=pa rhode_island=ri south_carolina=sc south_dakota=sd tennessee=tn texas=tx utah=ut vermont=vt virginia=va
washington=wa west_virginia=wv wisconsin=wi wyoming=wy district_of_columbia=dc puerto_rico=pr
"""
_AU = """
new_south_wales=nsw victoria=vic queensland=qld south_australia=sa western_australia=wa tasmania=tas
northern_territory=nt australian_capital_territory=act
"""
_CA = """
alberta=ab british_columbia=bc manitoba=mb new_brunswick=nb newfoundland_and_labrador=nl nova_scotia=ns ontario=on
prince_edward_island=pe quebec=qc saskatchewan=sk northwest_territories=nt nunavut=nu yukon=yt
"""
_REGIONS = {
    name.replace("_", " "): code
    for text in (_US, _AU, _CA)
    for name, _, code in (entry.partition("=") for entry in text.split())
}


@lru_cache(maxsize=CACHED)
def country(raw: str) -> str | None:
    """The ISO 3166-1 alpha-2 code; None where the text is no code of two letters."""
    code = raw.strip().upper()
    if len(code) == 2 and code.isascii() and code.isalpha():
        return _COUNTRY_CODES.get(code, code)
    return None


@lru_cache(maxsize=CACHED)
def region(raw: str) -> str | None:
    """The code of a state of the USA, Australia or Canada, else the region's plain name without `County`."""
    name = plain(raw)
    if is_placeholder(name):
        return None
    return _REGIONS.get(name) or _REGION_HEAD.sub("", name) or None


@lru_cache(maxsize=CACHED)
def city(raw: str) -> str | None:
    """The town's plain name."""
    words = [without_umlauts(_TOWN_WORDS.get(each, each)) for each in plain(raw).split()]
    name = " ".join(words)
    return None if is_placeholder(name) or name == "na" else name


@lru_cache(maxsize=CACHED)
def postal_code(raw: str, of: str | None) -> str | None:
    """The code in capital letters without blanks; of the USA the first five digits."""
    text = _COUNTRY_PREFIX.sub("", lower(raw).strip().upper())
    if _PLUS_4.fullmatch(text) and (of == "US" or (of is None and "-" in text)):
        text = text[:5]
    code = _NO_SIGN.sub("", text)
    if code.isdigit() and of in _DIGITS and len(code) == _DIGITS[of] - 1:
        code = "0" + code
    is_code = _DIGIT.search(code) and len(set(code)) > 1 and not code.startswith(_NO_PLACE)
    return code if is_code else None
