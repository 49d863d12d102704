"""Customers as of a past time: what landed records said then, made into rows again."""

from hub.adapters.past.answers import Past, past_instant

__all__ = ["Past", "past_instant"]
