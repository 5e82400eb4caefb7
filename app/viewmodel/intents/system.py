"""Which system is simulated and which models forecast it."""

from collections.abc import Mapping
from typing import Any

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.state.detail import MOST_IN_FULL
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.setup import MAX_SEED, Effort, fitting_operations
from app.viewmodel.state.task_scenarios import TASK_SCENARIOS, example_of, model_of, setup_fields
from app.viewmodel.store import Store
from surrogate.tasks import DEFAULT

OWN_SYSTEM: Mapping[str, Any] = {
    "dims": None, "particles": None, "seed": None, "clamped": False, "operations": (), "own": None,
    "task": DEFAULT,
}  # fmt: skip
"""The fields of a Setup that leave a scenario or a data set as it is."""


class SystemIntents:
    """Scenario, dimension, particles, seed or sample, law, model and contrast."""

    def __init__(self, store: Store, comparison: ComparisonIntents) -> None:
        self._store, self._comparison = store, comparison

    def choose_scenario(self, name: str) -> None:
        """Show another scenario, as it is: its own n, N and seed, unrotated; or a set of another task."""
        shown = setup_fields(name) if name in TASK_SCENARIOS else {"scenario": name, "data": ""}
        self._comparison.change(**{**OWN_SYSTEM, "split": "test", "index": 0, **shown})

    def choose_dims(self, n_dims: int) -> None:
        """The same scenario in another dimension; the rotation is kept where its planes exist."""
        if self._fixed_by_data("dimension"):
            return
        n = min(max(n_dims, 1), MAX_DIMS)
        kept = fitting_operations(self._store.state.setup.operations, n)
        self._comparison.change(dims=n, operations=kept)

    def add_dimension(self) -> None:
        """One dimension more."""
        self.choose_dims(self._store.state.n_dims + 1)

    def choose_particles(self, n: int) -> None:
        """Another number of particles, for drawn scenarios."""
        self._comparison.change(particles=min(max(n, 2), MAX_PARTICLES))

    def choose_seed(self, seed: int) -> None:
        """Another draw of the scenario."""
        if not 0 <= seed <= MAX_SEED:
            self._store.say(f"a seed is a whole number from 0 to {MAX_SEED}; got {seed}", "error")
            return
        self._comparison.change(seed=seed)

    def next_seed(self) -> None:
        """The next draw of the scenario, or the next sample of the data set."""
        result = self._store.state.shown
        if result is None:
            return
        if result.n_samples:
            self.choose_sample((self._store.state.setup.index + 1) % result.n_samples)
        elif isinstance(result, ComparisonResult) and result.drawn:
            self.choose_seed(((result.seed or 0) + 1) % (MAX_SEED + 1))

    def choose_sample(self, index: int) -> None:
        """Another sample of the data set."""
        result = self._store.state.shown
        count = result.n_samples if result else 1
        self._comparison.change(index=min(max(index, 0), max(count - 1, 0)))

    def choose_model(self, name: str) -> None:
        """Forecast with another model, at its usual effort; or decode, or tell properties."""
        if self._store.state.setup.forecasts:
            self._comparison.change(model=name, effort=Effort())
        else:
            self._comparison.change(task_model=name)

    def new_noise(self) -> None:
        """Place the nodes of a graph from other noise."""
        state = self._store.state
        if state.sample is None or state.setup.task != "autoencoder":
            self._store.say("only the nodes of graphs are placed from noise")
            return
        self._comparison.change(seed=((state.setup.seed or 0) + 1) % (MAX_SEED + 1))

    def show_set(self, task: str, data: str, split: str, model: str) -> None:
        """A set of another task with a model of that task; for an empty one what is shown already, or ships."""
        setup = self._store.state.setup
        same = setup.task == task
        model = model or (setup.task_model if same else "") or model_of(task)
        if not model:
            self._store.say(f"{data}: no model of the task {task!r} ships; open one first", "error")
            return
        if not data:
            data, split = (setup.data, setup.split) if same else (example_of(task), "test")
        index = setup.index if same and data == setup.data else 0
        fields = {"data": data, "split": split, "index": index, "task_model": model}
        self._comparison.change(**{**OWN_SYSTEM, "scenario": "", "task": task, **fields})

    def choose_contrast(self, name: str) -> None:
        """Show a second model beside it; none for an empty name."""
        self._comparison.change(contrast=name, contrast_effort=Effort())

    def toggle_clamped(self) -> None:
        """Use the published clamped law, which is not isotropic, or the scenario's own again."""
        if not self._fixed_by_data("law"):
            self._comparison.change(clamped=not self._store.state.setup.clamped)

    def toggle_in_full(self) -> None:
        """Make everything for a large system, too, or go without some of it again."""
        result, setup = self._store.state.result, self._store.state.setup
        if not setup.in_full and result is not None and not result.left_out:
            self._store.say(f"up to {MOST_IN_FULL} particles everything is measured")
            return
        self._comparison.change(in_full=not setup.in_full)

    def _fixed_by_data(self, what: str) -> bool:
        if self._store.state.setup.data:
            self._store.say(f"a data set has its own {what}; choose a scenario to change it")
        return bool(self._store.state.setup.data)
