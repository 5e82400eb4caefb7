"""The rows of the benchmark: every registered model, and the forms of those that have several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from physics.errors import unknown_name
from surrogate.models import MODELS

ALL = "all"
"""Stands for every entry."""


@dataclass(frozen=True)
class Entry:
    """A model in one form.

    Attributes
    ----------
    model : str
        Of MODELS.
    settings : mapping
        Of its configuration, where they are not the defaults.
    config : str
        The shipped configuration with its learning rate and clipping; "": MODEL-nbody.
    charges : str
        How charges enter: "c_ij" (products of pairs alone), "q_i" or "no".
    velocity : str
        How a particle's own velocity reaches its forecast.
    steps : int
        The most of the common budget, where 20,000 would take too long on a CPU; 0: all of it.
    """

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    config: str = ""
    charges: str = "c_ij"
    velocity: str = "added, scaled"
    steps: int = 0


INVARIANTS = "speeds and products, in messages alone"

_REFERENCE = {"form": "reference"}

ENTRIES: dict[str, Entry] = {
    "linear": Entry("linear", charges="no"),
    "gnn": Entry("gnn", velocity="input of the network"),
    "gnn+": Entry("gnn+", velocity="input of the network"),
    "radial-field": Entry("radial-field"),
    "schnet-strict": Entry("schnet", {"edge_invariants": False}, charges="q_i"),
    "schnet": Entry("schnet", charges="q_i, c_ij"),
    "schnet-energy": Entry("schnet", {"head": "energy"}, charges="q_i, c_ij"),
    "egnn": Entry("egnn"),
    "egnn-recurrent-form": Entry("egnn", {"velocity": "recurrent"}, velocity="carried along"),
    "egnn-no-velocity": Entry("egnn", {"velocity": "none"}, velocity=INVARIANTS),
    "egnn-inferred-edges": Entry("egnn", {"infer_edges": True}),
    "egnn-recurrent": Entry("egnn-recurrent", config="egnn-nd", velocity="carried along"),
    "segno": Entry("segno", velocity="carried along"),
    "egno": Entry("egno", velocity="carried along", steps=6000),
    "integrator": Entry(
        "integrator",
        {"powers": "0123", "softening": 0.05, "order": 4, "evaluations": 32},
        velocity="carried along",
        steps=6000,
    ),
    "edge-cloud": Entry("edge-cloud", charges="q_i, c_ij", velocity="along pairs, and added", steps=5000),
    "edge-cloud-nonlinear": Entry(
        "edge-cloud", {"message": "nonlinear"}, "", "q_i, c_ij", "along pairs, and added", 3000
    ),
    "ponita": Entry("ponita", charges="q_i", velocity="along the grid", steps=1000),
    "tfn-reference": Entry("tfn", _REFERENCE, "tfn-reference-nbody", "q_i", "mixed in linearly", 6000),
    "tfn": Entry("tfn", charges="q_i, c_ij", velocity="mixed in linearly", steps=6000),
    "se3-transformer-reference": Entry(
        "se3-transformer",
        {**_REFERENCE, "channels": 21, "degree": 2},
        "se3-transformer-reference-nbody",
        "q_i",
        "none",
        400,
    ),
    "se3-transformer": Entry("se3-transformer", charges="q_i, c_ij", velocity="mixed in linearly", steps=3000),
    "painn": Entry("painn", velocity="a vector of the network"),
    "seconv-linear": Entry(
        "segnn", {"message": "linear", "channels": 40}, velocity="a vector of the network", steps=5000
    ),
    "seconv-nonlinear": Entry("segnn", {"message": "nonlinear"}, velocity="a vector of the network", steps=5000),
    "segnn": Entry("segnn", velocity="a vector of the network"),
    "cgenn": Entry("cgenn", charges="q_i, c_ij", velocity="a vector of the network", steps=2000),
}
"""By label. A registered model without a row here is an entry by its name, in its default form."""


def entries() -> dict[str, Entry]:
    """The rows of ENTRIES whose model is registered, then the registered models that have none."""
    found = {label: entry for label, entry in ENTRIES.items() if entry.model in MODELS}
    return found | {name: Entry(name, charges="", velocity="") for name in MODELS if name not in found}


def is_entry(name: str) -> bool:
    """Whether a name of the command line is one of what is trained."""
    return name == ALL or name in entries()


def chosen_entries(names: Sequence[str]) -> dict[str, Entry]:
    """The named entries, in the order of the table.

    Raises
    ------
    InputError
        For a name that is none.
    """
    known = entries()
    for name in names:
        if name != ALL and name not in known:
            raise unknown_name("model to train", name, [*known, ALL])
    return known if ALL in names else {label: entry for label, entry in known.items() if label in names}
