"""The session kept against a crash, and what a crash left offered for restoring; never used unasked."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from app.viewmodel.files.autosave import Autosave, Left, OwnFile, left_behind
from app.viewmodel.files.sessions import saved_of
from app.viewmodel.intents.files import FileIntents
from app.viewmodel.state.view_state import Offer, ViewState
from app.viewmodel.store import Store


class AutosaveIntents:
    """Writes in a thread of its own, for a disk may be slow; does nothing where `folder` is None."""

    def __init__(self, store: Store, files: FileIntents, folder: Path | None) -> None:
        self._store, self._files = store, files
        self._folder = folder
        self._own = OwnFile(folder) if folder is not None else None
        self._kept = _worth_keeping(store.state)
        self._left: list[Left] = []
        self._writer: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None
        self._failed = False

    def tick(self) -> None:
        """Write the session if it has changed; called every few seconds."""
        state = self._store.state
        if self._own is None or (self._pending is not None and not self._pending.done()):
            return
        self._report()
        now = _worth_keeping(state)
        if not state.preferences.autosave:
            self._kept = None
            self._submit(None)
        elif now != self._kept:
            self._kept = now
            self._submit(self._saved())

    def flush(self) -> None:
        """Wait until it is written."""
        if self._pending is not None:
            self._pending.exception()
            self._report()

    def look(self) -> None:
        """Offer what a crash left; called once, at the start."""
        if self._folder is None:
            return
        try:
            self._left, troubles = left_behind(self._folder)
        except OSError as error:
            self._store.say(f"autosaved sessions not looked for: {error.filename}: {error.strerror}", "error")
            return
        if troubles:
            more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
            self._store.say(f"damaged autosave: {troubles[0]}{more}", "error")
        self._offer()

    def restore(self) -> None:
        """Use the session that is offered."""
        if not self._left:
            return
        left = self._left.pop(0)
        self._files.use(left.saved.session, left.saved.path, left.saved.draft)
        self._offer()
        if self._store.state.message is None:
            self._store.say("session restored")
        self._kept = _worth_keeping(self._store.state)
        self._submit(self._saved() if self._store.state.preferences.autosave else None, then_remove=left)

    def discard(self) -> None:
        """Throw the session that is offered away."""
        if self._left:
            self._left.pop(0).remove()
            self._offer()

    def close(self) -> None:
        """Leave nothing of this window behind; what was offered and not answered is offered again."""
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None
        for left in self._left:
            left.let_go()
        self._left = []
        if self._own is not None:
            self._own.remove()
            self._own = None

    def _saved(self) -> Autosave:
        state = self._store.state
        return Autosave(saved_of(state), self._files.path, time.time(), draft=state.draft)

    def _submit(self, saved: Autosave | None, then_remove: Left | None = None) -> None:
        own = self._own
        if own is None:
            return

        def work() -> None:
            if saved is None:
                own.remove()
            else:
                own.write(saved)
            if then_remove is not None:  # only now: a crash in between must not lose it
                then_remove.remove()

        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, "isotwin autosave")
        self._pending = self._writer.submit(work)

    def _report(self) -> None:
        """Say once that it cannot be written."""
        if self._pending is None:
            return
        error = self._pending.exception()
        self._pending = None
        if error is not None and not self._failed:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._store.say(f"not autosaved: {reason}", "error")
        self._failed = error is not None

    def _offer(self) -> None:
        self._store.publish(offer=offer_of(self._left[0].saved) if self._left else None)


def offer_of(saved: Autosave) -> Offer:
    """The question whether to restore it, in words."""
    setup = saved.session.setup
    what = Path(setup.data).name if setup.data else Path(setup.scenario).stem
    size = f", n = {setup.dims}" if setup.dims is not None else ""
    when = time.strftime("%d %B, %H:%M", time.localtime(saved.written))
    return Offer(
        f"The window did not close properly the last time. Its session was kept: {what}{size} ({when}).",
        "Restore",
        "Discard",
    )


def _worth_keeping(state: ViewState) -> object:
    """What is compared to see whether the session has changed; a running clock is no change."""
    playback = replace(state.playback, position=0.0) if state.playback.playing else state.playback
    return state.setup, replace(state.view, show_help=False), playback, state.plane, state.camera, state.draft
