"""What is compared: scenario, dimensions, particles, seed, sample, models, clamp."""

import pytest

from app.viewmodel.intents.system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.session import Session
from app.viewmodel.state.setup import MAX_SEED, RandomTurn, Reflect, Setup, Turn
from tests.app.fakes import PromptRunner, later_session, prompt_session, texts


def test_a_scenario_comes_as_it_is():
    session = prompt_session(seed=8, dims=5, particles=7, clamped=True, contrast="other")
    session.world.rotate(0, 1, 30.0)
    session.system.choose_scenario("hexagon")
    assert session.state.setup == Setup(scenario="hexagon", model="fake", contrast="other")


@pytest.mark.parametrize(
    ("n", "kept"),
    [
        (5, (Turn(0, 3, 10.0), RandomTurn(4), Reflect(2), Turn(0, 1, 5.0))),
        (3, (RandomTurn(4), Reflect(2), Turn(0, 1, 5.0))),
        (2, (RandomTurn(4), Turn(0, 1, 5.0))),
        (1, (RandomTurn(4),)),
    ],
)
def test_dimensions_keep_the_operations_that_exist_there(n, kept):
    session = prompt_session(dims=4, operations=(Turn(0, 3, 10.0), RandomTurn(4), Reflect(2), Turn(0, 1, 5.0)))
    session.system.choose_dims(n)
    assert session.state.setup.dims == n
    assert session.state.setup.operations == kept
    assert session.state.n_dims == n
    assert max(session.state.plane) < n


def test_dimensions_stay_in_range():
    session = prompt_session()
    session.system.choose_dims(99)
    assert session.state.n_dims == MAX_DIMS
    session.system.add_dimension()
    assert session.state.n_dims == MAX_DIMS
    session.system.choose_dims(-3)
    assert session.state.n_dims == 1
    session.system.add_dimension()
    assert session.state.n_dims == 2


def test_fewer_dimensions_drop_the_plane_and_the_axes():
    session = prompt_session(dims=5)
    session.world.select_plane(2, 4)
    session.view.set(axes=(0, 1, 4))
    session.system.choose_dims(4)
    assert session.state.plane == (0, 1)
    assert session.state.view.axes is None
    session.view.set(axes=(0, 1, 3))
    session.system.choose_dims(6)
    assert session.state.view.axes == (0, 1, 3)


def test_particles_seed_model_contrast_clamped():
    session = prompt_session()
    session.system.choose_particles(9)
    assert session.state.setup.particles == 9
    session.system.choose_particles(10**6)
    assert session.state.setup.particles == MAX_PARTICLES
    session.system.choose_particles(0)
    assert session.state.setup.particles == 2
    session.system.next_seed()
    assert session.state.setup.seed == 4
    for wrong in (-1, MAX_SEED + 1, 2**40):
        session.system.choose_seed(wrong)
        assert session.state.setup.seed == 4
        assert session.state.message.text == f"a seed is a whole number from 0 to 4294967295; got {wrong}"
    session.system.choose_seed(MAX_SEED)
    assert session.state.setup.seed == MAX_SEED == 2**32 - 1
    session.system.next_seed()
    assert session.state.setup.seed == 0
    session.system.choose_model("better")
    assert session.state.result.comparison.model_name == "better"
    session.system.choose_contrast("worse")
    assert session.state.result.contrast.model_name == "worse"
    session.system.choose_contrast("")
    assert session.state.result.contrast is None
    session.system.toggle_clamped()
    assert session.state.setup.clamped
    session.system.toggle_clamped()
    assert not session.state.setup.clamped


def test_samples_of_a_data_set():
    session = prompt_session(data="some.npz", scenario="")
    session.system.next_seed()
    assert session.state.setup.index == 1
    session.system.choose_sample(99)
    assert session.state.setup.index == 6
    session.system.next_seed()
    assert session.state.setup.index == 0
    session.system.choose_sample(-5)
    assert session.state.setup.index == 0


def test_a_data_set_has_its_own_dimension_and_law():
    session = Session(PromptRunner(found=lambda _: Setup(scenario="", data="d.npz")))
    session.start()
    session.comparison.change(dims=4, particles=9, seed=2, clamped=True, contrast="other")
    session.files.open("d.npz")
    own = Setup(scenario="", data="d.npz", contrast="other")
    assert session.state.setup == own
    session.system.add_dimension()
    session.system.toggle_clamped()
    assert session.state.setup == own
    assert "own law" in texts(session)[1]
    session.system.choose_scenario("bound")
    assert session.state.setup == Setup(contrast="other")


def test_a_clamp_that_never_acts_is_said_once():
    session, runner = later_session()
    session.start()
    runner.finish()
    session.system.toggle_clamped()
    runner.finish(clamp_note="the clamp was never reached")
    assert session.state.message.text == "the clamp was never reached"
    session.dismiss()
    session.world.rotate(0, 1, 5.0)
    runner.finish(clamp_note="the clamp was never reached")
    assert session.state.message is None
    session.system.choose_seed(1)
    runner.finish()
    assert session.state.message is None
