"""The kit for whoever adds a source: drafts of its YAML, recorded exchanges, checks of an adapter, coverage."""

from hub.adapters.kit.exchanges import Exchange, dump_exchanges, load_exchanges
from hub.adapters.kit.recording import Recorder
from hub.adapters.kit.replaying import Replayer, VirtualClock
from hub.adapters.kit.synthetic import Synthetic

__all__ = [
    "Exchange",
    "Recorder",
    "Replayer",
    "Synthetic",
    "VirtualClock",
    "dump_exchanges",
    "load_exchanges",
]
