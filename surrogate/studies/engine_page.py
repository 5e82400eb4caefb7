"""`python -m surrogate.studies.engine_page`: docs/engine.md and its figure, from the registries and a run."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physics import State, System, Trajectory, simulate
from physics.boundaries import BOUNDARIES
from physics.cli import CommandParser, run_command
from physics.errors import EnergyWarning
from physics.files import atomic_write
from physics.integrators import INTEGRATORS
from physics.laws import LAWS
from physics.laws.reference import REFERENCE_DT
from physics.stepping.guards import energy_change
from physics.types import FloatArray
from surrogate.evaluation.benchmark.figures import COLOURS, DASHES, blank

EXAMPLES = ("python -m surrogate.studies.engine_page --out docs",)

SEMI_AXIS, ECCENTRICITY = 0.5, 0.998
"""Of the orbit in the figure: the two charges pass at (1 - 0.998) 0.5 = 0.001."""
FRAMES = 1601

TEXT = """# The engine

Written by `python -m surrogate.studies.engine_page --out docs`: the tables are the registries' own claims, each
of which the tests check, and `tests/surrogate/studies/test_engine_page.py` runs the examples.

```python
from physics import State, System, simulate

positions = [[0.5, 0.0, 0.0], [-0.5, 0.1, 0.0], [0.0, 0.8, 0.3]]
velocities = [[0.0, 0.4, 0.0], [0.0, -0.4, 0.1], [0.3, 0.0, 0.0]]
system = System([1.0, -1.0, 1.0], masses=[1.0, 2.0, 1.0])
trajectory = simulate(system, State(positions, velocities), 2.0, n_frames=41)
trajectory.positions.shape  # (frames, particles, dimensions): (41, 3, 3)
```

Units are reduced: length, time, mass and charge are of order 1, and the Coulomb constant is 1. The number of
dimensions is that of the positions.

## Laws

{laws}

r_ij points from j to i. A sum of laws is written with "+", its parameters with their law in front; it claims what
all of its terms do. `p="gauss"` is n - 1, the law of a point charge in n dimensions.

```python
both = System([1.0, -1.0, 1.0], law="gravity+coulomb", parameters={{"gravity.G": 0.5, "coulomb.eps": 0.05}})
simulate(both, State(positions, velocities), 1.0)
```

## Fields and boundaries

Each particle may also feel an electric field, a magnetic field (an antisymmetric matrix, in any dimension), linear
drag and a harmonic trap about the origin: m dv/dt = (pairs) + q E + q B v - gamma v - k x.

```python
import numpy as np
from physics.fields import Fields

B = np.zeros((3, 3))
B[0, 1], B[1, 0] = 2.0, -2.0
fields = Fields(electric=[0.1, 0.0, 0.0], magnetic=B, drag=0.05, trap=0.4)
simulate(System([1.0, -1.0, 1.0], fields=fields), State(positions, velocities), 1.0)
```

{boundaries}

In a periodic box a pair sees its nearest images only, and its energy is switched off smoothly between `onset` and
`cutoff`; positions run on past the walls, and `boundary.wrapped` brings them back.

```python
from physics.boundaries import Boundary

box = System([1.0, -1.0, 1.0], boundary=Boundary("periodic", 4.0))
simulate(box, State(positions, velocities), 1.0)
```

## Integrators

{integrators}

"Order" is that of the error in the step. IAS15 and the adaptive leapfrog choose their steps; `dt` is then only the
first one tried. Left to itself (`integrator="auto"`), `simulate` takes symplectic-euler for the published clamped
law, leapfrog between reflecting walls, ias15 for a law without softening (unless `dt` is given), boris where a
force depends on the velocity, leapfrog otherwise. `dt` is a share of the shortest time scale that a state can
have, at most 0.0005.

```python
exact = simulate(system, State(positions, velocities), 2.0, integrator="ias15")
first = simulate(system, State(positions, velocities), 1.0, times=[0.0, 0.5, 1.0], integrator="ias15")
second = simulate(system, first.state(-1), 1.0, times=[1.0, 1.5, 2.0], integrator="ias15")
```

