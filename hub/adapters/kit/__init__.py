"""The kit for whoever adds a source: drafts of its YAML, recorded exchanges, checks of an adapter, coverage."""

from hub.adapters.kit.checks import CHECKS, Check
from hub.adapters.kit.contract import Verdict, failures, verdicts
from hub.adapters.kit.exchanges import Exchange, dump_exchanges, load_exchanges
from hub.adapters.kit.hostile import HostileApi
from hub.adapters.kit.recording import Recorder
from hub.adapters.kit.replaying import Replayer, VirtualClock
from hub.adapters.kit.subjects import Subject
from hub.adapters.kit.synthetic import Synthetic

__all__ = [
    "CHECKS",
    "Check",
    "Exchange",
    "HostileApi",
    "Recorder",
    "Replayer",
    "Subject",
    "Synthetic",
    "Verdict",
    "VirtualClock",
    "dump_exchanges",
    "failures",
    "load_exchanges",
    "verdicts",
]
