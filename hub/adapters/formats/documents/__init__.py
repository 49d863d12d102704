"""Business documents in XML: UBL 2, POSLog-shaped transactions and SAP IDocs, one record a document.

A record has what a mapping asks for at fixed places: `header`, `parties`, `lines`. Values are texts as they stand.
"""

from __future__ import annotations

from hub.adapters.formats.documents.idoc import IdocFormat
from hub.adapters.formats.documents.poslog import PoslogFormat
from hub.adapters.formats.documents.ubl import UblFormat

__all__ = ["IdocFormat", "PoslogFormat", "UblFormat"]
