"""Templates that admins of PBXs upload, made for this installation, so that they never drift from what it serves.

3CX: `Crm` with a lookup by number and call journaling, as 3CX documents its server-side CRM templates.
Yeastar P-Series: `Information` with a search of contacts and a call journal, as Yeastar documents its own.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

VERSION: Final = 1
"""Raised with every change of a template: PBXs tell an upload from the one before by it."""
_NAME = "Customer knowledge hub"
_BEARER = "Bearer [ApiKey]"
_FIELDS = (
    ("Id", "id"),
    ("Name", "name"),
    ("Company", "company"),
    ("Email", "email"),
    ("Phone", "phones"),
    ("Url", "url"),
)
_OUTPUTS = (
    ("ContactUrl", "[Url]"),
    ("FirstName", "[Name]"),
    ("CompanyName", "[Company]"),
    ("Email", "[Email]"),
    ("PhoneBusiness", "[Phone]"),
    ("EntityId", "[Id]"),
    ("EntityType", "Contacts"),
)
_JOURNAL = (
    ("event", "hangup"),
    ("callId", "[Number]-[CallStartTimeUTC]"),
    ("call_type", "[CallType]"),
    ("number", "[Number]"),
    ("extension", "[Agent]"),
    ("duration", "[Duration]"),
)
_YEASTAR_OUTPUTS = (
    ("ContactsID", "id"),
    ("FirstName", "name"),
    ("Company", "company"),
    ("Email", "email"),
    ("BusinessNumber", "phones.0"),
    ("ContactUrl", "url"),
)
_YEASTAR_JOURNAL = (
    '{"event":"hangup","callId":"{{.CallID}}","number":"{{.CallFrom}}","dnis":"{{.CallTo}}",'
    '"duration":"{{.TalkDuration}}","call_type":"{{.Status}}"}'
)


def three_cx(base: str) -> bytes:
    """The template for 3CX, version 18 and later."""
    return _bytes(
        _tag(
            "Crm",
            _tag("Number", Prefix="Plus", MaxLength=""),
            _tag("Connection", MaxConcurrentRequests="8"),
            _tag(
                "Parameters",
                _parameter("ApiKey", "Password", "API key (hub key create ... --role pbx)"),
                _parameter("ReportCallEnabled", "Boolean", "Tell the hub of calls", "True"),
            ),
            _tag("Authentication", Type="No"),
            _tag("Scenarios", _three_cx_lookup(base), _three_cx_journal(base)),
            Country="US",
            Name=_NAME,
            Version=str(VERSION),
            SupportsEmojis="true",
        )
    )


def _parameter(name: str, type_: str, title: str, default: str = "") -> etree._Element:
    given = {"Name": name, "Type": type_, "Parent": "General Configuration", "Editor": "String"}
    return _tag("Parameter", **given, Title=title, Default=default)


def _three_cx_lookup(base: str) -> etree._Element:
    return _tag(
        "Scenario",
        _three_cx_request(_headers(), Url=f"{base}/cti/v1/lookup?number=[Number]", RequestType="Get"),
        _tag("Rules", _tag("Rule", "matches.id", Type="Any")),
        _tag("Variables", *(_tag("Variable", Name=name, Path=f"matches.{path}") for name, path in _FIELDS)),
        _tag(
            "Outputs",
            *(_tag("Output", Type=type_, Passes="0", Value=value) for type_, value in _OUTPUTS),
            AllowEmpty="false",
        ),
        Id="",
        Type="REST",
    )


def _three_cx_journal(base: str) -> etree._Element:
    values = (_tag("Value", value, Key=key, Passes="1", Type="String") for key, value in _JOURNAL)
    request = _three_cx_request(
        _headers(),
        _tag("PostValues", *values, Key=""),
        SkipIf="[ReportCallEnabled]!=True",
        Url=f"{base}/cti/v1/events",
        RequestContentType="application/json",
        RequestType="Post",
    )
    return _tag("Scenario", request, Id="ReportCall", Type="REST")


def _three_cx_request(*inside: etree._Element, **more: str) -> etree._Element:
    encoding = "Json" if more["RequestType"] == "Post" else "UrlEncoded"
    return _tag("Request", *inside, MessagePasses="0", RequestEncoding=encoding, ResponseType="Json", **more)


def _headers() -> etree._Element:
    return _tag("Headers", _tag("Value", _BEARER, Key="Authorization", Passes="1", Type="String"))


def yeastar(base: str) -> bytes:
    """The template for Yeastar P-Series, firmware 83.18 and later."""
    outputs = (_tag("Output", Name=name, Path=f"matches.#.{path}") for name, path in _YEASTAR_OUTPUTS)
    search = _tag(
        "Request",
        _tag("Outputs", *outputs),
        Name="SearchContacts",
        Method="GET",
        URL=f"{base}/cti/v1/lookup?number={{{{.Phone}}}}",
    )
    journal = _tag(
        "Request",
        _tag("Body", _YEASTAR_JOURNAL),
        Name="CreateCallJournal",
        Method="POST",
        ContentType="application/json",
        URL=f"{base}/cti/v1/events",
    )
    return _bytes(
        _tag(
            "Information",
            _tag("Scenarios", _yeastar("ContactSearching", search), _yeastar("CallJournal", journal)),
            Provider="crm",
            Name=_NAME,
            Key="customer_knowledge_hub",
            Version=f"{VERSION}.0.0",
            AuthType="bearer_token",
            MaxConcurrentRequest="8",
            CallJournal="1",
        )
    )


def _yeastar(name: str, request: etree._Element) -> etree._Element:
    return _tag("Scenario", _tag("Requests", request), Id=name, Type="REST")


def _tag(name: str, *inside: str | etree._Element, **attributes: str) -> etree._Element:
    made = etree.Element(name, attributes)
    for each in inside:
        if isinstance(each, str):
            made.text = each
        else:
            made.append(each)
    return made


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))
