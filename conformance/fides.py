"""What `fideslang` says of the manifests that `hub privacy fides` writes; run in a virtual environment of its own.

fideslang 3.1 wants another pydantic than the hub has, so it cannot stand beside it.

Usage: python fides.py FOLDER TAXONOMY
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from fideslang.default_taxonomy import DEFAULT_TAXONOMY
from fideslang.manifests import ingest_manifests
from fideslang.models import Taxonomy
from fideslang.relationships import get_referenced_missing_keys


def main(folder: str, taxonomy_file: str) -> int:
    """Exit code 0 if all is as Fides wants it."""
    given = Taxonomy(**ingest_manifests(folder))
    kinds = ("data_category", "data_use", "data_subject")
    known = {kind: {each.fides_key for each in getattr(DEFAULT_TAXONOMY, kind)} for kind in kinds}
    added = {each.fides_key for each in given.data_category}
    own = {
        "default_organization",
        *(each.fides_key for each in (*given.system, *given.dataset, *given.policy)),
    }
    missing = get_referenced_missing_keys(given) - set().union(*known.values()) - added - own
    ours = yaml.safe_load(Path(taxonomy_file).read_text(encoding="utf-8"))
    strange = {each["key"] for each in ours["data_categories"]} - known["data_category"] - added
    strange |= {each["key"] for each in ours["data_uses"]} - known["data_use"]
    strange |= {each["key"] for each in ours["data_subjects"]} - known["data_subject"]
    fields = [
        field for each in given.dataset for collection in each.collections for field in collection.fields
    ]
    print(
        f"{len(given.system)} systems with {sum(len(each.privacy_declarations) for each in given.system)} declarations,"
        f" {len(given.dataset)} datasets with {len(fields)} fields, {len(given.policy)} policies: valid"
    )
    for word, keys in (("referred to and not known to Fides", missing), ("in our taxonomy alone", strange)):
        print(f"{word}: {', '.join(sorted(keys)) or 'none'}")
    return 1 if missing or strange else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
