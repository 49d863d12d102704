"""What Harbour & Pine sells, and from where: its catalogue, shops and warehouses."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hub.demo.numbers import gtin13


class Product(NamedTuple):
    """One article; `lot_tracked` ones are bought, stocked and sold by lot. Prices are gross, in pounds."""

    sku: str
    gtin: str
    name: str
    category: str
    price: Decimal
    cost: Decimal
    vat_rate: Decimal
    lot_tracked: bool


class Shop(NamedTuple):
    """One of the company's shops."""

    store_id: str
    name: str
    town: str
    postcode: str
    phone: str


SHOPS = (
    Shop("S01", "Harbour & Pine Fowey", "Fowey", "PL23 1AH", "029 2018 0901"),
    Shop("S02", "Harbour & Pine Whitby", "Whitby", "YO21 3PU", "0113 496 0902"),
    Shop("S03", "Harbour & Pine Tenby", "Tenby", "SA70 7DU", "029 2018 0903"),
    Shop("S04", "Harbour & Pine Oban", "Oban", "PA34 4AY", "0141 496 0904"),
    Shop("S05", "Harbour & Pine Rye", "Rye", "TN31 7LA", "020 7946 0905"),
)

WAREHOUSES = ("WH-PLYMOUTH", "WH-LEEDS")
CARRIERS = ("Coastline Couriers", "Tern Parcels", "Northway Freight", "Puffin Post")

_CATALOGUE = {
    "Kitchen": """Enamel mug 9.5; Stoneware bowl 14; Oak chopping board 32; Linen tea towel 11
        Cast-iron skillet 48; Fish kettle 62; Butter dish 18.5; Oyster knife 16; Storage jar 13; Stovetop kettle 54""",
    "Home": """Storm lantern 36; Wool throw 69; Rope doormat 27; Driftwood frame 22; Pine bench 149
        Ticking cushion 29.5; Sailcloth laundry bag 24; Brass hook set 19; Log basket 44; Tide clock 85""",
    "Candles": """Sea salt candle 21; Pine resin candle 21; Beeswax tapers 15; Driftwood diffuser 28
        Tealight dozen 8; Samphire soap 7.5""",
    "Pantry": """Sea-salt fudge 6.25; Harbour blend coffee 9.75; Seaweed crackers 4.5; Smoked mackerel pâté 5.95
        Sardines in oil 3.8; Heather honey 8.4; Rhubarb and ginger jam 5.2; Flaked sea salt 4.9
        Breakfast tea 6.6; Fish soup 7.2""",
    "Clothing": """Breton shirt 45; Fisherman's jumper 98; Oilskin jacket 165; Wool beanie 24; Deck shoes 79
        Canvas apron 34; Waxed tote 58; Boot socks 14.5; Rain hat 31; Merino scarf 39""",
    "Garden": """Potting shed trug 42; Galvanised planter 37; Water butt pump E42 129; Hand fork 17; Cold frame 118
        Bird table 64; Twine tin 12; Fire pit 189""",
}
"""Names with their prices in pounds, by category."""

_VARIANTS = {
    "Kitchen": ("navy", "cream", "sage"),
    "Home": ("natural", "slate", "ochre"),
    "Candles": ("small", "large"),
    "Pantry": ("single", "gift box"),
    "Clothing": ("S", "M", "L"),
    "Garden": ("standard", "large"),
}

LOT_TRACKED = frozenset({"Candles", "Pantry"})

TOGETHER = {
    "Sea-salt fudge": "Harbour blend coffee",
    "Enamel mug": "Storm lantern",
    "Fisherman's jumper": "Boot socks",
}
"""What is often bought with what; the first pair mostly at weekends. A basket analysis should find these."""


def _price(pounds: Decimal, step: int) -> Decimal:
    return (pounds * (100 + 20 * step) / 100).quantize(Decimal("0.05"))


def catalogue() -> list[Product]:
    """Every article in every variant, in a fixed order."""
    products: list[Product] = []
    for category, text in _CATALOGUE.items():
        for entry in text.replace("\n", ";").split(";"):
            name, _, pounds = entry.strip().rpartition(" ")
            for step, variant in enumerate(_VARIANTS[category]):
                price = _price(Decimal(pounds), step)
                serial = len(products) + 1
                products.append(
                    Product(
                        sku=f"HP-{category[:3].upper()}-{serial:03d}",
                        gtin=gtin13(f"9521234{serial:05d}"),
                        name=f"{name}, {variant}",
                        category=category,
                        price=price,
                        cost=(price * Decimal("0.45")).quantize(Decimal("0.01")),
                        vat_rate=Decimal("0") if category == "Pantry" else Decimal("20"),
                        lot_tracked=category in LOT_TRACKED,
                    )
                )
    return products
