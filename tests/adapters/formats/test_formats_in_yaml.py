"""The old formats as a user meets them: written in YAML, checked with line and column, previewed, synced."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from tests.adapters.formats.cobol_world import book, packed, rdw
from tests.adapters.formats.documents_world import HEAD, invoice, transaction
from tests.adapters.formats.documents_world import customer as customer_idoc
from tests.adapters.formats.test_edi import order, x12
from tests.doc_blocks import DOCS, blocks

ROOT = Path(__file__).parents[3]
COPYBOOK = book(
    "01 CUSTOMER.", " 05 CARD PIC X(10).", " 05 NAME PIC X(12).", " 05 LIMIT-AMOUNT PIC S9(5)V99 COMP-3."
)
BANK = """source: bank
currency: GBP
connector: {type: files, root: exports}
streams:
  customers:
    read:
      glob: CUSTOMER.DAT
      format:
        type: cobol
        copybook: customer.cpy
        encoding: cp1140
    key: CARD
    entities:
      - type: Person
        properties: {legacyAccount: CARD, name: NAME, creditLimit: LIMIT_AMOUNT}
"""


def customer(card: str, name: str, cents: int) -> bytes:
    return (card.ljust(10) + name.ljust(12)).encode("cp1140") + packed(cents, 7, signed=True)


class Bank:
    """A folder with one source of COBOL files, in which commands are run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources = folder / "sources"
        (self.sources / "exports").mkdir(parents=True)
        (self.sources / "bank.yaml").write_text(BANK)
        (self.sources / "customer.cpy").write_text(COPYBOOK)
        self.data = self.sources / "exports" / "CUSTOMER.DAT"
        for name, value in (
            ("DATA_DIR", folder / "var"),
            ("CONFIG_DIR", self.sources),
            ("POLICY_FILE", ROOT / "policy.yaml"),
        ):
            monkeypatch.setenv(f"HUB_{name}", str(value))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bank:
    return Bank(tmp_path, monkeypatch)


def test_preview_shows_what_a_copybook_makes_of_a_file(bank: Bank) -> None:
    bank.data.write_bytes(
        customer("0000000001", "Ann Lee", 12345) + customer("0000000002", "Bo Ash", 1)[:-1] + b"\xff"
    )
    result = bank.run("preview", "bank", "--values")
    assert result.exit_code == 0
    for shown in ("Ann Lee", "123.45 GBP", "CUSTOMER.DAT#2@26", "LIMIT_AMOUNT at byte 22"):
        assert shown in result.output
    assert "Bo Ash" not in result.output


def test_a_sync_keeps_good_records_and_fails_when_the_rest_of_a_file_is_lost(bank: Bank) -> None:
    (bank.sources / "bank.yaml").write_text(
        BANK.replace("encoding: cp1140", "encoding: cp1140\n        records: {type: rdw}")
    )
    words = b"".join(
        (len(one) + 4).to_bytes(2, "big") + b"\0\0" + one
        for one in (customer("0000000001", "Ann Lee", 1), customer("0000000002", "Bo Ash", 2))
    )
    bank.data.write_bytes(words + b"\xff\xff\0\0rest of the file")
    result = bank.run("sync")
    assert result.exit_code == 1
    assert "the 20 bytes from byte 60 to the file's end cannot be told apart" in " ".join(
        result.output.split()
    )
    bank.data.write_bytes(words)
    result = bank.run("sync")
    assert result.exit_code == 0
    assert "2 read" in result.output


FAULTS = [
    ("bank.yaml", "copybook: customer.cpy", "copybook: custmer.cpy", "bank.yaml:10:9", "cannot be read"),
    ("bank.yaml", "type: cobol", "type: coboll", "bank.yaml:9:9", "did you mean 'cobol'?"),
    ("bank.yaml", "encoding:", "encodin:", "bank.yaml:11:9", "unknown key 'encodin'"),
    (
        "bank.yaml",
        "encoding: cp1140",
        "records: {type: length_field, field: CRAD}",
        "bank.yaml:11:39",
        "the copybook has no 'CRAD' (did you mean 'CARD'?)",
    ),
    ("customer.cpy", "PIC X(12)", "PIC X(1Z)", "customer.cpy:3:21", "'X(1Z)' is no picture"),
    ("customer.cpy", "05 NAME", "05 CARD", "customer.cpy:3:9", "CARD stands twice in one group"),
]


