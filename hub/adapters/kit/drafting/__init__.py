"""Drafts of sources: a sample is read, and a YAML is made of it that loads and syncs as it is.

What is sampled stays in memory: a draft holds names, shares and categories, never a value of a record.
"""

from hub.adapters.kit.drafting.drafts import Defaults, Draft, draft
from hub.adapters.kit.drafting.origins import Asked, Origin, SampledStream, open_origin

__all__ = ["Asked", "Defaults", "Draft", "Origin", "SampledStream", "draft", "open_origin"]
