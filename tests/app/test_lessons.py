"""Lessons: every step loads, its condition is not met at first and can be met, and its numbers are true."""

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.lessons import LIMIT, lesson_titles, load_lesson, read_lesson, shipped_lessons
from app.viewmodel.session import Session
from app.viewmodel.state.conditions import CONDITIONS
from app.viewmodel.state.lessons import setup_at
from app.viewmodel.state.setup import Reflect, Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of, result_parts
from physics import State, simulate
from physics.errors import InputError
from physics.scenarios import load_scenario
from tests.app.fakes import FakeDialogs, FakeJob, prompt_session, texts

NAMES = list(shipped_lessons())
STEPS = [(name, at) for name in NAMES for at in range(len(load_lesson(name).steps))]
ONE_STEP = '[[steps]]\ntitle = "s"\ntext = "t"\n'
HEAD = 'title = "a"\nsummary = "b"\nminutes = 10\n'


@lru_cache(maxsize=64)
def made(setup):
    return result_of(setup)


@lru_cache(maxsize=64)
def forecast_first(setup):
    """What the window shows first: the forecasts, before roll-out, symmetry and energies are measured."""
    return next(result_parts(setup))


class RealRunner:
    """Simulates and forecasts at once, each setup only one time."""

    def __init__(self, made=made):
        self.made = made

    def submit(self, request, callbacks):
        callbacks.done(self.made(request))
        return FakeJob()

    def close(self):
        """Nothing to stop."""


def real_session(made=made) -> Session:
    session = Session(RealRunner(made), ViewState(setup=Setup(scenario="binary", model="integrator-nd")))
    session.start()
    return session


def change(session, name):
    return lambda: ACTIONS[name].run(session, FakeDialogs())


def meet(session, step) -> None:
    """Do what a step asks for, as the user would."""
    value, world, system = step.value, session.world, session.system
    {
        "turned": lambda: world.rotate(*session.state.plane, 15.0),
        "turned-by": lambda: world.rotate(0, 1, float(value)),
        "turned-out-of-sight": lambda: world.rotate(*session.state.plane, 15.0),
        "reflected": change(session, "reflect"),
        "not-turned": world.reset,
        "plane-is-hidden": lambda: [change(session, "next-plane")() for _ in range(3)],
        "spinning": world.toggle_spin,
        "dimension-is": change(session, "add-dimension"),
        "model-is": lambda: system.choose_model(value),
        "contrast-is": lambda: system.choose_contrast(value),
        "scenario-is": lambda: system.choose_scenario(value),
        "clamped": change(session, "clamped"),
        "not-clamped": change(session, "clamped"),
        "paused": change(session, "play"),
        "playing": change(session, "play"),
        "time-passed": lambda: [session.clock.tick(0.25) for _ in range(400 if not done(session) else 0)
                                if not done(session)],
        "sketch-revealed": lambda: draw_and_reveal(session),
        "roll-out-shown": change(session, "rollout"),
        "coloured-by": change(session, "colour"),
    }[step.condition]()  # fmt: skip


def draw_and_reveal(session) -> None:
    change(session, "sketch")()
    session.sketch.draw(0, np.ones((1, 3)))
    change(session, "sketch-reveal")()


def done(session) -> bool:
    return session.state.lesson.at in session.state.lesson.done


def test_there_are_six_in_their_order():
    assert len(NAMES) == 6
    assert list(lesson_titles()) == NAMES == sorted(NAMES)
    assert all(load_lesson(name).title == title for name, title in lesson_titles().items())


@pytest.mark.parametrize(("name", "at"), STEPS)
def test_a_text_is_short_and_plain(name, at):
    step = load_lesson(name).steps[at]
    assert 2 <= len(re.findall(r"[.?!](?=\s|$)", step.text)) <= 4
    assert len(step.text) < 420
    assert "\u2014" not in step.text + step.task
    assert step.question is None or max(map(len, step.question.choices)) <= 36  # they do not wrap


