"""Example queries of the demo's departments."""

from __future__ import annotations

from importlib import resources


def examples(customer_number: str) -> dict[str, dict[str, str]]:
    """Example queries by department and name, about this customer of the ERP where they are about one."""
    folder = resources.files("hub.demo") / "queries"
    return {
        department.name: {
            file.name.removesuffix(".graphql"): file.read_text("utf-8").replace("$NUMBER", customer_number)
            for file in sorted(department.iterdir(), key=lambda file: file.name)
        }
        for department in sorted(folder.iterdir(), key=lambda department: department.name)
    }