The last frame's state carries the integrator's memory, so that two runs have the bits of one.

## How wrong it is

`estimate_error=True` runs a second time with steps half as long and gives each frame its estimated error. Without
it, a run whose energy changed by a tenth of the sum of its terms warns, and a state that stops being finite is
refused with its time, particle and step.

```python
checked = simulate(system, State(positions, velocities), 2.0, estimate_error=True)
checked.position_errors[-1]  # largest error of any particle's position, estimated
```

## A close encounter

![Two charges pass at 0.001: trajectories and energy errors](figures/encounter.png)

Two opposite charges fall past each other at a distance of 0.001, five times. The passage takes some
{passage:.0e} time units; the published generator's step is {dt:g}. Largest errors over the run:

{encounter}

Positions are held against the ellipse, which is known in closed form; energies against the sum of the sizes of
their terms.

## Observables

```python
from physics import observables

observables.energy_parts(trajectory)  # kinetic, each law, electric, trap; each (frames,)
observables.total_energy(trajectory), observables.particle_energies(trajectory)
observables.momentum(trajectory), observables.angular_momentum(trajectory)  # the latter an n x n matrix
observables.virial(trajectory), observables.temperature(trajectory), observables.closest_approach(trajectory)
```

The growth of a small perturbation:

```python
from physics.lyapunov import lyapunov_exponent

lyapunov_exponent(system, State(positions, velocities), 2.0, n_intervals=10)  # [1/time]
```
"""


@dataclass(frozen=True)
class Run:
    """One integrator's way through the encounter.

    Attributes
    ----------
    trajectory : Trajectory
    energy_errors : (n_frames,) float64
        Over the sum of the sizes of the energy's terms.
    position_errors : (n_frames,) float64 [length]
        Against the closed form.
    """

    trajectory: Trajectory
    energy_errors: FloatArray
    position_errors: FloatArray


def ellipse(times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities of two opposite unit charges of mass 1 on the orbit, from the farthest point on.

    Returns
    -------
    positions, velocities : (n_times, 2, 2) float64
    """
    a, e = SEMI_AXIS, ECCENTRICITY
    rate = np.sqrt(2.0 / a**3)
    anomaly = np.pi + rate * times
    low, high = anomaly - 1.0, anomaly + 1.0
    for _ in range(60):  # bisection: Newton's steps leave so long an ellipse
        middle = 0.5 * (low + high)
        late = middle - e * np.sin(middle) > np.pi + rate * times
        low, high = np.where(late, low, middle), np.where(late, middle, high)
    E = 0.5 * (low + high)
    E_dot = rate / (1.0 - e * np.cos(E))
    b = a * np.sqrt(1.0 - e**2)
    r = np.stack([a * (np.cos(E) - e), b * np.sin(E)], axis=-1)
    w = np.stack([-a * np.sin(E), b * np.cos(E)], axis=-1) * E_dot[:, None]
    return np.stack([0.5 * r, -0.5 * r], axis=1), np.stack([0.5 * w, -0.5 * w], axis=1)


def encounters() -> dict[str, Run]:
    """The three runs of the figure, by the names in its legend."""
    period = 2.0 * np.pi * np.sqrt(SEMI_AXIS**3 / 2.0)
    times = np.linspace(0.0, 5.0 * period, FRAMES)
    truth, velocities = ellipse(times)
    system = System([1.0, -1.0], parameters={"eps": 0.0})
    state = State(truth[0], velocities[0])
    runs = {}
    for name, dt in (("leapfrog", REFERENCE_DT), ("adaptive-leapfrog", None), ("ias15", None)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EnergyWarning)  # leapfrog's is what the figure shows
            path = simulate(system, state, times[-1], times=times, integrator=name, dt=dt)
        apart = np.linalg.norm(path.positions - truth, axis=-1).max(axis=1)
        runs[f"{name}, dt = {dt:g}" if dt else name] = Run(path, energy_change(path), apart)
    return runs


