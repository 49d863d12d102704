"""Streets read by libpostal, which learned addresses of the whole world: an extra, as its data take two gigabytes."""

from __future__ import annotations

from functools import lru_cache

from hub.errors import ConfigurationError
from hub.graph.resolution.profiles.addresses import StreetParts, StreetReader, street_name, without_unit
from hub.graph.resolution.profiles.texts import CACHED, lower
from hub.yamlfile import Fault


def libpostal_reader() -> StreetReader:
    """A reader of streets for `profile_of` that asks libpostal and keeps our normal form.

    Raises:
        ConfigurationError: the library is not installed; install it with its data, or read streets by rules.
    """
    try:
        from postal.parser import parse_address
    except ImportError as error:
        expected = "the C library libpostal with its data, and then pip install '.[libpostal]'"
        raise ConfigurationError(
            [Fault("environment", 1, 1, "libpostal", "is not installed", expected)]
        ) from error

    @lru_cache(maxsize=CACHED)
    def read(raw: str) -> StreetParts:
        found: dict[str, str] = {}
        for text, label in parse_address(lower(raw)):
            found.setdefault(label, text)
        return _parts(found)

    return read


def _parts(found: dict[str, str]) -> StreetParts:
    """Our normal form of libpostal's components, which are named in its documentation under `Parser labels`."""
    if "po_box" in found:
        return StreetParts("pobox", "".join(each for each in found["po_box"] if each.isdigit()))
    inside = " ".join(found[label] for label in ("level", "unit") if label in found)
    unit = without_unit(inside)[1] or street_name(inside)
    house = found.get("house_number", "").replace(" ", "") or street_name(found.get("house", ""))
    return StreetParts(street_name(found.get("road", "")), house, unit)
