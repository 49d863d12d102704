"""The cases of a widely used copybook reader: every row of every case equals what that one decoded."""

from __future__ import annotations

import json
import struct
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from hub.adapters.formats import FormatChoice
from hub.adapters.records import BadRecord

ADAPTER = TypeAdapter(FormatChoice)
CASES = [
    "1", "1a", "1b", "3", "3_trim_both", "3_trim_left", "3_trim_right", "3_trim_none", "4", "4a", "5", "5a", "5b",
    "5c", "5d", "6", "6a", "9_cp037", "9_cp037_ext", "9_cp273", "9_cp500", "9_cp1140", "9_cp1141", "9_cp1148",
    "9_cp_custom", "10", "11", "19", "21", "24", "24b",
]  # fmt: skip


@cache
def all_cases(folder: Path) -> dict[str, dict]:
    written = YAML(typ="safe").load(folder / "cases.yaml")
    return {
        case["id"]: {
            **written["defaults"],
            **case,
            "compare": {**written["defaults"]["compare"], **case.get("compare", {})},
        }
        for case in written["cases"]
    }


def records_of(case: dict) -> dict:
    kind, adjustment = case["record_format"], case["rdw_adjustment"]
    if kind in ("rdw_be", "rdw_le"):
        endian = "big" if kind == "rdw_be" else "little"
        inside = case["is_rdw_part_of_record_length"]
        return {"type": "rdw", "endian": endian, "includes_header": inside, "adjustment": adjustment}
    if kind == "length_field":
        return {"type": "length_field", "field": case["record_length_field"], "adjustment": adjustment}
    if kind == "custom_header":
        return {"type": "header", "length": 5, "size_at": 3, "endian": "little", "mark_at": 0, "mark": 1}
    return {"type": "counters" if case["variable_size_occurs"] == "shift_record" else "fixed"}


def segments_of(case: dict) -> dict | None:
    if "segment_field" not in case:
        return None
    made = {"field": case["segment_field"], "groups": case.get("redefine_segment_map", {})}
    if "segment_filter" in case:
        made["only"] = case["segment_filter"]
    if "segment_id_levels" in case:
        # The number of the file is 0 in every case; a format knows of one file only.
        made |= {"levels": case["segment_id_levels"], "prefix": f"{case['segment_id_prefix']}_0"}
    return made


def config_of(case: dict, folder: Path) -> dict:
    ascii_text, generated = case["encoding"] == "ascii", case["generated_columns"]
    pages = json.loads((folder / "code_pages.json").read_text(encoding="utf-8"))
    return {
        "type": "cobol",
        "copybook": case["copybook"],
        "records": records_of(case),
        "encoding": case["ascii_charset"] if ascii_text else "cp037",
        "characters": None if ascii_text else pages[case["code_page"]],
        "file_header": case["file_start_offset"],
        "file_trailer": case["file_end_offset"],
        "record_header": case["record_start_offset"],
        "record_trailer": case["record_end_offset"],
        "tables": "cut" if case["variable_size_occurs"] == "shift_record" else "full",
        "floats": "ibm" if case["float_format"] == "ibm_be" else "ieee",
        "trim": case["string_trimming"],
        "nulls": case["null_detection"],
        "bad_values": "empty",
        "keep_root": case["schema"] == "keep_original",
        "text_of": case.get("non_terminals", []),
        "raw_bytes": {"none": "none", "hex": "hex", "raw": "base64"}[case["debug_columns"]],
        "number_field": "Record_Id" if "Record_Id" in generated else None,
        "bytes_field": "Record_Byte_Length" if "Record_Byte_Length" in generated else None,
        "segments": segments_of(case),
    }


def rows_of(case: dict, folder: Path, **changes: object) -> list[dict]:
    config = ADAPTER.validate_python({**config_of(case, folder), **changes}).prepared(folder)
    rows = []
    for number, name in enumerate(case["data"]):
        with (folder / name).open("rb") as stream:
            records = list(config.read(stream, name))
        assert [record.reason for record in records if isinstance(record, BadRecord)] == []
        added = {"File_Id": number} if "File_Id" in case["generated_columns"] else {}
        rows += [{**added, **record.payload} for record in records]
    return rows


def compared(rows: list[dict], case: dict) -> list[dict]:
    order = case["compare"]["order_by"]
    rows = sorted(rows, key=lambda row: [row[name] for name in order]) if order else rows
    return rows[: case["compare"]["first"]]


def present(value: object) -> object:
    """The value without what is None in it, as the expected files have it."""
    if isinstance(value, dict):
        return {key: present(item) for key, item in value.items() if item is not None}
    return [present(item) for item in value] if isinstance(value, list) else value


def zeroed(row: dict, expected: dict) -> dict:
    """The row with 0 for top-level numbers that are None, as the expected rows of some cases have."""
    return {key: 0 if value is None and expected.get(key) == 0 else value for key, value in row.items()}


def single(value: object) -> object:
    """A COMP-1 value at its own precision."""
    return struct.pack(">f", value)


@pytest.mark.parametrize("name", CASES)
def test_a_case_equals_its_expected_rows(name: str, shared: Path) -> None:
    folder = shared / "data" / "formats" / "cobol"
    case = all_cases(folder)[name]
    text = (folder / case["expected"]).read_text(encoding="utf-8").split("\n")
    expected = [json.loads(line, parse_float=Decimal) for line in text if line]
    rows = compared(rows_of(case, folder), case)
    if case["compare"]["fill_null_numbers_with_zero"]:
        rows = [zeroed(row, wanted) for row, wanted in zip(rows, expected, strict=False)]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        found = present(row)
        for key in ("FLOAT_01",):
            if key in wanted:
                assert single(found.pop(key)) == single(wanted.pop(key))
        assert found == wanted


def test_every_case_is_compared(shared: Path) -> None:
    cases = all_cases(shared / "data" / "formats" / "cobol")
    assert {name for name, case in cases.items() if case["expected"]} == set(CASES)
