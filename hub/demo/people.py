"""The true people, households and organisations behind the demo's records, as only the demo knows them.

What the source systems hold are variants of these, made by `spelling`. One household of a family may be: Jack
Penhaligon, his wife Zoë, née Tregenza, and their grown-up son, Jack too: three people, one landline, two of
one name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from anyascii import anyascii

from hub.demo.names import FEMALE, MALE, SHORT_FORMS, SURNAMES
from hub.demo.numbers import PhoneBook, vat_number
from hub.demo.places import ABROAD, COMPANY_HEADS, COMPANY_TRADES, HOUSES, LEGAL_FORMS, STREETS, TOWNS, Town

MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.net")
LANGUAGES = {"DE": "de", "FR": "fr", "NL": "nl", "PL": "pl"}
BEST = "p00000"
"""True id of the person who is made the best customer."""

_POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A postal address in its parts."""

    street: str
    town: str
    county: str
    postcode: str
    country: str


@dataclass(slots=True, repr=False)
class Household:
    """People who live together; before `moved_on` they lived at `former_address`."""

    id: str
    address: Address
    phone: str | None
    email: str | None
    former_address: Address | None = None
    moved_on: date | None = None
    members: list[str] = field(default_factory=list)

    def address_on(self, day: date) -> Address:
        """Where they lived on that day."""
        if self.former_address and self.moved_on and day < self.moved_on:
            return self.former_address
        return self.address


@dataclass(slots=True, repr=False)
class Person:
    """One true person; before `renamed_on` (a marriage) the surname was `former_surname`."""

    id: str
    given: str
    surname: str
    female: bool
    birth: date
    household: Household
    emails: list[str]
    mobile: str | None
    former_surname: str | None = None
    renamed_on: date | None = None
    suffix: str = ""
    employer: Organisation | None = None
    role: str = ""

    def surname_on(self, day: date) -> str:
        """The surname that the person had on that day."""
        return (
            self.former_surname
            if self.former_surname and self.renamed_on and day < self.renamed_on
            else self.surname
        )

    @property
    def title(self) -> str:
        """Form of address as the older systems print it."""
        if not self.female:
            return "Mr"
        return "Mrs" if self.former_surname else "Ms"


@dataclass(slots=True, repr=False)
class Organisation:
    """One true company; `parent` owns it."""

    id: str
    legal_name: str
    trading_name: str
    vat: str
    address: Address
    phone: str | None
    domain: str
    parent: Organisation | None = None
    sites: list[Address] = field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class Population:
    """Everybody; the first person is the one who is later the best customer."""

    people: list[Person]
    households: list[Household]
    organisations: list[Organisation]


