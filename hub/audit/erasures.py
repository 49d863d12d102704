"""Erasures: whom the hub forgot, in the words that outlive them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """What has to be known of an erasure to do it again on an older backup, and to keep the customer from coming back.

    It holds no personal value: ids are keyed hashes already, and `hashes` are made of keys and identifiers by a key.
    """

    id: str
    """That of the event that tells of it."""
    at: datetime
    customers: tuple[str, ...]
    """The customer's id, and those that led to it."""
    parties: tuple[str, ...]
    hashes: tuple[str, ...]
    """What is suppressed from now on; see `hub.adapters.suppression`."""
