"""`python -m tests.torture.random_actions SEEDS ACTIONS`: random users, and what must hold after all they do.

Prints one line of JSON: how many actions, what went wrong (seed, number, action, how), resident memory on the way.
In a process of its own, so that the memory is that of the session alone.
"""

import json
import sys
import tempfile
import traceback
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.viewmodel.files.autosave import Autosave, read_autosave, write_autosave
from app.viewmodel.files.sessions import saved_of
from app.viewmodel.presenters.particles import particle_table
from app.viewmodel.presenters.readouts import readouts
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import ViewState
from tests.torture.memory import resident
from tests.torture.random_files import descriptions, written_files
from tests.torture.random_moves import MOVES, RandomDialogs, User
from tests.torture.random_runner import RandomRunner

ANSWER = 0.6
"""How often, after an action, something that is under way goes on."""

MEASURED = 60
"""How often the memory is measured."""


def broken(session: Session) -> list[str]:
    """What does not hold of a state."""
    state = session.state
    playback, setup, view = state.playback, state.setup, state.view
    n_dims, n_frames = state.n_dims, state.n_frames
    jobs = [job.number for job in state.jobs]
    titles = [job.title for job in state.jobs]
    result = state.result
    n_particles = result.comparison.truth.system.n_particles if result is not None else 0
    wanted = {
        "frame within range": 0 <= state.frame < max(n_frames, 1),
        "clock within the film": result is None or state.busy or 0 <= playback.position < n_frames,
        "clock finite": bool(np.isfinite(playback.position)) and playback.speed > 0,
        "marks in order": None in (playback.mark_in, playback.mark_out) or playback.mark_in < playback.mark_out,
        "plane exists": state.busy or n_dims < 2 or 0 <= state.plane[0] < state.plane[1] < n_dims,
        "controls agree with the picture": result is None or state.busy or setup == result.setup,
        "one tour at most": not (state.touring.world and state.touring.view),
        "selection exists": all(0 <= p < n_particles for p in state.selection.particles),
        "follows one that exists": state.selection.follow is None or state.selection.follow < n_particles,
        "basis": state.basis.shape == (n_dims, 3) and bool(np.isfinite(state.basis).all()),
        "basis orthonormal": orthogonal(state.basis),
        "hidden axis": 0 <= state.hidden_axis < n_dims,
        "axes exist": state.busy or view.axes is None or max(view.axes) < n_dims,
        "jobs have numbers of their own": len(set(jobs)) == len(jobs),
        "one job of a kind": len(set(titles)) == len(titles),
        "busy says what runs": state.busy == ("Simulation and forecasts" in titles) or state.lesson is not None,
        "an export has a row": (state.export_progress is not None) == any(t.startswith("Export") for t in titles),
        "a draft belongs to the picture": state.draft is None or result is not None,
        "no sketch of another picture": None in (state.sketch, result) or state.sketch.setup == result.setup,
        "one line": state.message is None or "\n" not in state.message.text,
    }  # fmt: skip
    return [name for name, holds in wanted.items() if not holds]


def orthogonal(basis: np.ndarray) -> bool:
    """Whether the columns of a view basis are orthogonal."""
    products = basis.T @ basis
    return bool(np.allclose(products, np.diag(np.diag(products)), atol=1e-6))


def kept_of(state: ViewState) -> Autosave:
    """What the autosave writes of a state."""
    return Autosave(saved_of(state), "", 1.0)


def look(session: Session, folder: Path) -> list[str]:
    """What a window computes from a state, and what it keeps against a crash."""
    state = session.state
    if state.result is not None:
        scene = scene_of(state, state.result.frames)
        assert scene is not None
        assert scene.panes
        readouts(state)
        particle_table(state)
    path = folder / "kept.json"
    write_autosave(path, kept_of(state))
    return [] if read_autosave(path).session == kept_of(state).session else ["what is kept reads back the same"]


def back_and_forth(session: Session, runner: RandomRunner) -> list[str]:
    """Undo and redo lead back to the same setup, view and draft."""
    runner.answer_all()
    session.tours.pause()
    before = step_of(session.state)
    if not session.state.can_undo:
        return []
    refused = runner.refused
    session.history.undo()
    runner.answer_all()
    if runner.refused > refused:  # a step that cannot be made any more: the controls go back to the picture
        said = session.state.message is not None and session.state.message.kind == "error"
        return [*broken(session), *([] if said else ["an undo that cannot be made says so"])]
    if not session.state.can_redo:
        return ["an undo can be redone"]
    session.history.redo()
    runner.answer_all()
    return [] if step_of(session.state) == before else ["undo then redo changes nothing"]


def step_of(state: ViewState) -> tuple[object, ...]:
    """What an undo step holds."""
    return state.setup, replace(state.view, theme="dark", show_help=False), state.draft


def random_use(seed: int, n_actions: int, memory: list[int], every: int) -> list[tuple[int, int, str, str]]:
    """Act at random; what went wrong: seed, number, action, how."""
    rng = np.random.default_rng([seed, 22])
    wrong: list[tuple[int, int, str, str]] = []
    names = list(MOVES)
    shares = np.array([MOVES[name][0] for name in names])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "files").mkdir()
        files = written_files(folder / "files")
        described = descriptions(files)
        runner = RandomRunner(rng, described)
        (folder / "config").mkdir()
        session = Session(runner, ViewState(setup=Setup(model="fake")), folder / "config")
        session.start()
        user = User(session, RandomDialogs(rng=rng, files=[*described, *files], folder_to_write=folder), rng)
        for number in range(n_actions):
            name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
            done = name
            try:
                MOVES[name][1](user)
                found = broken(session)
                if rng.random() < ANSWER:
                    done = f"{name}, then an answer"
                    runner.answer_one()
                    found += broken(session)
                if number % 5 == 0:
                    done = f"{name}, then a look"
                    found += look(session, folder)
                if number % 23 == 0:
                    done = f"{name}, then undo and redo"
                    found += back_and_forth(session, runner)
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                found = [f"{type(error).__name__}: {error} ({where})"]
            wrong += [(seed, number, done, how) for how in dict.fromkeys(found)]
            if number % every == 0:
                memory.append(resident())
        session.close()
    return wrong


def main() -> None:
    """Run the users one after the other, in one process."""
    n_seeds, n_actions = int(sys.argv[1]), int(sys.argv[2])
    warnings.simplefilter("error")
    memory: list[int] = []
    wrong: list[Any] = []
    every = max(n_seeds * n_actions // MEASURED, 1)
    for seed in range(n_seeds):
        wrong += random_use(seed, n_actions, memory, every)
    print(json.dumps({"actions": n_seeds * n_actions, "wrong": wrong, "memory": memory}))


if __name__ == "__main__":
    main()
