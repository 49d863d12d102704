"""Formats: what turns the bytes of a file into records, one module each.

Third parties add theirs by an entry point in the group `hub.formats` that names a `FormatConfig` class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.adapters.formats.cobol import CobolFormat, CobolSegments, Records
from hub.adapters.formats.csv_table import CsvFormat
from hub.adapters.formats.dbf import DbfFormat
from hub.adapters.formats.debezium import DebeziumFormat
from hub.adapters.formats.documents import IdocFormat, PoslogFormat, UblFormat
from hub.adapters.formats.edi import EdiFormat
from hub.adapters.formats.epcis import EpcisFormat
from hub.adapters.formats.fixed import FixedField, FixedFormat, FixedSelect
from hub.adapters.formats.icalendar import IcalendarFormat
from hub.adapters.formats.json_document import JsonFormat
from hub.adapters.formats.jsonl import JsonLinesFormat
from hub.adapters.formats.mail import EmlFormat, MboxFormat
from hub.adapters.formats.vcard import VcardFormat
from hub.adapters.formats.xlsx import XlsxFormat
from hub.adapters.formats.xml import XmlFormat
from hub.adapters.plugins import choice, kinds
from hub.adapters.records import FormatConfig

__all__ = [
    "FORMATS",
    "CobolFormat",
    "CobolSegments",
    "CsvFormat",
    "DbfFormat",
    "DebeziumFormat",
    "EdiFormat",
    "EmlFormat",
    "EpcisFormat",
    "FixedField",
    "FixedFormat",
    "FixedSelect",
    "FormatChoice",
    "IcalendarFormat",
    "IdocFormat",
    "JsonFormat",
    "JsonLinesFormat",
    "MboxFormat",
    "PoslogFormat",
    "Records",
    "UblFormat",
    "VcardFormat",
    "XlsxFormat",
    "XmlFormat",
    "formats",
]

FORMATS: tuple[type[FormatConfig], ...] = (
    CobolFormat,
    CsvFormat,
    DbfFormat,
    DebeziumFormat,
    EdiFormat,
    EmlFormat,
    EpcisFormat,
    FixedFormat,
    IcalendarFormat,
    IdocFormat,
    JsonFormat,
    JsonLinesFormat,
    MboxFormat,
    PoslogFormat,
    UblFormat,
    VcardFormat,
    XlsxFormat,
    XmlFormat,
)
"""The formats that come with the hub."""


def formats() -> dict[str, type[FormatConfig]]:
    """Each format by the name YAML chooses it by, third parties' included.

    Raises:
        ConfigurationError: a third party's format cannot be loaded, or takes a name that is taken.
    """
    return kinds("hub.formats", FORMATS, FormatConfig)


if TYPE_CHECKING:
    FormatChoice = FormatConfig
else:
    FormatChoice = choice(formats())
