"""What tests of the application share of data of the user's own: files, and sessions that show them."""

import numpy as np

from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.runner import InlineRunner


def stored(
    tmp_path, name="own.npz", *, n=5, frames=30, dims=3, length=1.0, time=1.0, spacing=0.1, start=0.0, leave=()
):
    """A file as somebody else would write it: particles that swing about, no law, no splits."""
    rng = np.random.default_rng(n)
    rest, swing = 2.0 * rng.standard_normal((n, dims)), 0.3 * rng.standard_normal((n, dims))
    rate, t = 0.5 + rng.random((n, 1)), spacing * np.arange(frames)
    phase = rate * t[:, None, None]
    arrays = {
        "positions": length * (rest + swing * np.sin(phase))[None],
        "velocities": length / time * (swing * rate * np.cos(phase))[None],
        "charges": rng.choice([-1.0, 1.0], (1, n)),
        "times": start + time * t,
    }
    np.savez(tmp_path / name, **{key: value for key, value in arrays.items() if key not in leave})
    return str(tmp_path / name)


def opened(path, model="integrator-nd", runner=None, **setup):
    """A session that shows a file, and all states it went through."""
    session = Session(
        runner or InlineRunner(), ViewState(setup=Setup(scenario="", data=path, model=model, **setup))
    )
    seen = []
    session.subscribe(lambda state: seen.append(state.result))
    session.start()
    return session, [result for result in seen if result is not None]


def at(session, frame):
    session.clock.seek(frame)
    return session.state


def scene(state):
    return scene_of(state, state.result.frames)
