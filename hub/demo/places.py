"""Where the demo's people live, and the words that its companies are named with; streets are invented."""

from __future__ import annotations

from typing import NamedTuple


class Town(NamedTuple):
    """A town with the first half of its postcodes and the area code of its (drama-range) telephones."""

    name: str
    county: str
    district: str
    country: str = "GB"


def _list(text: str) -> tuple[str, ...]:
    """What stands between the semicolons."""
    return tuple(" ".join(item.split()) for item in text.split(";"))


TOWNS = (
    Town("Fowey", "Cornwall", "PL23"),
    Town("Falmouth", "Cornwall", "TR11"),
    Town("St Ives", "Cornwall", "TR26"),
    Town("Padstow", "Cornwall", "PL28"),
    Town("Penzance", "Cornwall", "TR18"),
    Town("Salcombe", "Devon", "TQ8"),
    Town("Dartmouth", "Devon", "TQ6"),
    Town("Lyme Regis", "Dorset", "DT7"),
    Town("Swanage", "Dorset", "BH19"),
    Town("Lymington", "Hampshire", "SO41"),
    Town("Rye", "East Sussex", "TN31"),
    Town("Whitstable", "Kent", "CT5"),
    Town("Aldeburgh", "Suffolk", "IP15"),
    Town("Cromer", "Norfolk", "NR27"),
    Town("Whitby", "North Yorkshire", "YO21"),
    Town("Scarborough", "North Yorkshire", "YO11"),
    Town("Seahouses", "Northumberland", "NE68"),
    Town("North Berwick", "East Lothian", "EH39"),
    Town("Anstruther", "Fife", "KY10"),
    Town("Oban", "Argyll", "PA34"),
    Town("Ullapool", "Ross-shire", "IV26"),
    Town("Portrush", "County Antrim", "BT56"),
    Town("Bangor", "County Down", "BT20"),
    Town("Tenby", "Pembrokeshire", "SA70"),
    Town("Aberdyfi", "Gwynedd", "LL35"),
    Town("Llandudno", "Conwy", "LL30"),
    Town("Bristol", "Bristol", "BS1"),
    Town("Leeds", "West Yorkshire", "LS6"),
)
"""Towns in Britain; the customers' addresses are spread over them."""

ABROAD = (
    Town("Cork", "County Cork", "T12", "IE"),
    Town("Galway", "County Galway", "H91", "IE"),
    Town("Kiel", "Schleswig-Holstein", "241", "DE"),
    Town("Brest", "Finistère", "292", "FR"),
    Town("Vlissingen", "Zeeland", "438", "NL"),
    Town("Gdynia", "Pomorskie", "81-", "PL"),
    Town("Portland", "ME", "041", "US"),
)

STREETS = _list(
    """
    Harbour Terrace; Quay Street; Lighthouse Lane; Pine Walk; Chapel Row; Fore Street; Net Loft
    Lane; Slipway Road; Customs House Yard; Mackerel Row; Cobble Hill; Seaview Crescent; Anchor
    Close; Beacon Road; Capstan Way; Church Street; Coastguard Cottages; Cove Road; Dolphin Square;
    Driftwood Drive; Esplanade; Ferry Road; Gannet Close; Gorse Hill; Gull Lane; Headland Avenue;
    High Street; Keel Row; Kittiwake Drive; Lobster Pot Lane; Marine Parade; Market Place; Mill
    Lane; Oyster Street; Pilchard Row; Ropewalk; Sail Loft Mews; Salt Pan Lane; Samphire Way;
    Sandpiper Close; Shore Road; Station Road; Strand; Tern Way; The Crescent; Tide Mill Road;
    Trinity Street; Upper Castle Road; Victoria Terrace; Watchtower Lane; Wharf Street; Windlass
    Row; Wreckers Way; York Place
    """
)

HOUSES = _list(
    """
    Rose Cottage; The Old Forge; Spindrift; Gull's Way; Sea Holly; Wheelhouse; The Net Loft;
    Fairwinds
    """
)

STREET_SHORT = {
    "Street": "St",
    "Road": "Rd",
    "Lane": "Ln",
    "Avenue": "Ave",
    "Terrace": "Terr",
    "Crescent": "Cres",
    "Close": "Cl",
    "Drive": "Dr",
}
"""How clerks abbreviate the last word of a street."""

COMPANY_HEADS = _list(
    """
    Anchor; Atlantic; Beacon; Bluewater; Breakwater; Brine; Cliffside; Compass; Coral; Cutter;
    Driftwood; Ebbtide; Estuary; Fairwind; Fathom; Foghorn; Galleon; Harbourside; Headland; Island;
    Kelp; Kingfisher; Lantern; Lighthouse; Longshore; Mariner; Marlin; Northsea; Osprey; Pebble;
    Pelican; Portside; Quayside; Saltmarsh; Sandpiper; Seaglass; Seagrass; Shoreline; Skerry;
    Spindrift; Starboard; Stormcrow; Tidewater; Tregarth; Trident; Wavecrest; Westerly; Whitecap;
    Windward
    """
)

COMPANY_TRADES = _list(
    """
    Inn; Hotel; Guest House; Café; Bakery; Boatyard; Marine; Chandlery; Sailing School; Fisheries;
    Seafoods; Interiors; Gift Shop; Deli; Holiday Lets; Caravans; Surf School; Brewery; Ceramics;
    Timber; Logistics
    """
)

LEGAL_FORMS = ("Ltd", "Limited", "LLP", "plc", "& Sons Ltd", "& Co", "(Holdings) Ltd")
