"""A seeded world of people and organisations, and the parties that sources make of them: any number, with the truth.

The shipped match models learn from it, and the speed bench loads it. What makes matching hard in life is in it, at
rates stated in `Rates`: typing slips, nicknames, swapped names, missing values, moved houses, married names, twins,
fathers and sons of one name, families with one landline and mailbox, companies with several sites, groups of companies
behind one switchboard. All names and numbers are made up here; telephone numbers and domains are reserved ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple


def _words(text: str) -> list[str]:
    return text.split()


GIVEN = {
    "female": _words(
        "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Margaret Lisa Betty Dorothy"
        " Sandra Ashley Kimberly Donna Emily Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Laura Helen Sharon"
        " Cynthia Kathleen Amy Anna Ruth Angela Shirley Brenda Pamela Nicole Katherine Virginia Catherine Christine"
        " Samantha Debra Janet Rachel Carolyn Emma Maria Heather Diane Julie Joyce Evelyn Joan Victoria Kelly"
        " Christina Lauren Frances Martha Judith Cheryl Megan Andrea Olivia Ann Jean Alice Jacqueline Hannah Doris"
        " Kathryn Gloria Teresa Sara Janice Marie Julia Grace Judy Theresa Beverly Denise Marilyn Amber Danielle"
        " Rose Brittany Diana Abigail Natalie Jane Lori Alexis Tiffany Kayla Ingrid Sabine Petra Claudia Monika Birgit"
        " Aylin Fatma Zeynep Agnieszka Katarzyna Chloe Amelie Camille Manon Giulia Chiara Elena Carmen Lucia Priya"
        " Ananya Mei Xin Yuki Sakura Aisha Fatima Freya Astrid Saga Zoe Isla Poppy Niamh Siobhan Roisin"
    ),
    "male": _words(
        "James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony Mark"
        " Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward Ronald Timothy Jason Jeffrey Ryan Jacob"
        " Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Frank Alexander"
        " Raymond Patrick Jack Dennis Jerry Tyler Aaron Jose Adam Henry Nathan Douglas Zachary Peter Kyle Walter Ethan"
        " Jeremy Harold Keith Christian Roger Noah Gerald Carl Terry Sean Austin Arthur Lawrence Jesse Dylan Bryan Joe"
        " Jordan Billy Bruce Albert Willie Gabriel Logan Alan Juan Wayne Roy Ralph Randy Eugene Vincent Russell Elijah"
        " Louis Bobby Philip Johnny Juergen Wolfgang Klaus Stefan Matthias Mehmet Mustafa Ahmet Piotr Krzysztof Lucas"
        " Hugo Leo Jules Luca Matteo Marco Alejandro Pablo Diego Arjun Rohan Wei Hiroshi Kenji Omar Ali Lars Bjorn Nils"
        " Callum Alfie Oisin Cian Declan Fergus Rhys Owen"
    ),
}
NICKNAMES = {
    "Robert": "Bob", "William": "Bill", "Richard": "Dick", "Elizabeth": "Liz", "Margaret": "Peggy", "James": "Jim",
    "Michael": "Mike", "Thomas": "Tom", "Christopher": "Chris", "Katherine": "Kate", "Patricia": "Pat",
    "Jennifer": "Jenny", "Susan": "Sue", "Joseph": "Joe", "Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony",
    "Steven": "Steve", "Andrew": "Andy", "Edward": "Ted", "Nicholas": "Nick", "Benjamin": "Ben", "Samuel": "Sam",
    "Alexander": "Alex", "Rebecca": "Becky", "Victoria": "Vicky", "Deborah": "Debbie", "Catherine": "Cathy",
    "Christine": "Chris", "Samantha": "Sam", "Charles": "Charlie", "Joshua": "Josh", "Kenneth": "Ken",
    "Timothy": "Tim", "Ronald": "Ron", "Gregory": "Greg", "Lawrence": "Larry", "Philip": "Phil", "Jonathan": "Jon",
    "Theresa": "Terry", "Jacqueline": "Jackie", "Stephanie": "Steph", "Amanda": "Mandy", "Abigail": "Abby",
}  # fmt: skip
COMMON_FAMILIES = _words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Wilson Anderson Taylor Thomas Moore"
    " Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green"
    " Adams Baker Nelson Hall Campbell Mitchell Carter Roberts Evans Turner Phillips Parker Edwards Collins Stewart"
    " Morris Murphy Cook Rogers Morgan Cooper Peterson Bailey Reed Kelly Howard Ward Cox Richardson Wood Watson Brooks"
    " Bennett Gray James Hughes Price Myers Long Foster Sanders Ross Powell Sullivan Russell Jenkins Perry Butler"
    " Barnes Fisher Mueller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter"
    " Klein Wolf Neumann Schwarz Zimmermann Braun Krueger Hofmann Hartmann Lange Novak Kowalski Nowak Wojcik Dubois"
    " Durand Moreau Laurent Lefebvre Rossi Russo Ferrari Esposito Bianchi Lopez Gonzalez Hernandez Perez Sanchez"
    " Ramirez Torres Patel Singh Kumar Sharma Khan Ahmed Ali Hussain Begum Chen Wang Li Zhang Liu Nguyen Tran Kim Park"
    " Sato Suzuki Tanaka Hansen Johansson Andersson Nilsson Larsen Jensen Olsen OBrien Byrne Ryan Walsh Doyle McCarthy"
    " Gallagher Doherty Kennedy Lynch Murray Quinn Moore MacDonald Fraser Cameron Reid Grant Sinclair Munro Pritchard"
)
_HEADS = _words(
    "Ash Beck Brook Cald Chad Clare Crom Dal Den Ell Far Glen Graf Had Hal Hart Hol Kirk Lang Led Lin Mal Mar Mel Mor"
    " Nor Oak Pem Quen Rad Red Rim Rosen Sel Shel Stan Stein Sut Thorn Tol Ulm Van Wal Wel Whit Win Wood York Zell"
)
_MIDDLES = _words("a be da el en er ga in ka la le ma men ne no on or ra ri ro ta ter ti vi")
_TAILS = _words(
    "berg by combe dale den feld field ford gate grove ham hart hurst ington ley low man mann mere more ner ney pole"
    " rick ridge sen ski son stead ster stone ton vale ville wald ward well wick wood worth"
)
_STREETS = _words(
    "High Station Church Victoria Park Mill Green King Queen London Manor Main Oak Elm Maple Cedar Pine Lake Hill"
    " Walnut Spring North South Ridge Meadow Forest River Sunset Washington Lincoln Chapel Grange School Bridge Abbey"
    " Orchard Castle Garden Field Harbour Market Dock Canal Quarry Priory Windsor York Albert George Alexandra"
)
_STREET_TYPES = {
    "Street": "St",
    "Road": "Rd",
    "Avenue": "Ave",
    "Lane": "Ln",
    "Drive": "Dr",
    "Close": "Cl",
    "Way": "Way",
}
_TRADES = _words(
    "Bakery Brewery Logistics Engineering Foods Textiles Hotels Pharmacy Motors Plumbing Electrical Software Consulting"
    " Printing Furniture Timber Steel Ceramics Catering Cleaning Security Recruitment Design Dental Veterinary Garden"
    " Wines Fisheries Farms Optics Tools Packaging Chemicals Marine Travel Media Fitness Flooring Roofing Nurseries"
)
_WORDS_OF_MAIL = _words("sunny bluebird rover tigger gardener angler biker rocket pixie daisy hobbit captain")
_FORMS = ("Ltd", "Limited", "plc", "LLP", "Inc", "GmbH", "LLC", "& Co", "Group", "")
_OFTEN_MISSING = frozenset({"birth_date", "mobile"})
_DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "web.example.net",
)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things happen to a record, as shares. Round numbers of what owners of customer data report."""

    slip: float = 0.03
    """A typing slip in a value."""
    nickname: float = 0.08
    swapped: float = 0.008
    """Given and family name in each other's field."""
    initial: float = 0.02
    signed: float = 0.2
    """Of a name in one field: that it is an initial and the family name."""
    missing: float = 0.08
    """A value that the source could have, and has not."""
    often_missing: float = 0.35
    """The same of birthdays, e-mail addresses and phones, which are asked for later, or never."""
    former_address: float = 0.12
    former_family: float = 0.35
    """Of a record of somebody who took another name: that it has the name of before."""
    wrong_date: float = 0.02
    suffix: float = 0.35
    """Of a father or son of one name: that a source says which of them."""
    family_mailbox: float = 0.25
    other_mobile: float = 0.08
    """Of a record with a mobile phone: that it is one that the person had before, or somebody's of the same home."""
    other_site: float = 0.25
    trading_name: float = 0.15


