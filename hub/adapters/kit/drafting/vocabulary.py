"""Names that systems give to what the ontology knows, in small words without signs between them.

A property's own name and label are known by themselves; here stands what differs from them. English first, and the
German, French, Spanish and Dutch names that are met most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.adapters.kit.drafting.fields import words_of
from hub.ontology import EntityType, Property, PropertyType

_PROPERTIES: Final[Mapping[str, str]] = {
    "name": "fullname displayname customername contactname productname title",
    "givenName": "firstname forename fname vorname prenom nombre voornaam first",
    "familyName": "lastname surname lname nachname nom apellido achternaam last",
    "additionalName": "middlename middleinitial",
    "honorificPrefix": "salutation anrede",
    "legalName": "companyname company firma firmenname registeredname accountname organisationname",
    "birthDate": "dateofbirth dob birthday geburtsdatum datenaissance fechanacimiento",
    "gender": "sex geschlecht",
    "email": "emailaddress mail emailaddr contactemail primaryemail",
    "telephone": "phone phonenumber phoneno tel telephonenumber telefon telefono landline homephone",
    "mobile": "mobilephone cell cellphone mobilenumber handy mobileno",
    "faxNumber": "fax faxno",
    "url": "website web homepage",
    "preferredLanguage": "language lang locale sprache",
    "streetAddress": "street address addressline1 address1 line1 strasse rue straat addr1",
    "addressLine2": "address2 line2 addr2",
    "postalCode": "postcode zip zipcode plz codepostal postal",
    "addressLocality": "city town locality ort stadt ville ciudad plaats",
    "addressRegion": "state region county province bundesland",
    "addressCountry": "country countrycode land pays pais",
    "vatID": "vat vatnumber vatno taxregistration ustid",
    "taxID": "taxnumber taxno steuernummer",
    "iban": "bankaccount",
    "nationalId": "ssn nino nationalinsurance nationalid passport",
    "jobTitle": "jobtitle position role funktion",
    "customerSince": "since registered registeredat joined joinedat signupdate",
    "notes": "note comment comments remarks bemerkung",
    "numberOfEmployees": "employeecount headcount",
    "creditLimit": "limit",
    "paymentTerms": "terms",
    "orderDate": "ordered orderedat date createdat placedat bestelldatum",
    "total": "amount grandtotal totalamount totalprice sum betrag gesamt montant",
    "subtotal": "nettotal net",
    "tax": "taxamount vatamount",
    "status": "state",
    "invoiceDate": "invoiced date issuedate",
    "dueDate": "due payby",
    "paid": "amountpaid",
    "openedAt": "createdat opened created",
    "resolvedAt": "closedat resolved closed solvedat",
    "subject": "title summary",
    "body": "description text message content",
    "priority": "urgency",
    "handledBy": "assignee agent owner assignedto",
    "sku": "articlenumber itemnumber productcode itemcode artikelnummer partnumber",
    "gtin": "ean barcode upc",
    "price": "unitprice listprice preis prix",
    "unitPrice": "price",
    "quantity": "qty amount menge count onhand stock",
    "lineNumber": "line lineno position pos",
    "lineTotal": "amount total",
    "description": "text details beschreibung",
    "trackingNumber": "tracking trackingno",
    "shippedAt": "shipped dispatchedat",
    "deliveredAt": "delivered",
    "amount": "value total betrag",
    "paidAt": "date paymentdate paid",
    "startTime": "startedat started begin calledat",
    "endTime": "endedat ended",
    "branchCode": "storecode storeno branch storeid",
    "createdAt": "created creationdate",
}
_TYPES: Final[Mapping[str, str]] = {
    "Person": "customer person people contact user client member guest patient subscriber kunde kunden client",
    "Organization": "organisation organization company companies account firm business debtor firma",
    "Order": "order sale purchase receipt transaction salesorder bestellung bestellungen",
    "OrderLine": "orderline orderitem lineitem salesline",
    "Invoice": "invoice bill rechnung rechnungen",
    "Payment": "payment settlement",
    "Product": "product item article artikel",
    "Ticket": "ticket case issue complaint request incident",
    "Interaction": "interaction call activity activities conversation",
    "Shipment": "shipment delivery deliveries parcel dispatch consignment",
    "Store": "store branch shop outlet filiale",
    "Partner": "supplier vendor partner carrier",
    "Opportunity": "opportunity opportunities deal",
    "Contract": "contract subscription agreement",
    "Return": "return refund rma",
    "Document": "document page post",
    "StockLevel": "stock inventory stocklevel",
    "LoyaltyAccount": "loyaltyaccount loyalty membership",
}
_NUMBERS: Final = ("no", "nr", "number", "num", "id", "code", "ref", "reference", "nummer")
MONEY_CODES: Final = frozenset({"currency", "currencycode", "curr", "waehrung", "iso4217"})
"""Names of a field that says in which currency the amounts beside it are."""
MODIFIED: Final = (
    *("updatedat", "updated", "modifiedat", "modified", "lastmodified", "lastmodifieddate", "modifieddate"),
    *("changedat", "changed", "lastupdated", "lastchange", "writedate", "modificationdate", "updatedon"),
    *("modifiedon", "systemmodstamp", "mtime", "geaendertam", "lastupdate", "updatetime", "modifiedtime"),
    *("datemodified", "dateupdated", "timestamp"),
)
"""Names of the time at which a record was last changed, surest first."""
NOTHING: Final = (
    "unknown",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "-",
    "--",
    "?",
    "tbd",
    "unbekannt",
    "00000000",
)
"""Words that people write where there is no value."""
GENDERS: Final[Mapping[str, str]] = {
    "m": "male",
    "male": "male",
    "f": "female",
    "female": "female",
    "w": "female",
    "d": "other",
    "x": "other",
    "other": "other",
    "diverse": "other",
}
YES_WORDS: Final = ("true", "1", "yes", "y", "t", "ja", "j", "oui", "o", "si", "s", "on", "x")
NO_WORDS: Final = ("false", "0", "no", "n", "f", "nein", "non", "nee", "off")


def joined(words: tuple[str, ...]) -> str:
    """Words in one piece."""
    return "".join(words)


def names_of(prop: Property, type_: EntityType) -> dict[str, float]:
    """What a property may be called, each with how much that says of it, between 0 and 1."""
    own = joined(words_of(prop.name))
    found = {own: 1.0, joined(words_of(prop.label)): 0.9}
    for synonym in _PROPERTIES.get(prop.name, "").split():
        found.setdefault(synonym, 0.8)
    stem = own.removesuffix("number").removesuffix("code").removesuffix("id")
    if stem and stem != own and prop.type is PropertyType.TEXT:
        for end in _NUMBERS:
            found.setdefault(stem + end, 0.7)
    if prop.type is PropertyType.REFERENCE:
        for end in _NUMBERS:
            found.setdefault(own + end, 0.8)
    del type_
    return found


def called_like(words: tuple[str, ...], type_: EntityType) -> bool:
    """Whether a stream of this name is likely to have records of the type."""
    known = {joined(words_of(text)) for text in (type_.name, type_.label, type_.plural)}
    known |= set(_TYPES.get(type_.name, "").split())
    whole = joined(words)
    candidates = {whole, *words}
    return bool(known & (candidates | {each.removesuffix("s") for each in candidates}))


def without_type(words: tuple[str, ...], type_: EntityType) -> tuple[str, ...]:
    """A field's words without the type's name before them: `customer_email` of a person is their email."""
    if len(words) > 1 and called_like(words[:1], type_):
        return words[1:]
    return words
