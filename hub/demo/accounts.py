"""Under which numbers the true people and companies are kept by each system, duplicates and stale ones included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from hub.demo.numbers import loyalty_card
from hub.demo.people import Address, Organisation, Person, Population

Party = Person | Organisation


@dataclass(slots=True, repr=False)
class Account:
    """One system's record of a party, as it was last `written_on`: a stale one has the old address and surname."""

    number: str
    party: Party
    written_on: date
    address: Address
    linked: bool = False
    """Whether the record quotes the party's number in another system."""


@dataclass(slots=True, repr=False)
class Register:
    """The accounts of one system, in the order of their numbers, and by true id."""

    accounts: list[Account] = field(default_factory=list)
    of: defaultdict[str, list[Account]] = field(default_factory=lambda: defaultdict(list))

    def add(self, account: Account) -> Account:
        """The account, now registered."""
        self.accounts.append(account)
        self.of[account.party.id].append(account)
        return account


@dataclass(frozen=True, slots=True, repr=False)
class Registers:
    """Who is known where. `cards` and `contacts` go by true person id."""

    erp: Register
    contacts: Register
    support: Register
    legacy: Register
    cards: dict[str, str]
    people: Mapping[str, Person]
    """Everybody, by true id."""


def address_of(party: Party, on: date) -> Address:
    """Where the party was to be found on that day."""
    return party.household.address_on(on) if isinstance(party, Person) else party.address


class _Enroller:
    def __init__(self, rng: Random, population: Population, today: date) -> None:
        self.rng, self.population, self.today = rng, population, today
        self.best = population.people[0]
        self.parties: list[Party] = [*population.people, *population.organisations]

    def written_on(self, stale_share: float, oldest_days: int) -> date:
        """Recently, except for the share of records that nobody has touched for years."""
        stale = self.rng.random() < stale_share
        return self.today - timedelta(
            days=self.rng.randint(1500, oldest_days) if stale else self.rng.randint(5, 1000)
        )

    def _enrol(self, register: Register, number: str, party: Party, stale_share: float) -> Account:
        on = self.written_on(stale_share, 3600)
        return register.add(Account(number, party, on, address_of(party, on), self.rng.random() < 0.6))

    def erp(self) -> Register:
        """People once, twice or three times; companies with an account for each site, and duplicates."""
        register, rng = Register(), self.rng
        for party in self.parties:
            if party is not self.best and rng.random() < 0.06:
                continue
            for copy in range(rng.choices((1, 2, 3), (83, 14, 3))[0]):
                self._enrol(
                    register, f"C{10_001 + len(register.accounts)}", party, 0.12 if copy == 0 else 0.4
                )
            for site in party.sites if isinstance(party, Organisation) else ():
                account = self._enrol(register, f"C{10_001 + len(register.accounts)}", party, 0.1)
                account.address = site
        first = register.of[self.best.id][0]
        first.linked, first.written_on = True, self.today - timedelta(days=20)
        first.address = address_of(self.best, first.written_on)
        return register

    def contacts(self, erp: Register) -> Register:
        """The people whom companies name as their contacts, numbered within the ERP."""
        register = Register()
        for someone in self.population.people:
            if someone.employer and erp.of[someone.employer.id]:
                self._enrol(register, f"K{5001 + len(register.accounts)}", someone, 0.1)
        return register

    def support(self) -> Register:
        """Help desk contacts; who wrote from two mailboxes is there twice."""
        register, rng = Register(), self.rng
        for party in self.parties:
            if party is not self.best and rng.random() < 0.42:
                continue
            for _ in range(2 if rng.random() < 0.1 else 1):
                self._enrol(register, str(700_001 + len(register.accounts)), party, 0.05)
        register.of[self.best.id][0].linked = True
        return register

    def legacy(self) -> Register:
        """Mail-order accounts of people over forty and of a few companies, written many years ago."""
        register, rng = Register(), self.rng
        for party in self.parties:
            age = (self.today - party.birth).days // 365 if isinstance(party, Person) else 45
            if party is not self.best and (age < 40 or rng.random() < 0.45):
                continue
            on = self.today - timedelta(days=rng.randint(1300, 6500))
            register.add(
                Account(
                    f"A{200_001 + 7 * len(register.accounts):07d}",
                    party,
                    on,
                    address_of(party, on),
                    rng.random() < 0.35,
                )
            )
        register.of[self.best.id][0].linked = True
        return register

    def cards(self) -> dict[str, str]:
        """Loyalty cards of a little more than half of the people."""
        rng = self.rng
        return {
            p.id: loyalty_card(i)
            for i, p in enumerate(self.population.people)
            if p is self.best or rng.random() < 0.55
        }


def enrol(rng: Random, population: Population, today: date) -> Registers:
    """The registers of all systems."""
    enroller = _Enroller(rng, population, today)
    erp, people = enroller.erp(), {someone.id: someone for someone in population.people}
    return Registers(
        erp, enroller.contacts(erp), enroller.support(), enroller.legacy(), enroller.cards(), people
    )
