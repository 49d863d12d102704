"""What SOAP says by HTTP: replies are XML, and faults are answers, whether their status is 500 or 200.

A fault of the server (`Server` in SOAP 1.1, 4.4.1; `Receiver` in SOAP 1.2, 5.4.6) may pass; one of the caller will not.
"""

from __future__ import annotations

import re

from lxml import etree

from hub.adapters.connectors.http import busy

_ENVELOPES = frozenset(
    {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
)
_PASSING = frozenset({"Server", "Receiver"})
_CODE = re.compile(r"[\w.\-]{1,60}")


class SoapMedia:
    """XML of a SOAP service and of its WSDL."""

    accept = "text/xml, application/soap+xml, application/xml, multipart/related"

    def __init__(self, empty_faults: frozenset[str] = frozenset()) -> None:
        self._empty = empty_faults

    def answers(self, status: int, body: bytes) -> bool:
        """Whether it is a success or a fault."""
        return 200 <= status < 300 or fault_codes(body) is not None

    def passing(self, status: int, body: bytes) -> str | None:
        """A fault of the server, or a status that says busy or broken without a fault."""
        codes = fault_codes(body)
        if codes is None:
            return busy(status)
        lasts = self._empty.intersection(codes) or codes[0].split(".")[0] not in _PASSING
        return None if lasts else f"a fault ({', '.join(codes)})"

    def read(self, kind: str, body: bytes) -> bytes:
        """The bytes.

        Raises:
            ValueError: they are no XML by their type.
        """
        if "xml" not in kind and kind != "multipart/related":
            raise ValueError(f"expected XML, got {kind or 'no content type'}; see wsdl and url")
        return body


def fault_codes(body: bytes) -> tuple[str, ...] | None:
    """The code of the fault that is said, then its subcodes, without prefixes; None where none is said.

    A code that is no plain word is `unnamed`: a service may write anything there, and it is shown.

    >>> fault_codes(b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    ...     b'<faultcode>e:Server</faultcode></e:Fault></e:Body></e:Envelope>')
    ('Server',)
    """
    if b"Fault" not in body:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    if etree.QName(root).namespace not in _ENVELOPES:
        return None
    found = root.find("{*}Body/{*}Fault")
    if found is None:
        return None
    codes = [found.findtext("faultcode"), *(each.text for each in found.findall("{*}Code//{*}Value"))]
    said = [_told(code) for code in codes if code is not None]
    return tuple(said) or ("unnamed",)


def _told(code: str) -> str:
    name = code.strip().rpartition(":")[2]
    return name if _CODE.fullmatch(name) else "unnamed"