def save_figure(runs: dict[str, Run], path: Path) -> None:
    """Trajectories of the first charge, and both errors against time."""
    figure, axes = blank(11.0, 3.8, 3)
    for index, (name, run) in enumerate(runs.items()):
        look: dict[str, Any] = {"color": COLOURS[(2, 1, 0)[index]], "linestyle": DASHES[index], "linewidth": 1.4}
        x, times = run.trajectory.positions[:, 0], run.trajectory.times
        axes[0].plot(x[:, 0], x[:, 1], label=name, **look)
        axes[1].plot(times[1:], np.maximum(run.energy_errors[1:], 1e-17), **look)
        axes[2].plot(times[1:], np.maximum(run.position_errors[1:], 1e-17), **look)
    axes[0].set(xlim=(-0.55, 0.15), ylim=(-0.05, 0.05), xlabel="x", ylabel="y")
    axes[0].set_title("path of the first charge (y stretched)", fontsize=10, loc="left")
    axes[0].legend(fontsize=8, frameon=False, loc="lower left")
    for each, title in zip(axes[1:], ("|dE| / sum of |terms|", "error of the positions"), strict=True):
        each.set(yscale="log", xlabel="time")
        each.set_title(title, fontsize=10, loc="left")
    figure.savefig(path)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines)


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def law_table() -> str:
    """LAWS in Markdown."""
    rows = [
        [
            f"`{name}`",
            f"`{row.formula}`",
            ", ".join(f"{key} = {value:g}" for key, value in row.defaults.items()),
            *map(_yes, (row.conservative, row.isotropic, row.smooth_at_contact)),
        ]
        for name, row in LAWS.items()
    ]
    return _table(["law", "force", "parameters", "keeps energy", "isotropic", "smooth at contact"], rows)


def boundary_table() -> str:
    """BOUNDARIES in Markdown."""
    rows = [
        [f"`{name}`", f"`{row.formula}`", *map(_yes, (row.isotropic, row.keeps_momentum, row.smooth))]
        for name, row in BOUNDARIES.items()
    ]
    return _table(["boundary", "what it does", "isotropic", "keeps momentum", "smooth"], rows)


def integrator_table() -> str:
    """INTEGRATORS in Markdown."""
    rows = [
        [
            f"`{name}`",
            str(row.order),
            *map(_yes, (row.symplectic, row.reversible, row.adaptive, row.takes_velocity_forces, row.takes_walls)),
        ]
        for name, row in INTEGRATORS.items()
    ]
    head = ["integrator", "order", "symplectic", "reversible", "own steps", "magnetic field, drag", "walls"]
    return _table(head, rows)


def encounter_table(runs: dict[str, Run]) -> str:
    """The largest errors of each run in Markdown."""
    rows = [
        [name, f"{run.energy_errors.max():.0e}", f"{run.position_errors.max():.0e}"] for name, run in runs.items()
    ]
    return _table(["integrator", "energy", "positions"], rows)


def page(runs: dict[str, Run]) -> str:
    """The whole of docs/engine.md."""
    closest = (1.0 - ECCENTRICITY) * SEMI_AXIS
    speed = np.sqrt(2.0 / SEMI_AXIS * (1.0 + ECCENTRICITY) / (1.0 - ECCENTRICITY))
    return TEXT.format(
        laws=law_table(),
        boundaries=boundary_table(),
        integrators=integrator_table(),
        encounter=encounter_table(runs),
        passage=closest / speed,
        dt=REFERENCE_DT,
    )


def main(argv: Sequence[str]) -> None:
    """Parse the command line, run the encounter, write page and figure."""
    parser = CommandParser("surrogate.studies.engine_page", "Write docs/engine.md and its figure.", EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, help="folder for engine.md and figures/encounter.png")
    options = parser.parse_args(argv)
    runs = encounters()
    figures = options.out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    save_figure(runs, figures / "encounter.png")
    atomic_write(options.out / "engine.md", page(runs).encode())
    sys.stdout.write(encounter_table(runs) + f"\n{options.out / 'engine.md'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