class Party(NamedTuple):
    """What one source states of somebody: match roles to values."""

    id: str
    true_id: str
    values: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Address:
    house: str
    street: str
    street_type: str
    town: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class _Home:
    address: _Address
    former: _Address | None
    landline: str
    mailbox: str | None
    mobiles: list[str] = field(default_factory=list)
    """Of all who live there."""


@dataclass(slots=True)
class _Person:
    id: str
    given: str
    middle: str
    family: str
    female: bool
    birth: date
    home: _Home
    mobiles: list[str]
    """The one in use first."""
    mails: list[str]
    former_family: str = ""
    suffix: str = ""


@dataclass(slots=True)
class _Company:
    id: str
    name: str
    form: str
    trading: str
    domain: str
    phone: str
    vat: str
    sites: list[_Address] = field(default_factory=list)


_SOURCES = (
    # Roles that each kind of source has; the mean of its records a person.
    ("given_name family_name birth_date gender email phone mobile street postal_code city", 0.75),
    ("full_name email phone mobile postal_code city", 0.5),
    ("given_name middle_name family_name birth_date phone street postal_code city", 0.4),
    ("full_name street postal_code city mobile", 0.4),
    ("given_name family_name email mobile", 0.3),
    ("mobile", 0.15),
    ("email", 0.15),
)


