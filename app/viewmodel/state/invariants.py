"""What holds of every state that is shown, whoever changed it: the Store applies it to each new one."""

from dataclasses import replace

import numpy as np

from app.viewmodel.state.conditions import ticked
from app.viewmodel.state.view_state import ViewState


def consistent(state: ViewState) -> ViewState:
    """The state without a sketch of something else than is shown, and with what is done of its lesson ticked."""
    return ticked(kept(state))


def kept(state: ViewState) -> ViewState:
    """The state without its sketch where that no longer belongs to what is shown."""
    sketch = state.sketch
    if sketch is None or state.result is None:
        return state
    same = state.result.setup == sketch.setup and np.array_equal(state.basis, sketch.basis)
    return state if same else replace(state, sketch=None)
