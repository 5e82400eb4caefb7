"""The numbers of a graph or of a molecule, in words."""

from app.viewmodel.presenters.read_out import ReadOut
from surrogate.comparison.task_samples import GraphSample, MoleculeSample, TaskSample
from surrogate.render.molecule_scene import formula
from surrogate.tasks.molecules.targets import ELEMENTS

GRAPH_WORDS = (
    "Each node is given a place; edges are decoded from the distances of places alone. A rotation of the places "
    "changes no edge of an equivariant model. Other noise (Ctrl+N) gives other places."
)
MOLECULE_WORDS = (
    "Told from the elements and their distances alone, as it is turned now: a rotation changes nothing."
)


def sample_readouts(sample: TaskSample) -> ReadOut:
    """What the read-outs say of a sample."""
    if isinstance(sample, GraphSample):
        counts = [(f"edges {name}", f"{int(mask.sum())}") for name, mask in sample.masks().items()]
        rows = [("nodes", f"{len(sample.z)}"), *counts, ("pairs wrong", f"{sample.wrong_percent:.3g} %")]
        rows.append(("F1", f"{sample.f1:.3f}"))
        numbers = tuple((name, (value,)) for name, value in rows)
        return ReadOut((sample.model,), numbers, explanation=_said(sample, GRAPH_WORDS))
    if isinstance(sample, MoleculeSample):
        properties = tuple(
            (f"{name} [{sample.units[name]}]", (f"{value:.5g}", _known(sample, name)))
            for name, value in sample.told.items()
        )
        lines = [("formula", formula(sample.numbers.tolist())), ("atoms", f"{len(sample.numbers)}")]
        lines += [
            (f"error of {name}", f"{value - sample.known[name]:+.3g} {sample.units[name]}")
            for name, value in sample.told.items()
            if name in sample.known
        ]
        return ReadOut((sample.model, "true"), properties, tuple(lines), _said(sample, MOLECULE_WORDS))
    raise TypeError(type(sample))


def sample_words(sample: TaskSample, point: int) -> str:
    """What a tool tip says of a node or an atom."""
    if isinstance(sample, GraphSample):
        masks = {name: mask[point].sum() + mask[:, point].sum() for name, mask in sample.masks().items()}
        return "\n".join((f"node {point}", *(f"edges {name}: {count}" for name, count in masks.items())))
    assert isinstance(sample, MoleculeSample)
    return f"{ELEMENTS[int(sample.numbers[point])]}, atom {point}"


def _known(sample: MoleculeSample, name: str) -> str:
    return f"{sample.known[name]:.5g}" if name in sample.known else "unknown"


def _said(sample: TaskSample, words: str) -> str:
    warning = f"{sample.badge[:1].upper()}{sample.badge[1:]}. " if sample.badge else ""
    return warning + words
