"""The models of the leaderboard, and how each is trained on a column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from surrogate.studies.leaderboard.columns import COLUMNS, Column
from surrogate.training.config import Config, load_config
from surrogate.training.many import recipe_digest


@dataclass(frozen=True)
class Recipe:
    """A model and its training.

    Attributes
    ----------
    config : str
        A shipped configuration; "": the column's flagship.
    sees : str
        What a forecast depends on, for the page.
    recipe : str
        How it is trained, for the page.
    changes : mapping
        As `--set` takes them.
    columns : tuple of str
        Where it has a place; empty: everywhere.
    transfer : bool
        Not trained on the column: the flagship of the column's `smaller` one forecasts it.
    budget : mapping of column to changes
        What a column takes less of, so that all of it takes one night.
    """

    config: str
    sees: str
    recipe: str
    changes: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    transfer: bool = False
    budget: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _less(epochs: int, *columns: str, samples: int = 0, batch: int = 100) -> dict[str, dict[str, str]]:
    """Fewer epochs, and (where given) fewer training windows in smaller batches."""
    changes = {"train.epochs": str(epochs), "train.validate_every": str(min(max(epochs // 2, 1), 10))}
    if samples:
        changes |= {"data.train_samples": str(samples), "train.batch_size": str(batch)}
    return {name: dict(changes) for name in columns}


_LARGER = ("es-20", "g+es-20", "l+es-20", "charged-20")
_of_integrator = {
    **_less(30, "es-5"),
    **_less(20, "charged-1500", "charged-2000"),
    **_less(8, "gravity-1500", "gravity-2000"),
    **_less(12, *_LARGER, samples=500, batch=20),
    **_less(10, "charged-50", samples=100, batch=5),
    **_less(8, "charged-100", samples=50, batch=1),
    **_less(5, "gravity-100", samples=100, batch=2),
}
_of_integrator["charged-100"]["train.lr"] = "1e-3"  # with 2e-3 one of three seeds diverged
# half as fine and of second order: a quarter of the time
for _name in (*_LARGER, "charged-50", "charged-100"):
    _of_integrator[_name] |= {"model.order": "2", "model.evaluations": "16"}
_of_integrator["g+es-20"] |= {"model.fields": "uniform", "model.dims": "3"}
_of_integrator["l+es-20"] |= {"model.fields": "magnetic", "model.dims": "3"}
_SPRINGS = {**_less(20, "springs-5")["springs-5"], "model.order": "2", "model.evaluations": "16"}
_of_integrator["springs-5"] = {**_SPRINGS, "model.couplings": "edges"}
_of_networks = {
    **_less(40, "charged-1500", "charged-2000", "gravity-1500", "gravity-2000", "es-5", "springs-5"),
    **_less(12, *_LARGER, samples=3000, batch=20),
    **_less(10, "charged-50", samples=500, batch=10),
    **_less(10, "charged-100", "gravity-100", samples=100, batch=2),
}

RECIPES: dict[str, Recipe] = {
    "integrator": Recipe("", "r, q_i q_j, v", "the column's own window, positions alone", budget=_of_integrator),
    "integrator-short": Recipe(
        "",
        "r, v",
        "extra supervision: positions and velocities of all frames of the training trajectories, windows of 0.1",
        {"data.windows": "all", "train.velocity_weight": "0.1"},
        columns=("gravity-100",),
        budget={
            "gravity-100": {
                "data.target_frame": "31",
                "model.powers": '"3"',
                "model.evaluations": "160",
                "train.epochs": "20",
                "train.batch_size": "1",
                "train.validate_every": "10",
            }
        },
    ),
    "integrator-hidden": Recipe(
        "",
        "r, v; no edges",
        "the same without edges: one force for all pairs",
        {"model.couplings": "constant"},
        columns=("springs-5",),
        budget={"springs-5": _SPRINGS},
    ),
    "integrator-transfer": Recipe(
        "", "r, q_i q_j, v", "trained on the shorter or smaller column alone", transfer=True
    ),
    "egnn": Recipe(
        "egnn-nbody",
        "r, q_i q_j, speeds, v",
        "configuration egnn-nbody, with clipping and averaged weights (published: 10000 epochs without)",
        {"train.velocity_epochs": "0"},
        budget=_of_networks,
    ),
    "segno": Recipe(
        "segno-nbody",
        "r, q_i q_j, speeds, v",
        "configuration segno-nbody in 100 epochs",
        {"train.epochs": "100"},
        budget=_of_networks,
    ),
    "gnn": Recipe(
        "gnn-nbody",
        "x, v, q_i q_j; no symmetry",
        "configuration gnn-nbody",
        {"train.velocity_epochs": "0"},
        budget=_of_networks,
    ),
}


def trained_column(name: str, model: str) -> str:
    """The column whose training windows a model has seen that forecasts column `name`; "" where there is none."""
    recipe = RECIPES[model]
    if recipe.transfer:
        return COLUMNS[name].smaller
    return "" if COLUMNS[name].targets or (recipe.columns and name not in recipe.columns) else name


def entries(names: Iterable[str], models: Iterable[str]) -> list[tuple[str, str]]:
    """Columns and the models that have a place there: a transfer asks for a smaller column."""
    chosen = list(models)
    return [(name, model) for name in names for model in chosen if trained_column(name, model)]


def configured(name: str, model: str, seed: int, data: str, settings: Mapping[str, str]) -> Config:
    """The configuration of the training behind a model in a column: one thread, one window a trajectory."""
    source = trained_column(name, model)
    column, recipe = COLUMNS[source], RECIPES["integrator" if RECIPES[model].transfer else model]
    protocol = {
        "data.windows": "task",
        "data.input_frame": str(column.frames[0]),
        "data.target_frame": str(column.frames[1]),
        "data.train_samples": str(column.sizes[0]),
        "train.threads": "1",
        "train.seed": str(seed),
    }
    changes = {**protocol, **recipe.changes, **recipe.budget.get(source, {}), **settings}
    config = load_config(recipe.config or column.flagship, changes)
    note = recipe.recipe if recipe.config else config.note
    return replace(config, data=replace(config.data, paths=(data,)), note=note)


def digest(config: Config, trained: Column, measured: Column) -> str:
    """Of all that decides a result, wherever its data lie."""
    measurement = [measured.preset, measured.frames, measured.targets, measured.sizes[2], measured.rounds]
    return recipe_digest(config, trained.preset, trained.sizes, measurement)
