"""R3, R14 and R15: restarts of the engine to the bit, hostile numbers, runs that blow up."""

import itertools
import warnings

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import BOUNDARIES, OPEN, Boundary
from physics.errors import EnergyWarning, InputError, SimulationError
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.laws import LAWS

SUMS_TOO = [*LAWS, "gravity+coulomb", "yukawa+spring"]
AROUND = {"open": OPEN, "reflecting": Boundary("reflecting", 6.0), "periodic": Boundary("periodic", 6.0)}


def fields_of(kind, n, rng):
    """Of one kind, random."""
    a = rng.standard_normal((n, n))
    return {
        "none": Fields(),
        "electric": Fields(electric=0.3 * rng.standard_normal(n)),
        "trap": Fields(trap=0.5),
        "magnetic": Fields(magnetic=a - a.T, drag=0.1),
    }[kind]


def possible(integrator, boundary, kind):
    row = INTEGRATORS[integrator]
    if boundary == "reflecting" and not row.takes_walls:
        return False
    if boundary == "periodic" and kind == "trap":
        return False
    return kind != "magnetic" or row.takes_velocity_forces


DRAWS = 3

CASES = [
    case
    for case in itertools.product(INTEGRATORS, SUMS_TOO, AROUND, ("none", "electric", "trap", "magnetic"))
    if possible(case[0], case[2], case[3])
]


def differences_of_a_split_run(number):
    """What differs, in words, between a run of a case and the same one split at a random frame.

    A start that ends in a collision on a line, which an adaptive integrator refuses, is drawn anew.
    """
    integrator, law, boundary, kind = CASES[number]
    choices = {"integrator": integrator, "dt": 5e-3}
    for draw in range(DRAWS):
        system, state, times, cut = drawn(law, boundary, kind, np.random.default_rng([7, number, draw]))
        try:
            whole = simulate(system, state, times[-1] - times[0], times=times, **choices)
            break
        except SimulationError as error:
            if "cannot be resolved" not in str(error):
                raise
    first = simulate(system, state, times[cut] - times[0], times=times[: cut + 1], **choices)
    second = simulate(system, first.state(-1), times[-1] - times[cut], times=times[cut:], **choices)
    both = {
        name: np.concatenate([getattr(first, name), getattr(second, name)[1:]])
        for name in ("positions", "velocities")
    }
    at = (CASES[number], *state.positions.shape)
    return [(*at, name) for name in both if both[name].tobytes() != getattr(whole, name).tobytes()]


def drawn(law, boundary, kind, rng):
    """A random system with its start, the times of its frames, and the frame to split at."""
    n, N = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    x = 0.8 * np.arange(N)[:, None] - 1.5 + 0.2 * rng.standard_normal((N, n))
    system = System(
        rng.choice([-1.0, 1.0], N),
        rng.uniform(0.5, 2.0, N),
        law,
        fields=fields_of(kind, n, rng),
        boundary=AROUND[boundary],
    )
    state = State(x, rng.standard_normal((N, n)), float(rng.uniform(-3, 3)))
    times = state.time + np.concatenate([[0.0], np.cumsum(rng.uniform(0.005, 0.08, 6))])
    return system, state, times, int(rng.integers(1, 6))


@pytest.mark.torture("R3")
def test_R3_a_run_split_anywhere_is_the_run(row):
    """Every law, boundary and field each integrator takes; equal to the last bit."""
    order = np.random.default_rng(len(CASES)).permutation(len(CASES))[: row.size]
    different = [found for number in order for found in differences_of_a_split_run(number)]
    row.got(f"{len(order)} cases, {len(different)} differences")
    assert not different
    assert {CASES[number][0] for number in order} == set(INTEGRATORS)
    assert {CASES[number][2] for number in order} == set(BOUNDARIES)


def test_an_ulp_at_the_split_is_seen():
    system, state = System([1.0, -1.0]), State([[0.5, 0.0], [-0.5, 0.0]], [[0.0, 0.5], [0.0, -0.5]])
    whole = simulate(system, state, 0.2, times=[0.0, 0.1, 0.2])
    first = simulate(system, state, 0.1, times=[0.0, 0.1])
    x = first.positions[-1].copy()
    x[0, 0] = np.nextafter(x[0, 0], 1.0)
    second = simulate(system, State(x, first.velocities[-1], 0.1), 0.1, times=[0.1, 0.2])
    assert (second.positions[-1] != whole.positions[-1]).any()


# -- R14 ---------------------------------------------------------------------------------------------------------


def start(kind, n, N):
    """Positions and velocities of a hostile kind."""
    x = np.arange(N)[:, None] * np.ones((N, n))
    v = np.zeros((N, n))
    if N == 0:
        return x, v
    if kind == "coincident":
        x[:] = 0.0
    elif kind == "ulp":
        x[:] = 1.0
        x[-1] = np.nextafter(1.0, 2.0)
    elif kind == "nan":
        x[-1, 0] = np.nan
    elif kind == "inf":
        v[-1, 0] = np.inf
    elif kind == "large":
        x[-1, 0] = 1e300
    elif kind == "fast":
        v[-1, 0] = 1e300
    elif kind == "denormal":
        x[:] = 5e-324 * np.arange(N)[:, None]
    return x, v


STARTS = ("plain", "coincident", "ulp", "nan", "inf", "large", "fast", "denormal")
WEIGHTS = {
    "ones": (1.0, 1.0),
    "no charge": (0.0, 1.0),
    "no mass": (1.0, 0.0),
    "light": (1.0, 1e-300),
    "heavy": (1.0, 1e300),
    "denormal": (5e-324, 1.0),
    "charged": (1e200, 1.0),
}
STEPS = {"default": None, "zero": 0.0, "negative": -1e-3, "large": 1e300, "tiny": 1e-300, "nan": np.nan}
WHERE = ("particle", "charges", "masses", "positions", "velocities", "dt ", "duration", "coincide")