class _Registrar:
    """Brings people into the world and keeps their names, addresses and numbers apart."""

    def __init__(self, rng: Random, today: date) -> None:
        self.rng, self.today = rng, today
        self.phones = PhoneBook(rng)
        self.people: list[Person] = []
        self.households: list[Household] = []
        self._mailboxes: Counter[str] = Counter()
        self._surnames, self._female, self._male = list(SURNAMES), list(FEMALE), list(MALE)

    def surname(self) -> str:
        """A surname; the head of the list of ranks is common, as in life."""
        return self.rng.choice(self._surnames if self.rng.random() < 0.75 else self._surnames[::9])

    def given(self, female: bool) -> str:
        return self.rng.choice(self._female if female else self._male)

    def birth(self, youngest: int, oldest: int) -> date:
        """A birthday of somebody between two ages, in years."""
        return self.today - timedelta(days=self.rng.randint(youngest * 365, oldest * 365))

    def days_ago(self, least: int, most: int) -> date:
        return self.today - timedelta(days=self.rng.randint(least, most))

    def address(self, abroad_share: float = 0.04) -> Address:
        town = self.rng.choice(ABROAD if self.rng.random() < abroad_share else TOWNS)
        house = f"{self.rng.randint(1, 140)} " if self.rng.random() < 0.9 else f"{self.rng.choice(HOUSES)}, "
        return Address(
            house + self.rng.choice(STREETS), town.name, town.county, self._postcode(town), town.country
        )

    def _postcode(self, town: Town) -> str:
        rng = self.rng
        if town.country == "GB":
            return f"{town.district} {rng.randint(1, 9)}{rng.choice(_POSTCODE_LETTERS)}{rng.choice(_POSTCODE_LETTERS)}"
        tail = {
            "IE": f" {rng.choice('ACDEFHKNPRTVWXY')}{rng.randint(100, 999)}",
            "PL": f"{rng.randint(100, 999)}",
        }
        tail |= {"NL": f"{rng.randint(1, 9)} {rng.choice('ABDEGHJKLMNP')}{rng.choice('ABDEGHJKLMNP')}"}
        return town.district + tail.get(town.country, f"{rng.randint(10, 99)}")

    def household(self, shared_mail_of: str = "") -> Household:
        home = Household(
            id=f"h{len(self.households):05d}",
            address=self.address(),
            phone=self.phones.fixed() if self.rng.random() < 0.7 else None,
            email=self.mailbox(f"the.{shared_mail_of}s") if shared_mail_of else None,
        )
        if self.rng.random() < 0.25:
            home.former_address, home.moved_on = self.address(), self.days_ago(60, 3000)
        self.households.append(home)
        return home

    def mailbox(self, local: str) -> str:
        """An address on a domain reserved for examples that nobody else has."""
        local = "".join(c for c in anyascii(local).lower() if c.isalnum() or c in ".-_")
        address = f"{local}@{self.rng.choice(MAIL_DOMAINS)}"
        self._mailboxes[address] += 1
        again = self._mailboxes[address]
        return address if again == 1 else f"{local}{again + 1}@{address.partition('@')[2]}"

    def _mail_name(self, given: str, surname: str, birth: date) -> str:
        short = self.rng.choice(SHORT_FORMS[given] or (given,))
        return self.rng.choice(
            (
                f"{given}.{surname}",
                f"{given[0]}.{surname}",
                f"{given}{surname}",
                f"{short}.{surname}",
                f"{short}{birth.year % 100:02d}",
                f"{surname}.{given}",
                f"{short}_{surname}",
            )
        )

    def person(self, home: Household, surname: str, female: bool, birth: date, given: str = "") -> Person:
        given = given or self.given(female)
        emails = [
            self.mailbox(self._mail_name(given, surname, birth)) for _ in range(self.rng.choice((1, 1, 1, 2)))
        ]
        if home.email and self.rng.random() < 0.6:
            emails.insert(0, home.email)
        someone = Person(
            id=f"p{len(self.people):05d}",
            given=given,
            surname=surname,
            female=female,
            birth=birth,
            household=home,
            emails=emails,
            mobile=self.phones.personal() if self.rng.random() < 0.8 else None,
        )
        home.members.append(someone.id)
        self.people.append(someone)
        return someone

    def marry(self, wife: Person) -> None:
        """Gives her a former surname and a wedding day of which some systems have not heard."""
        wife.former_surname = self.surname()
        wife.renamed_on = min(
            self.today, max(wife.birth + timedelta(days=20 * 365), self.days_ago(100, 6000))
        )
        wife.emails.append(self.mailbox(f"{wife.given}.{wife.former_surname}"))

    def single(self) -> None:
        self.person(self.household(), self.surname(), self.rng.random() < 0.5, self.birth(19, 88))

    def couple(self) -> tuple[Person, Person]:
        """Husband and wife, or partners who kept their names."""
        surname = self.surname()
        home = self.household(surname if self.rng.random() < 0.35 else "")
        birth = self.birth(24, 84)
        him = self.person(home, surname, False, birth)
        takes_name = self.rng.random() < 0.7
        hers = birth + timedelta(days=self.rng.randint(-1500, 1500))
        her = self.person(home, surname if takes_name else self.surname(), True, hers)
        if takes_name:
            self.marry(her)
        return him, her

    def family(self) -> None:
        """A couple past fifty with grown-up children at home: a namesake son, twins, or just children."""
        him, her = self.couple()
        him.birth, her.birth = self.birth(50, 66), self.birth(48, 62)
        if her.renamed_on:
            her.renamed_on = her.birth + timedelta(days=self.rng.randint(7500, 9500))
        chance = self.rng.random()
        if chance < 0.35:
            son = self.person(him.household, him.surname, False, self.birth(18, 28), given=him.given)
            him.suffix, son.suffix = "Sr", "Jr"
        elif chance < 0.5:
            birth = self.birth(18, 28)
            for _ in range(2):
                self.person(him.household, him.surname, self.rng.random() < 0.5, birth)
        else:
            for _ in range(self.rng.randint(1, 2)):
                self.person(him.household, him.surname, self.rng.random() < 0.5, self.birth(18, 28))

    def flat_share(self) -> None:
        home = self.household()
        for _ in range(self.rng.randint(2, 4)):
            self.person(home, self.surname(), self.rng.random() < 0.5, self.birth(19, 34))


