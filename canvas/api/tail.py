"""Tails the database for everybody who watches: one thread per process, asleep while nobody does."""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from canvas.api.subscriber import Frame, Subscriber
from canvas.db import connect, reading
from canvas.domain.progress import Progress
from canvas.domain.states import RunStatus
from canvas.services import feed
from canvas.settings import Settings

_TICK_SECONDS: Final = 0.01
_DEAR_TICK_SECONDS: Final = 0.05
"Where asking for news costs a query."
_LIST_SECONDS: Final = 0.2
_AFTER_ERROR_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class WatchedRun:
    """A run that somebody watches, as far as its subscribers have been told."""

    def __init__(self, head: dict[str, Any], progress: Progress, seq: int) -> None:
        self.head = head
        self.progress = progress
        self.seq = seq
        self.subscribers: list[Subscriber] = []

    @property
    def has_ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return RunStatus(self.head["status"]).is_terminal

    def snapshot(self) -> Frame:
        """Describe all of it."""
        return {"type": "snapshot", "seq": self.seq, "run": self.head, "nodes": self.progress.nodes()}

    def fold(self, rows: list[feed.Happened], head: dict[str, Any]) -> Frame | None:
        """Take in what happened; gives the frame that tells it, or None when it shows nothing new."""
        names = {self.progress.apply(row.step) for row in rows if row.step}
        run = {key: value for key, value in head.items() if self.head[key] != value}
        self.head = head
        self.seq = rows[-1].seq if rows else self.seq
        frame = self.delta(run=run, lines=[row.line for row in rows if row.line])
        frame["nodes"] = {name: self.progress.node(name) for name in names if name is not None}
        return frame if frame["run"] or frame["nodes"] or frame["lines"] else None

    def delta(self, *, run: dict[str, Any], lines: list[feed.Line]) -> Frame:
        """Describe a change that touches no node."""
        return {"type": "delta", "seq": self.seq, "run": run, "nodes": {}, "lines": lines}


class Tail:
    """Gives the subscribers of a run a snapshot, then what changes; subscribers of the list learn which runs change.

    When the database fails, all subscribers are closed; browsers come back and start from a snapshot.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._messages: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread: Thread | None = None
        self._starting = Lock()
        self._runs: dict[str, WatchedRun] = {}
        self._lists: list[Subscriber] = []
        self._list_seq = 0
        self._list_due_at = 0.0
        self._list_has_news = False

    def watch_run(self, run_id: str, subscriber: Subscriber, *, lines_after: int) -> None:
        """Tell the subscriber of one run; it is closed at once when there is no such run."""
        self._send(partial(self._admit_to_run, run_id, subscriber, lines_after))

    def watch_list(self, subscriber: Subscriber) -> None:
        """Tell the subscriber which runs change, at most five times a second."""
        self._send(partial(self._admit_to_list, subscriber))

    def leave(self, subscriber: Subscriber) -> None:
        """Tell the subscriber nothing more."""
        self._send(partial(self._let_go, subscriber))

    def _send(self, message: Callable[[], None]) -> None:
        self._messages.put(message)
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="live-feed", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                with closing(feed.CommitWatch(connect(self._settings))) as commits:
                    self._follow(commits)
            except Exception:
                _log.exception("the live feed lost the database; its readers are sent to connect again")
                self._close_all()
                time.sleep(_AFTER_ERROR_SECONDS)

    def _follow(self, commits: feed.CommitWatch) -> None:
        tick = _TICK_SECONDS if commits.is_cheap else _DEAR_TICK_SECONDS
        has_more = False
        while True:
            is_watched = bool(self._runs or self._lists)
            self._take_messages(0.0 if has_more else tick if is_watched else None)
            has_news = commits.has_news()
            has_more = self._tell_runs() if has_news or has_more else False
            self._tell_lists(has_news=has_news)

    def _take_messages(self, seconds: float | None) -> None:
        try:
            message = self._messages.get(timeout=seconds)
            while True:
                message()
                message = self._messages.get_nowait()
        except Empty:
            return

    def _admit_to_run(self, run_id: str, subscriber: Subscriber, lines_after: int) -> None:
        with reading(self._settings) as session:
            watched = self._runs.get(run_id) or _load(session, run_id)
            lines = feed.recent_lines(session, run_id, after=lines_after)
        if watched is None:
            subscriber.close()
            return
        self._runs[run_id] = watched
        watched.subscribers.append(subscriber)
        subscriber.tell(watched.snapshot())
        if told := [line for line in lines if line.seq <= watched.seq]:
            subscriber.tell(watched.delta(run={}, lines=told))

    def _admit_to_list(self, subscriber: Subscriber) -> None:
        if not self._lists:
            with reading(self._settings) as session:
                self._list_seq = feed.last_seq(session)
        self._lists.append(subscriber)

    def _let_go(self, subscriber: Subscriber) -> None:
        self._lists = [other for other in self._lists if other is not subscriber]
        for watched in self._runs.values():
            watched.subscribers = [other for other in watched.subscribers if other is not subscriber]
        self._runs = {run_id: watched for run_id, watched in self._runs.items() if watched.subscribers}

    def _tell_runs(self) -> bool:
        """Tell what happened; gives whether there is more of it."""
        going = {run_id: watched for run_id, watched in self._runs.items() if not watched.has_ended}
        if not going:
            return False
        has_more = False
        with reading(self._settings) as session:
            heads = feed.heads(session, going)
            for run_id, watched in going.items():
                rows = feed.happened(session, run_id, after=watched.seq)
                has_more = has_more or len(rows) == feed.BATCH
                self._tell_run(watched, rows, heads.get(run_id))
        return has_more

    def _tell_run(self, watched: WatchedRun, rows: list[feed.Happened], head: dict[str, Any] | None) -> None:
        if head is None:  # deleted
            for subscriber in watched.subscribers:
                subscriber.close()
        elif (frame := watched.fold(rows, head)) is not None:
            for subscriber in watched.subscribers:
                subscriber.tell(frame)

    def _tell_lists(self, *, has_news: bool) -> None:
        self._list_has_news = bool(self._lists) and (has_news or self._list_has_news)
        if not self._list_has_news or time.monotonic() < self._list_due_at:
            return
        with reading(self._settings) as session:
            changed = feed.changed_runs(session, after=self._list_seq)
        self._list_has_news = False
        if changed:
            self._list_seq = max(changed.values())
            self._list_due_at = time.monotonic() + _LIST_SECONDS
            for subscriber in self._lists:
                subscriber.tell({"type": "changed", "runs": list(changed)})

    def _close_all(self) -> None:
        for subscriber in [*self._lists, *(s for watched in self._runs.values() for s in watched.subscribers)]:
            subscriber.close()
        self._runs, self._lists = {}, []


def _load(session: Any, run_id: str) -> WatchedRun | None:
    seq = feed.last_seq(session)
    heads = feed.heads(session, [run_id])
    if run_id not in heads:
        return None
    return WatchedRun(heads[run_id], Progress(feed.step_states(session, run_id, seq=seq)), seq)
