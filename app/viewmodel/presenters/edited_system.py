"""Moving particles in the view: a mode in which the truth pane shows the system's first state. Pure functions.

What is dragged is drawn: three coordinates (two where the picture is flat) of the turned world. A shift d there is
R^T V d of the system's own coordinates; what the view basis V hides stays as it is.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.viewmodel.state.setup import OwnSystem
from app.viewmodel.state.view_state import ViewState
from physics.types import FloatArray
from surrogate.render.animation import particle_radii
from surrogate.render.captions import short_number
from surrogate.render.colourings import charge_colours
from surrogate.render.scene import Pane, Scene

ARROW_TIME = 1.0
"""A velocity's arrow leads to where the particle would be after this long [time]."""

KEYS = "Drag: place. Shift+drag: velocity. Arrow keys: nudge. Esc: done."

NUDGE = 0.02
"""How far a key moves a particle, as a share of the system's largest distance from the origin."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """How a system is drawn.

    Attributes
    ----------
    system : OwnSystem
    frame : (3, n) float64
        V^T R: from the system's coordinates to the drawn ones.
    """

    system: OwnSystem
    frame: FloatArray

    @property
    def places(self) -> FloatArray:
        """Where the particles are drawn, (N, 3) [length]."""
        return np.array(self.system.positions) @ self.frame.T

    @property
    def tips(self) -> FloatArray:
        """Where the arrows of their velocities end, (N, 3) [length]."""
        return self.places + ARROW_TIME * np.array(self.system.velocities) @ self.frame.T

    def with_place(self, particle: int, point: FloatArray) -> OwnSystem:
        """The particle moved to a drawn point, (3,)."""
        shift = (point - self.places[particle]) @ self.frame
        return replace(self.system, positions=_shifted(self.system.positions, particle, shift))

    def with_tip(self, particle: int, point: FloatArray) -> OwnSystem:
        """The particle's velocity such that its arrow ends at a drawn point, (3,)."""
        shift = (point - self.tips[particle]) @ self.frame / ARROW_TIME
        return replace(self.system, velocities=_shifted(self.system.velocities, particle, shift))


def drawing(state: ViewState) -> Drawing | None:
    """The system that is edited as it is drawn; None where there is none, or it has not as many dimensions yet."""
    result, seen = state.result, state.seen
    if state.moving is None or result is None or seen is None or result.system is None:
        return None
    system = state.moving.system or (state.draft.system if state.draft is not None else result.system)
    rotation = seen.comparison.rotation
    if system.n_dims != len(rotation) or not system.n_particles:
        return None
    return Drawing(system, state.basis.T @ rotation)


def in_view(state: ViewState) -> bool:
    """Whether the first pane is the truth's, which is the one to drag in."""
    return state.view.layout == "twin" and state.view.maximised in (None, 0)


def nudge_length(system: OwnSystem) -> float:
    """How far a key moves a particle [length]."""
    reach = float(np.linalg.norm(system.positions, axis=1).max())
    return NUDGE * (reach if reach > 0 else 1.0)


def with_edited(drawn: Scene, state: ViewState) -> Scene:
    """The picture with the system's first state in the truth's pane; as it is where nothing is edited."""
    edited = drawing(state)
    if edited is None:
        return drawn
    count = edited.system.n_particles
    panes = tuple(_edited_pane(p, drawn, edited, state) if p.source == "truth" else p for p in drawn.panes)
    headline = drawn.headline.replace("t = ", "film at t = ", 1)  # the time of the other panes
    return replace(drawn, panes=panes, headline=headline, selected=tuple(k for k in drawn.selected if k < count))


FAR, LIGHT = 1e15, 1e-12
"""A system that is being edited may hold what no simulation takes: places and masses are drawn within these."""


def _edited_pane(pane: Pane, drawn: Scene, edited: Drawing, state: ViewState) -> Pane:
    system = edited.system
    charges = np.array(system.charges)
    waits = state.result is not None and system != state.result.system
    return replace(
        pane,
        title="Scene editor",
        subtitle=f"state at t = {system.start:g}. {KEYS}",
        badge="not simulated yet" if waits else "",
        footer=_words(system, state),
        points=np.clip(edited.places, -FAR, FAR).astype(np.float32),
        colours=charge_colours(charges, drawn.theme).astype(np.uint8),
        radii=particle_radii(np.maximum(system.masses, LIGHT), drawn.radius),
        signs=np.sign(charges).astype(np.int8),
        seen=np.ones(len(charges), dtype=np.float32),
        trails=pane.trails[:, :0],
        trail_colours=pane.trail_colours[:, :0],
    )


def _words(system: OwnSystem, state: ViewState) -> str:
    """The numbers of the particle that is held, or else selected."""
    held = state.moving.particle if state.moving is not None else None
    chosen = state.selection.particles
    which = held if held is not None else (chosen[-1] if chosen else None)
    if which is None or which >= system.n_particles:
        return f"arrows: the way of {ARROW_TIME:g} time unit"
    x, v = (", ".join(map(short_number, rows[which])) for rows in (system.positions, system.velocities))
    return f"particle {which}   x = ({x})   v = ({v})"


def _shifted(rows: tuple[tuple[float, ...], ...], at: int, shift: FloatArray) -> tuple[tuple[float, ...], ...]:
    row = tuple((np.array(rows[at]) + shift).tolist())
    return (*rows[:at], row, *rows[at + 1 :])