def _first_family(registrar: _Registrar) -> None:
    """The family of the best customer: wife, husband, and a son named after his father."""
    home = registrar.household("penhaligon")
    home.phone = home.phone or registrar.phones.fixed()
    home.former_address, home.moved_on = registrar.address(0), registrar.days_ago(400, 900)
    zoe = registrar.person(home, "Penhaligon", True, registrar.birth(49, 52), given="Zoë")
    registrar.marry(zoe)
    zoe.renamed_on = zoe.birth + timedelta(days=26 * 365)
    zoe.mobile = zoe.mobile or registrar.phones.personal()
    jack = registrar.person(home, "Penhaligon", False, registrar.birth(51, 54), given="Jack")
    son = registrar.person(home, "Penhaligon", False, registrar.birth(20, 22), given="Jack")
    jack.suffix, son.suffix = "Sr", "Jr"


def _organisation(registrar: _Registrar, serial: int, taken: set[str]) -> Organisation:
    rng = registrar.rng
    while True:
        head = (
            rng.choice(COMPANY_HEADS)
            if rng.random() < 0.7
            else f"{registrar.surname()} & {registrar.surname()}"
        )
        base = f"{head} {rng.choice(COMPANY_TRADES)}"
        if base not in taken:
            taken.add(base)
            break
        if len(taken) > 900:
            base = f"{base} {len(taken)}"
    slug = "".join(c for c in anyascii(base).lower() if c.isalnum())
    address = registrar.address(0.05)
    return Organisation(
        id=f"o{serial:05d}",
        legal_name=f"{base} {rng.choice(LEGAL_FORMS)}",
        trading_name=f"The {base}" if rng.random() < 0.5 else f"{base} of {address.town}",
        vat=vat_number(serial),
        address=address,
        phone=registrar.phones.fixed(),
        domain=f"{slug}.example.com",
    )


def _organise(registrar: _Registrar, count: int) -> list[Organisation]:
    rng, taken, made = registrar.rng, set[str](), list[Organisation]()
    for serial in range(count):
        company = _organisation(registrar, serial, taken)
        if made and rng.random() < 0.12:
            company.parent = rng.choice(made[: max(1, count // 10)])
        company.sites = [registrar.address(0) for _ in range(rng.choice((0, 0, 1, 2)))]
        made.append(company)
    return made


def _employ(rng: Random, people: list[Person], organisations: list[Organisation]) -> None:
    """Makes some people the contacts of companies; the best customer is nobody's."""
    for someone in people[1:]:
        if organisations and rng.random() < 0.11:
            someone.employer = rng.choice(organisations)
            someone.role = rng.choice(("Buyer", "Owner", "Accounts", "Manager", "Head chef"))


def populate(rng: Random, people: int, organisations: int, today: date) -> Population:
    """`people` true people in households, and `organisations` true companies with some of them as contacts."""
    registrar = _Registrar(rng, today)
    _first_family(registrar)
    kinds = (registrar.single, registrar.couple, registrar.family, registrar.flat_share)
    while len(registrar.people) < people:
        rng.choices(kinds, (40, 30, 22, 8))[0]()
    for surplus in registrar.people[people:]:
        surplus.household.members.remove(surplus.id)
    del registrar.people[people:]
    companies = _organise(registrar, organisations)
    _employ(rng, registrar.people, companies)
    return Population(registrar.people, [h for h in registrar.households if h.members], companies)