@pytest.mark.parametrize(("file", "before", "after", "place", "message"), FAULTS)
def test_check_tells_every_fault_with_its_place(
    file: str, before: str, after: str, place: str, message: str, bank: Bank
) -> None:
    path = bank.sources / file
    path.write_text(path.read_text().replace(before, after))
    result = bank.run("check")
    assert result.exit_code == 2
    assert place in result.output
    assert message in " ".join(result.output.split())


def test_a_changed_copybook_reads_the_files_anew(bank: Bank) -> None:
    bank.data.write_bytes(customer("0000000001", "Ann Lee", 12345))
    assert "1 read, 1 new or changed" in bank.run("sync").output
    assert "0 read" in bank.run("sync").output
    (bank.sources / "customer.cpy").write_text(COPYBOOK.replace("S9(5)V99", "S9(6)V9"))
    assert "1 read, 1 new or changed" in bank.run("sync").output


def test_the_example_of_the_documentation_makes_its_customers(bank: Bank) -> None:
    page = DOCS / "old-files.md"
    (bank.sources / "customer.cpy").write_text(blocks(page, "cobol")[0].text)
    (bank.sources / "bank.yaml").write_text(blocks(page, "yaml")[0].text)
    person = "P0000000001" + "ANN LEE".ljust(24)
    record = person.encode("cp1140") + packed(250_00, 9, signed=True) + "2021031202".encode("cp1140")
    record += "020 7946 0018 ".encode("cp1140") + "020 7946 0027 ".encode("cp1140")
    bank.data.write_bytes(rdw(record))
    result = bank.run("preview", "bank", "--values")
    for shown in ("Ann Lee", "250.00 GBP", "2021-03-12", "+442079460018"):
        assert shown in result.output
    assert "quarantined" not in result.output


SHOP = """source: bank
connector: {type: files, root: exports}
streams:
  orders:
    read: {glob: "*.edi", format: {type: edi, only: ["850"]}}
    key: "BEG[0].BEG03"
"""


def test_lines_of_an_edi_order_become_entities_as_the_documentation_says(bank: Bank) -> None:
    entities = indent(blocks(DOCS / "old-files.md", "yaml")[1].text, "    ")
    (bank.sources / "bank.yaml").write_text(SHOP + entities)
    text = x12(order("1", "PO1*1*2*EA*9.50", "PO1*2*5*EA*1.10", "CTT*2"), "ST*997*9~AK9*A*1*1*1~SE*3*9~")
    bank.data.with_suffix(".edi").write_text(text)
    result = bank.run("preview", "bank", "--values")
    assert result.exit_code == 0
    assert result.output.count("OrderLine") == 2
    assert "the set has no AK1" in " ".join(result.output.split())


PAGE = [
    (0, invoice("R-1"), ("R-1", "Harbour Books Ltd", "19.00 EUR", "Organization")),
    (1, f"<POSLog>{transaction(12)}</POSLog>", ("S1-T2-2026-01-02-12", "L-77", "OrderLine", "9.50 GBP")),
    (2, customer_idoc("0000000042"), ("'42'", "Harbour Books Ltd", "Haven")),
]


@pytest.mark.parametrize(("number", "text", "shown"), PAGE)
def test_the_sources_of_the_page_on_business_documents_load(
    number: int, text: str, shown: tuple[str, ...], bank: Bank
) -> None:
    yaml = blocks(DOCS / "business-xml.md", "yaml")[number].text
    (bank.sources / "bank.yaml").unlink()
    source = yaml.split()[1]
    (bank.sources / f"{source}.yaml").write_text(yaml)
    bank.data.with_suffix(".xml").write_text(HEAD + text)
    result = bank.run("preview", source, "--values")
    assert result.exit_code == 0, result.output
    assert "quarantined" not in result.output
    for each in shown:
        assert each.strip("'") in result.output