def hostile(integrator, law, eps, kind, weights, step, n, N):
    """The outcome: "finite" or the refusal's text; anything else is an error of the engine."""
    x, v = start(kind, n, N)
    q, m = WEIGHTS[weights]
    parameters = {"eps": eps} if eps is not None and "eps" in LAWS[law].defaults else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", EnergyWarning)
            system = System(np.full(N, q), np.full(N, m), law, parameters)
            path = simulate(system, State(x, v), 0.02, n_frames=3, integrator=integrator, dt=STEPS[step])
    except InputError as error:  # a SimulationError is one
        text = str(error)
        assert "\n" not in text
        assert any(word in text for word in WHERE), text
        return text
    assert np.isfinite(path.positions).all()
    assert np.isfinite(path.velocities).all()
    return "finite"


def hostile_cases():
    """One hostile thing at a time for two particles and every integrator, then everything with everything."""
    alone = [(kind, "ones", "default") for kind in STARTS]
    alone += [("plain", weights, "default") for weights in WEIGHTS if weights != "ones"]
    alone += [("plain", "ones", step) for step in STEPS if step != "default"]
    first = list(itertools.product(INTEGRATORS, alone, (2,)))
    rest = list(itertools.product(INTEGRATORS, itertools.product(STARTS, WEIGHTS, STEPS), (0, 1, 2)))
    rest = [rest[k] for k in np.random.default_rng(14).permutation(len(rest))]
    return first + [case for case in rest if case not in set(first)]


@pytest.mark.torture("R14")
def test_R14_numbers_of_every_kind(row):
    """Finite, or one line that names what and where."""
    rng = np.random.default_rng(14)
    outcomes = {}
    for integrator, numbers, N in hostile_cases()[: row.size]:
        law, eps = str(rng.choice(list(LAWS))), (None, 0.0)[int(rng.integers(2))]
        n = int(rng.integers(1, 9))
        outcomes[integrator, numbers, N] = hostile(integrator, law, eps, *numbers, n, N)
    finite = sum(outcome == "finite" for outcome in outcomes.values())
    row.got(f"{len(outcomes):,} cases, {finite:,} finite, {len(outcomes) - finite:,} refused in one line")
    for integrator in INTEGRATORS:
        for kind in ("nan", "inf"):
            assert "must be finite" in outcomes[integrator, (kind, "ones", "default"), 2]
        assert outcomes[integrator, ("plain", "no mass", "default"), 2].startswith("masses must be positive")
        for step in ("zero", "negative", "nan"):
            assert outcomes[integrator, ("plain", "ones", step), 2].startswith("dt must be positive")
        assert "means" in outcomes[integrator, ("plain", "ones", "tiny"), 2]
        assert outcomes[integrator, ("plain", "ones", "default"), 2] == "finite"


def test_a_refusal_names_step_and_particle():
    system = System([1.0, -1.0, 0.0], parameters={"eps": 1e-3, "p": 400.0})
    x = np.array([[0.0, 0.0], [1e-3, 0.0], [5.0, 5.0]])
    with pytest.raises(SimulationError, match=r"not finite by t = 0\.4 \(particle 0\) at step 1 of size 0\.1:"):
        simulate(system, State(x, np.zeros_like(x)), 0.8, n_frames=3, dt=0.1)


# -- R15 ---------------------------------------------------------------------------------------------------------


def encounter(seed):
    """Five charges of the isotropic kind, in any n of 2 to 5."""
    rng = np.random.default_rng([15, seed])
    n = int(rng.integers(2, 6))
    x, v = rng.standard_normal((2, 5, n))
    v *= 0.5 / np.linalg.norm(v, axis=1, keepdims=True)
    return System(rng.choice([-1.0, 1.0], 5)), State(x, v)


def head_on(seed):
    """Opposite charges falling at each other almost without softening: no equal step of this size survives it."""
    rng = np.random.default_rng([16, seed])
    n = int(rng.integers(1, 5))
    along = rng.standard_normal(n)
    along *= 0.3 / np.linalg.norm(along)
    x = np.array([along, -along])
    system = System([1.0, -1.0], rng.uniform(0.8, 1.2, 2), parameters={"eps": float(10 ** rng.uniform(-6, -4))})
    return system, State(x, 1e-3 * rng.standard_normal((2, n)))


def flagged(system, state, duration, **choices):
    """Whether a run was refused or warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            simulate(system, state, duration, **choices)
        except SimulationError:
            return True
    return any(issubclass(one.category, EnergyWarning) for one in caught)


STEPPERS = [name for name, row in INTEGRATORS.items() if not row.adaptive]


@pytest.mark.torture("R15")
def test_R15_runs_that_blow_up_are_flagged_and_good_ones_are_not(row):
    missed = [
        seed
        for seed in range(row.size)
        if not flagged(*head_on(seed), 1.0, n_frames=41, integrator=STEPPERS[seed % len(STEPPERS)], dt=1e-3)
    ]
    names = list(INTEGRATORS)
    alarms = [
        seed
        for seed in range(10 * row.size)
        if flagged(*encounter(seed), 2.0, n_frames=21, integrator=names[seed % len(names)])
    ]
    row.got(f"{row.size - len(missed)} of {row.size} flagged, {len(alarms)} of {10 * row.size} good ones")
    assert not missed
    assert not alarms
