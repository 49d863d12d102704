"""Households: customers who live together, found from their golden records; never a merge of people."""

from hub.graph.households.home import Home, home_of
from hub.graph.households.keeping import Households
from hub.graph.households.linking import CROWD, Evidence, households
from hub.graph.households.reading import Housemate, housemates

__all__ = ["CROWD", "Evidence", "Home", "Households", "Housemate", "home_of", "households", "housemates"]
