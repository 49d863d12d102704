"""Streams of one source read at once, each by a thread of its own, while what they have read is written by one.

A source mostly has its readers wait, for pages and for their limits; so while one stream is waited for, batches of
others are written. A reader is never more than one batch ahead of who writes, and batches of a stream keep their order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue

from hub.adapters.records import Batch

Opened = Callable[[], Iterator[Batch]]
_LOOK_S = 0.1


class _Readers:
    """Hand over what they read, one batch at a time, until they are stopped."""

    def __init__(self, at_once: int) -> None:
        self.handed: Queue[tuple[str, Batch | BaseException | None]] = Queue(at_once)
        self._stop = threading.Event()

    def read(self, name: str, opened: Opened) -> None:
        """Read a stream to its end, and tell that, or why it was not reached."""
        try:
            for batch in opened():
                if not self._hand(name, batch):
                    return
        except BaseException as error:  # noqa: BLE001 - who writes has to hear of it
            self._hand(name, error)
        else:
            self._hand(name, None)

    def _hand(self, name: str, what: Batch | BaseException | None) -> bool:
        """Whether it was taken; nobody takes anything any more once they are stopped."""
        while not self._stop.is_set():
            try:
                self.handed.put((name, what), timeout=_LOOK_S)
            except Full:
                continue
            return True
        return False

    def stop(self) -> None:
        """Have each end with the batch it is at."""
        self._stop.set()


def read_at_once(
    streams: Mapping[str, Opened], at_once: int
) -> Generator[tuple[str, Batch | None], None, None]:
    """The batches of the streams as they come, and None at the end of each; up to so many are read at a time.

    Close it, where its end is not reached: the readers then end with the batch they are at.

    Raises:
        Exception: what a stream raised, as soon as it is met.
    """
    readers = _Readers(at_once)
    with ThreadPoolExecutor(at_once, "reader") as pool:
        for name, opened in streams.items():
            pool.submit(readers.read, name, opened)
        left = len(streams)
        try:
            while left:
                name, what = readers.handed.get()
                if isinstance(what, BaseException):
                    raise what
                left -= what is None
                yield name, what
        finally:
            readers.stop()
            pool.shutdown(wait=False, cancel_futures=True)