@pytest.mark.parametrize("made", [forecast_first, pytest.param(made, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_step_by_step_with_real_physics(name, made):
    session = real_session(made)
    session.lessons.start(name)
    lesson = session.state.lesson.lesson
    for at, step in enumerate(lesson.steps):
        state = session.state
        assert state.lesson.at == at
        assert texts(session)[0] != "error"
        if step.setup is not None:
            assert state.result.setup == step.setup
        if step.view is not None:
            assert replace(state.view, theme="dark") == step.view
        assert setup_at(lesson, at) is not None
        if step.condition:
            assert not done(session), f"{step.title}: done before the user does anything"
            meet(session, step)
        elif step.question is not None:
            assert not done(session)
            session.lessons.answer(99)
            session.lessons.answer(step.question.answer)
            session.lessons.answer(0)
            assert session.state.lesson.answers[at] == step.question.answer
        assert done(session), step.title
        session.lessons.next()
    assert session.state.lesson is None


def test_every_condition_is_used_or_at_least_tried():
    session = prompt_session(dims=5, contrast="other")
    used = {load_lesson(name).steps[at].condition for name, at in STEPS}
    step = replace(load_lesson(NAMES[0]).steps[0], value="0.5", setup=None)
    before = {name: CONDITIONS[name].met(session.state, replace(step, value="7")) for name in CONDITIONS}
    assert not any(before[name] for name in set(CONDITIONS) - {"not-turned", "not-clamped", "playing"})
    for name in set(CONDITIONS) - used:
        fresh = prompt_session(dims=5, contrast="other")
        if name in ("not-turned", "playing"):
            fresh.world.rotate(0, 1, 3.0)
            fresh.clock.toggle_play()
        value = {"contrast-is": "egnn-nd", "scenario-is": "hexagon"}.get(name, "")
        meets = replace(step, condition=name, value=value)
        assert not CONDITIONS[name].met(fresh.state, meets)
        meet(fresh, meets)
        assert CONDITIONS[name].met(fresh.state, meets), name


def test_going_back_sets_the_step_up_again():
    session = prompt_session()
    session.lessons.start(NAMES[0])
    first = session.state.setup
    change(session, "lesson-next")()
    session.world.rotate(0, 1, 75.0)
    assert done(session)
    change(session, "lesson-back")()
    assert (session.state.lesson.at, session.state.setup) == (0, first)
    assert 1 in session.state.lesson.done
    change(session, "lesson-back")()
    assert session.state.lesson.at == 0
    change(session, "lesson-stop")()
    assert session.state.lesson is None
    for name in ("lesson-next", "lesson-back"):
        change(session, name)()
    session.lessons.answer(0)
    assert session.state.lesson is None


def test_a_theme_is_the_users_own():
    session = prompt_session()
    session.view.toggle_theme()
    session.lessons.start(NAMES[0])
    assert session.state.view.theme == "light"


def test_an_unknown_lesson_is_one_line():
    session = prompt_session()
    session.lessons.start("7-nothing")
    assert texts(session)[0] == "error"
    assert "unknown lesson" in texts(session)[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "incomplete; expected also steps"),
        (HEAD + "steps = []\n", "steps: none"),
        (HEAD + ONE_STEP + 'condition = "turnd"\ntask = "x"\n', "did you mean 'turned'"),
        (HEAD + ONE_STEP + 'condition = "turned"\n', "a condition without a task"),
        (HEAD + ONE_STEP + 'task = "x"\ncondition = "turned"\nvalue = "3"\n', "takes no value"),
        (HEAD + ONE_STEP + 'task = "x"\ncondition = "model-is"\n', "takes a value"),
        (HEAD + ONE_STEP + "colour = 1\n", "unknown field 'colour'"),
        (HEAD + ONE_STEP + "setup = { dims = 99 }\n", "setup.dims: 99; expected 1 to 8"),
        (HEAD + ONE_STEP + 'setup = { dims = "x" }\n', "steps[0].setup.dims: 'x'; expected a whole number"),
        (HEAD + ONE_STEP + 'setup = { operations = [{ kind = "Roll" }] }\n', "expected a kind of Turn"),
        (
            HEAD + ONE_STEP + 'question = { text = "q", choices = ["a"], answer = 1, explanation = "e" }\n',
            "question.answer must be 0 to 0",
        ),
        (
            HEAD + ONE_STEP + 'task = "x"\ncondition = "turned"\n'
            'question = { text = "q", choices = ["a"], answer = 0, explanation = "e" }\n',
            "not both",
        ),
        (HEAD + ONE_STEP + "playback = { speed = -1 }\n", "playback.speed: -1.0"),
        ("title = ", "not valid TOML"),
        ("a" + ".b" * 9 + " = 1\n", "line 1 is too deeply nested"),
        ("[a" + ".b" * 9 + "]\n", "line 1 is too deeply nested"),
        ("x = " + "[" * 5000 + "\n", "not valid TOML"),
        ("#" * (LIMIT + 1), "expected at most"),
    ],
)  # fmt: skip
def test_a_bad_lesson_is_one_line(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_lesson(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value).replace("\\n", "")


# --- what the texts claim ---------------------------------------------------------------------------------

MODEL = "integrator-nd"
FORTY = (Turn(0, 2, 40.0),)


def mean_rmse(result) -> float:
    """Over the whole film, as the root of the mean square."""
    film = result.comparison
    return float(np.sqrt(np.mean((film.forecast.positions - film.truth.positions) ** 2)))


def apart(scenario: str, n: int) -> np.ndarray:
    """Distance of a pair at each frame."""
    x = made(Setup(scenario=scenario, dims=n, model=MODEL)).comparison.truth.positions
    return np.linalg.norm(x[:, 0] - x[:, 1], axis=1)


def test_numbers_of_equivariance():
    turned = made(Setup(scenario="bound", model=MODEL, contrast="gnn-nbody", operations=(Turn(0, 1, 60.0),)))
    assert turned.truth_residual.max() < 1e-12
    assert turned.comparison.equivariance_error < 1e-6
    assert turned.contrast.equivariance_error > 0.05
    mirrored = made(Setup(scenario="bound", model=MODEL, contrast="gnn-nbody", operations=(Reflect(0),)))
    assert mirrored.comparison.equivariance_error < 1e-6
    egnn = made(Setup(scenario="bound", model="egnn-nd", contrast=MODEL))
    assert egnn.comparison.equivariance_error < 1e-6
    ratio = egnn.comparison.position_rmse().mean() / egnn.contrast.position_rmse().mean()
    assert 15 < ratio < 25


def test_numbers_of_velocity():
    scenario = load_scenario("bound")
    system, state = scenario.initial()
    forth = simulate(system, state, 1.0, n_frames=2).positions[-1]
    back = simulate(system, State(state.positions, -state.velocities), 1.0, n_frames=2).positions[-1]
    assert np.sqrt(np.mean((forth - back) ** 2)) == pytest.approx(1.1, abs=0.05)
    for name, straight, still, limit in (("free-6d", 0.17, 0.28, 1e-3), ("bound", 0.55, 0.64, 1e-2)):
        result = made(Setup(scenario=name, model=MODEL))
        x, v = result.comparison.truth.positions, result.comparison.truth.velocities
        assert np.sqrt(np.mean((x[25:] - x[:-25] - v[:-25]) ** 2)) == pytest.approx(straight, abs=0.01)
        assert np.sqrt(np.mean((x[25:] - x[:-25]) ** 2)) == pytest.approx(still, abs=0.01)
        assert mean_rmse(result) < limit
    turned = made(Setup(scenario="bound", model=MODEL, operations=(Turn(0, 2, 15.0),)))
    assert turned.comparison.equivariance_error < 1e-6


def test_numbers_of_hidden_planes():
    def film(*operations):
        return made(Setup(scenario="bound", dims=5, model=MODEL, operations=operations)).comparison

    plain, aslant, hidden = film(), film(Turn(0, 4, 90.0)), film(Turn(3, 4, 90.0))
    pairs = [np.linalg.norm(f.truth.positions[:, :, None] - f.truth.positions[:, None], axis=-1)
             for f in (plain, aslant)]  # fmt: skip
    assert np.abs(pairs[0] - pairs[1]).max() < 1e-9
    assert np.abs(plain.truth.positions - aslant.truth.positions)[..., :3].max() > 0.5
    assert np.abs(plain.truth.positions - hidden.truth.positions)[..., :3].max() < 1e-9
    assert np.abs(plain.truth.positions - hidden.truth.positions).max() > 0.5
    assert aslant.equivariance_error < 1e-6
    assert plain.forecast.n_dims * (plain.forecast.n_dims - 1) // 2 == 10


def test_numbers_of_chaos():
    calm, wild = made(Setup(scenario="free-6d", model=MODEL)), made(Setup(scenario="bound-2d", model=MODEL))
    assert calm.growth[-1] < 2
    assert wild.growth[-1] > 3e6
    assert calm.comparison.position_rmse(calm.comparison.rollout)[-1] < 0.01
    assert wild.comparison.position_rmse(wild.comparison.rollout)[-1] > 1
    assert wild.comparison.position_rmse().mean() == pytest.approx(0.015, abs=0.004)


def test_numbers_of_broken_symmetry():
    plain = made(Setup(scenario="bound", seed=2, model=MODEL, contrast="gnn-nbody", operations=FORTY))
    assert plain.truth_residual.max() < 1e-6
    assert plain.growth[-1] > 1e4
    assert plain.comparison.equivariance_error < 1e-6
    assert plain.contrast.equivariance_error > 0.05
    clamped = made(
        Setup(scenario="bound", seed=2, model=MODEL, contrast="gnn-nbody", clamped=True, operations=FORTY)
    )
    assert clamped.truth_residual[-1] > 0.1
    assert clamped.clamp_note == ""
    assert 100 * np.sqrt(3) == pytest.approx(173, abs=0.5)


def test_numbers_of_three_dimensions():
    for n, furthest in ((3, 1.4), (2, 1.2)):
        distance = apart("gauss", n)
        assert distance.min() > 0.95
        assert distance.max() == pytest.approx(furthest, abs=0.05)
    assert apart("gauss", 4)[-1] > 9
    assert (np.diff(apart("gauss", 4)) > 0).all()
    assert min(apart("gauss", n)[-1] for n in (5, 6)) > 9  # "from n = 4 on"
    assert apart("gauss-slow", 3).min() == pytest.approx(0.8, abs=0.02)
    assert apart("gauss-slow", 4).min() < 0.3
    assert made(Setup(scenario="gauss", dims=3, model=MODEL)).comparison.outside_training
    for name in ("gauss", "gauss-slow"):  # faster and slower than on a circle of this softened force
        system, state = load_scenario(name).initial(dims=3)
        r = np.linalg.norm(state.positions[0] - state.positions[1])
        pull = r / (r**2 + system.parameters["eps"] ** 2) ** 1.5
        circle = np.sqrt(pull * r / 2)
        speed = np.linalg.norm(state.velocities[0])
        assert (speed > circle) == (name == "gauss")
        assert abs(speed / circle - 1) < 0.1


@pytest.mark.gui
@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_the_panel_in_the_window(open_window, qtbot, size):
    from PySide6.QtCore import Qt

    window = open_window()
    window.resize(*size)
    qtbot.waitUntil(lambda: window.width() == size[0])
    panel, left = window.panels["lesson"], Qt.MouseButton.LeftButton
    window.actions_by_name["lessons"].trigger()
    assert panel.chooser.isVisible()
    qtbot.mouseClick(panel.starts[NAMES[0]], left)
    assert panel.reader.isVisible()
    assert "step 1 of 6" in panel.place.text()
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert "step 2 of 6" in panel.place.text()
    assert panel.task.text().startswith("○")
    window.session.world.rotate(0, 1, 60.0)
    assert panel.task.text().startswith("✓")
    for _ in range(3):
        qtbot.mouseClick(panel.next, left)
    assert len(panel.choices) == 3
    qtbot.mouseClick(panel.choices[0], left)
    assert panel.explanation.text().startswith("Not quite. ")
    assert panel.choices[1].text().startswith("✓")
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    assert "step 4 of 6" in panel.place.text()
    qtbot.mouseClick(panel.leave, left)
    assert panel.chooser.isVisible()
    window.docks.docks["lesson"].close()
    window.session.lessons.start(NAMES[5])
    assert panel.isVisible()


@pytest.mark.gui
def test_texts_of_a_new_step_never_overlap(open_window, qtbot):
    """Not even before the event loop runs again: a step with more text makes room for itself at once."""
    window = open_window()
    window.resize(1024, 700)
    panel, lessons = window.panels["lesson"], window.session.lessons
    window.docks.bring_up("lesson")
    lessons.start("1-equivariance")
    qtbot.waitUntil(panel.reader.isVisible)
    qtbot.wait(50)
    for at in range(len(window.session.state.lesson.lesson.steps)):
        lessons.go(at)
        texts = (panel.place, panel.title, panel.text, panel.task, panel.question, panel.explanation)
        shown = [label for label in texts if label.isVisible()]
        for label in shown:
            assert label.height() >= label.heightForWidth(label.width())
        for upper, lower in pairwise(shown):
            assert upper.geometry().bottom() < lower.geometry().top()