class World:
    """A world of made-up people and companies, the same for the same seed."""

    def __init__(self, seed: int, rates: Rates | None = None) -> None:
        self._chance = random.Random(seed)
        self._rates = rates or Rates()
        self._serial = count()
        self._numbers = count(1)
        self._towns = [
            (self._coined(), f"{self._chance.choice('ABCDEGHLMNPRSTW')}{number}") for number in range(1, 600)
        ]

    def people(self, parties: int) -> Iterator[Party]:
        """That many parties of people, household by household."""
        made = 0
        while made < parties:
            for person in self._household():
                for party in self._records(person):
                    if made < parties:
                        yield party
                    made += 1

    def organisations(self, parties: int) -> Iterator[Party]:
        """That many parties of organisations, group by group."""
        made = 0
        while made < parties:
            for company in self._group():
                for party in self._accounts(company):
                    if made < parties:
                        yield party
                    made += 1

    # People.

    def _household(self) -> list[_Person]:
        chance, home, family = self._chance, self._home(), self._family()
        kind = chance.choices(
            ("single", "couple", "family", "namesakes", "twins", "share"), (38, 25, 21, 6, 2, 8)
        )[0]
        if kind == "share":
            return [self._person(home, self._family(), chance.random() < 0.5, 19, 34) for _ in range(3)]
        if kind == "single":
            return [self._married(self._person(home, family, chance.random() < 0.5, 18, 90), 0.15)]
        him, her = self._person(home, family, False, 40, 75), self._person(home, family, True, 38, 73)
        if chance.random() < 0.25:
            her.family = self._family()
        people = [him, self._married(her, 0.6)]
        if kind == "namesakes":
            son = replace(self._person(home, family, False, 16, 36), given=him.given)
            him.suffix, son.suffix = "Sr", "Jr"
            return [*people, son]
        children = [
            self._person(home, family, chance.random() < 0.5, 12, 32) for _ in range(chance.randint(1, 3))
        ]
        if kind == "twins":
            children = [
                replace(self._person(home, family, chance.random() < 0.5, 12, 32), birth=children[0].birth)
            ] * 1 + children
        return people if kind == "couple" else [*people, *children]

    def _married(self, person: _Person, share: float) -> _Person:
        if person.female and self._chance.random() < share:
            person.former_family = self._family()
        return person

    def _person(self, home: _Home, family: str, female: bool, youngest: int, oldest: int) -> _Person:
        chance = self._chance
        names = GIVEN["female" if female else "male"]
        given = self._ranked(names) if chance.random() < 0.9 else self._coined()
        serial = next(self._serial)
        mobiles = [self._phone() for _ in range(chance.choice((1, 1, 1, 2)))]
        home.mobiles.append(mobiles[0])
        short = NICKNAMES.get(given, given)
        forms = (
            f"{given}.{family}",
            f"{given[0]}{family}",
            f"{given}{family[0]}",
            f"{family}.{given}",
            f"{short}{serial % 90 + 10}",
            f"{_WORDS_OF_MAIL[serial % len(_WORDS_OF_MAIL)]}{serial % 1000}",
        )
        mails = [
            f"{chance.choice(forms).lower()}{chance.choice(('', str(serial % 1000)))}@{chance.choice(_DOMAINS)}"
            for _ in range(chance.choice((1, 1, 1, 2)))
        ]
        return _Person(
            id=f"p{serial}",
            given=given,
            middle=self._ranked(names) if chance.random() < 0.6 else "",
            family=family,
            female=female,
            birth=date(2026, 1, 1) - timedelta(days=chance.randint(youngest * 365, oldest * 365)),
            home=home,
            mobiles=mobiles,
            mails=mails,
        )

    def _home(self) -> _Home:
        chance = self._chance
        mailbox = f"family{next(self._serial)}@{chance.choice(_DOMAINS)}" if chance.random() < 0.3 else None
        former = self._address() if chance.random() < 0.3 else None
        return _Home(self._address(), former, self._phone(), mailbox)

    def _records(self, person: _Person) -> Iterator[Party]:
        made = 0
        for roles, mean in _SOURCES:
            while self._chance.random() < (mean if not made else mean / 2):
                made += 1
                yield self._record(person, roles.split())
        if not made:
            yield self._record(person, _SOURCES[0][0].split())

    def _record(self, person: _Person, roles: list[str]) -> Party:
        chance, rates = self._chance, self._rates
        given = person.given
        if given in NICKNAMES and chance.random() < rates.nickname:
            given = NICKNAMES[given]
        elif chance.random() < rates.initial:
            given = given[0]
        family = (
            person.former_family
            if person.former_family and chance.random() < rates.former_family
            else person.family
        )
        if chance.random() < rates.swapped:
            given, family = family, given
        home = person.home
        address = home.former if home.former and chance.random() < rates.former_address * 2 else home.address
        mailbox = (
            home.mailbox
            if home.mailbox and chance.random() < rates.family_mailbox
            else chance.choice(person.mails)
        )
        others = [*person.mobiles[1:], *home.mobiles]
        mobile = chance.choice(others) if chance.random() < rates.other_mobile else person.mobiles[0]
        suffix = person.suffix if chance.random() < rates.suffix else ""
        middle = person.middle if chance.random() < 0.5 else person.middle[:1]
        given, family = self._slipped(given), self._slipped(family)
        stated = {
            "given_name": given,
            "middle_name": middle,
            "family_name": family,
            "name_suffix": suffix,
            "full_name": " ".join(filter(None, self._signature(given, middle, family, suffix))),
            "birth_date": self._date(person.birth),
            "gender": "female" if person.female else "male",
            "email": self._slipped(mailbox, 0.3),
            "phone": home.landline,
            "mobile": mobile,
            **self._written(address),
        }
        if "given_name" in roles:
            roles = [*roles, "name_suffix"]
        return self._party(
            person.id, {role: stated[role] for role in roles}, {"given_name", "family_name", "full_name"}
        )

    def _signature(self, given: str, middle: str, family: str, suffix: str) -> tuple[str, ...]:
        if self._chance.random() < self._rates.signed:
            return (f"{given[0]}.", family)
        return (given, middle[:1], family, suffix)

    def _date(self, birth: date) -> str:
        chance = self._chance
        if chance.random() >= self._rates.wrong_date:
            return birth.isoformat()
        way = chance.random()
        if way < 0.25 and birth.day <= 12:
            return birth.replace(month=birth.day, day=birth.month).isoformat()
        if way < 0.7:
            return birth.replace(
                day=min(birth.day, 28), year=birth.year + chance.choice((-10, -1, 1, 10))
            ).isoformat()
        if way < 0.9:
            return f"{birth.year}"
        return (birth + timedelta(days=chance.randint(-4000, 4000))).isoformat()

    # Organisations.

    def _group(self) -> list[_Company]:
        chance = self._chance
        head = self._family() if chance.random() < 0.5 else f"{self._coined()} {self._coined()}"
        first = self._company(head)
        if chance.random() >= 0.12:
            return [first]
        others = [self._company(head) for _ in range(chance.randint(1, 3))]
        for other in others:
            # One switchboard and one domain: what companies of a group share without being the same.
            other.phone, other.domain = first.phone, first.domain
        return [first, *others]

    def _company(self, head: str) -> _Company:
        chance = self._chance
        trades = [self._ranked(_TRADES) for _ in range(chance.choice((1, 1, 2)))]
        town, _ = chance.choice(self._towns)
        name = " ".join([head, *dict.fromkeys(trades)])
        serial = next(self._serial)
        return _Company(
            id=f"o{serial}",
            name=name,
            form=chance.choice(_FORMS),
            trading=chance.choice(
                (f"The {name}", f"{name} of {town}", f"{head} {town}", f"{self._coined()} {trades[0]}")
            ),
            domain=f"{head.replace(' ', '').lower()}{serial}.example.com",
            phone=self._phone(),
            vat=f"GB{100000000 + serial * 97}",
            sites=[self._address() for _ in range(chance.choice((1, 1, 1, 2, 3)))],
        )

    def _accounts(self, company: _Company) -> Iterator[Party]:
        for _ in range(self._chance.choices((1, 2, 3, 4, 6), (35, 30, 18, 12, 5))[0]):
            yield self._account(company)

    def _account(self, company: _Company) -> Party:
        chance, rates = self._chance, self._rates
        name = company.trading if chance.random() < rates.trading_name else company.name
        written = f"{self._slipped(name)} {company.form if chance.random() < 0.6 else ''}".strip()
        site = chance.choice(company.sites) if chance.random() < rates.other_site else company.sites[0]
        stated = {
            "org_name": written.upper() if chance.random() < 0.2 else written,
            "phone": company.phone if chance.random() < 0.7 else self._phone(),
            "email": f"{chance.choice(('info', 'office', 'accounts', 'sales'))}@{company.domain}",
            "tax_id": company.vat if chance.random() < 0.35 else "",
            **self._written(site),
        }
        return self._party(company.id, stated, {"org_name"})

    # What both have.

    def _party(self, true_id: str, stated: dict[str, str], kept: set[str]) -> Party:
        chance = self._chance
        values = {
            role: [value]
            for role, value in stated.items()
            if value and (role in kept or len(stated) == 1 or chance.random() >= self._missing(role))
        }
        return Party(f"r{next(self._numbers):08}", true_id, values)

    def _missing(self, role: str) -> float:
        rates = self._rates
        return rates.often_missing if role in _OFTEN_MISSING else rates.missing

    def _written(self, address: _Address) -> dict[str, str]:
        short = self._chance.random() < 0.4
        ending = _STREET_TYPES[address.street_type] if short else address.street_type
        return {
            "street": f"{address.house} {self._slipped(address.street)} {ending}",
            "postal_code": self._slipped(address.postal_code, 0.5),
            "city": self._slipped(address.town),
        }

    def _address(self) -> _Address:
        chance = self._chance
        town, district = chance.choice(self._towns)
        street = self._ranked(_STREETS) if chance.random() < 0.6 else self._coined()
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        code = f"{district} {chance.randint(1, 9)}{chance.choice(letters)}{chance.choice(letters)}"
        return _Address(str(chance.randint(1, 180)), street, chance.choice(list(_STREET_TYPES)), town, code)

    def _phone(self) -> str:
        """A number reserved for drama while there are such, then one of a country code that no country has."""
        serial = next(self._serial)
        return f"+1{201 + serial // 100}55501{serial % 100:02}" if serial < 70_000 else f"+999{serial:09}"

    def _family(self) -> str:
        return self._ranked(COMMON_FAMILIES) if self._chance.random() < 0.45 else self._coined()

    def _coined(self) -> str:
        chance = self._chance
        middle = chance.choice(_MIDDLES) if chance.random() < 0.6 else ""
        return chance.choice(_HEADS) + middle + chance.choice(_TAILS)

    def _ranked(self, names: list[str]) -> str:
        """One of `names`, the first ones far more often: names are as unequal as that in life."""
        return names[min(int(len(names) * self._chance.random() ** 2), len(names) - 1)]

    def _slipped(self, text: str, share: float = 1.0) -> str:
        chance = self._chance
        if len(text) < 3 or chance.random() >= self._rates.slip * share:
            return text
        at = chance.randrange(len(text) - 1)
        letter = chance.choice("abcdefghijklmnoprstuvwy")
        return chance.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + letter + text[at:],
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            )
        )
