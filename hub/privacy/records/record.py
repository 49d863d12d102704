"""The record of processing activities (GDPR Art. 30), filled from what runs; what it cannot fill is listed as a gap."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.access import lacks_lia
from hub.commands import Author, asked
from hub.errors import QueryError
from hub.organisation import Party
from hub.privacy.records.activities import Activity, activities
from hub.privacy.records.cells import (
    DERIVED,
    Cell,
    Missing,
    contact_words,
    measures,
    officer,
    representatives,
    transfer_safeguards,
)
from hub.privacy.records.columns import COLUMNS, PROCESSOR_COLUMNS, Column
from hub.services import Services


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty cell, and what would fill it."""

    row: str
    column: Column
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """An activity's cells, in the order of the columns; what is a gap is empty."""

    key: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under columns, with every gap in them."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a moment."""

    made_at: datetime
    policy_sha256: str
    controller: Sheet
    """What we do as controller: a row for each purpose in a system."""
    processor: Sheet
    """What we do on others' behalf: a row for each controller and system; none where we serve nobody."""


def record_of_processing(services: Services, author: Author, *, draft: bool = False) -> Record:
    """The record as it is now; with `draft` also where a purpose lacks what it rests on.

    Raises:
        AccessDeniedError: the author may not read the log.
        QueryError: a purpose rests on legitimate interests that nobody has weighed: link that, or take a draft.
    """

    def ask() -> tuple[Record, Collection[str], int]:
        bare = sorted(name for name, each in services.access.purposes.items() if lacks_lia(each))
        if bare and not draft:
            raise QueryError(
                f"no record while {', '.join(bare)} rests on legitimate interests without links.lia; or take a draft"
            )
        found = activities(services)
        controller = _sheet(COLUMNS, ((each.key, _cells(services, each)) for each in found))
        processor = _sheet(PROCESSOR_COLUMNS, _served(services, found))
        made = Record(datetime.now(UTC), services.access.sha256, controller, processor)
        return made, (), len(controller.rows)

    return asked(services, author, "record_of_processing", ask)


def _cells(services: Services, activity: Activity) -> list[Cell]:
    return [DERIVED[column.number](services, activity) for column in COLUMNS]


def _sheet(columns: tuple[Column, ...], found: Iterable[tuple[str, Sequence[Cell]]]) -> Sheet:
    rows: list[Row] = []
    gaps: list[Gap] = []
    for key, cells in found:
        rows.append(Row(key, tuple("" if isinstance(cell, Missing) else cell for cell in cells)))
        pairs = zip(columns, cells, strict=True)
        gaps += (Gap(key, column, cell.what) for column, cell in pairs if isinstance(cell, Missing))
    return Sheet(columns, tuple(rows), tuple(gaps))


def _served(services: Services, found: Sequence[Activity]) -> Iterator[tuple[str, Sequence[Cell]]]:
    organisation = services.organisation
    if organisation.role == "controller":
        return
    for controller in organisation.controllers_served:
        for system in sorted({each.system_name for each in found}):
            mine = [each for each in found if each.system_name == system]
            yield f"{controller.name} / {system}", _served_cells(services, controller, mine)


def _served_cells(services: Services, controller: Party, mine: Sequence[Activity]) -> list[Cell]:
    organisation = services.organisation
    us, dpo = organisation.controller, officer(organisation)
    abroad = {country for each in mine for country in each.third_countries}
    guards = next((guard for each in mine if isinstance(guard := transfer_safeguards(each), Missing)), None)
    of_most = max(mine, key=lambda each: len(each.third_countries))
    return [
        f"{us.name}, {contact_words(us.contact)}" if us else Missing("controller in organisation.yaml"),
        dpo if isinstance(dpo, Missing) else f"{dpo}; {representatives(organisation)}",
        f"{controller.name}, {contact_words(controller.contact)}",
        mine[0].system_label,
        "; ".join(each.purpose.label for each in mine),
        "none" if not abroad else guards or transfer_safeguards(of_most),
        measures(organisation, mine[0].system),
    ]
