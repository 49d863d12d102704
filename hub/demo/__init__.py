"""The demo company "Harbour & Pine": invented people, five source systems that know them, and the truth about both."""

from hub.demo.company import SMALLEST, TODAY, erp_address, generate
from hub.demo.evolve import Changes, evolve
from hub.demo.examples import examples
from hub.demo.helpdesk import HelpDesk
from hub.demo.truth import BestCustomer, Broken, Truth, TruthRow

__all__ = [
    "SMALLEST",
    "TODAY",
    "BestCustomer",
    "Broken",
    "Changes",
    "HelpDesk",
    "Truth",
    "TruthRow",
    "erp_address",
    "evolve",
    "examples",
    "generate",
]
