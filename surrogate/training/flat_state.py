"""The trained state of one run, or of several of the same model, as flat tensors with a row for each run.

One kernel then serves all weights of all runs. The runs' own parameters, averages and optimiser states are views
of these rows, so that validations and files go through the code of a single run.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from surrogate.training.state import Trainer

ALIGNED = 16
"""Every parameter begins at a multiple of so many numbers: products load them a vector at a time."""


class FlatState:
    """Weights, their average and AdamW's moments, (runs, width) each; numbers between parameters are zero.

    Parameters
    ----------
    trainers : sequence of Trainer
        At the same stage.
    trained : list of str
        Names of the parameters that a loss reaches; the others stay what they are.

    Attributes
    ----------
    weights, average, first, second : (runs, width) tensors
    steps : (runs,) float32 tensor
        AdamW's count of updates.
    """

    def __init__(self, trainers: Sequence[Trainer], trained: list[str]) -> None:
        named = dict(trainers[0].model.named_parameters())
        places = {id(p): index for index, p in enumerate(trainers[0].parameters)}
        self.parameters = {name: named[name].shape for name in trained}
        self._index = {name: places[id(named[name])] for name in trained}  # as the optimiser counts them
        self._begins, width = {}, 0
        for name in trained:
            self._begins[name] = width
            width += -(-named[name].numel() // ALIGNED) * ALIGNED
        like = named[trained[0]]
        self.weights, self.average, self.first, self.second = like.new_zeros(4, len(trainers), width).unbind()
        self.steps = torch.zeros(len(trainers), dtype=torch.float32, device=like.device)

    def tensors(self) -> list[Tensor]:
        """All of it, a row for each run."""
        return [self.weights, self.average, self.first, self.second, self.steps]

    def stacks(self, flat: Tensor) -> dict[str, Tensor]:
        """The parameters within a (runs, width) tensor: views (runs, ...) by name."""
        return {
            name: flat[:, self._begins[name] :][:, : shape.numel()].view(len(flat), *shape)
            for name, shape in self.parameters.items()
        }

    def row(self, run: int) -> dict[str, Tensor]:
        """Views of one run's state, named as in a restart point."""
        parts = {
            "model.{name}": self.weights,
            "average.{name}": self.average,
            "adam.{index}.exp_avg": self.first,
            "adam.{index}.exp_avg_sq": self.second,
        }
        views = {
            key.format(name=name, index=self._index[name]): value[run]
            for key, flat in parts.items()
            for name, value in self.stacks(flat).items()
        }
        return views | {f"adam.{index}.step": self.steps[run] for index in self._index.values()}

    @torch.no_grad()
    def take(self, run: int, named: dict[str, Tensor]) -> None:
        """Copy one run's state from tensors named as in a restart point; what is not among them is zero."""
        for name, view in self.row(run).items():
            if name in named:
                view.copy_(named[name])
            else:
                view.zero_()

    @torch.no_grad()
    def bind(self, run: int, trainer: Trainer) -> None:
        """Take over a run's state and have its trainer work on the row itself."""
        self.take(run, trainer.tensors())
        views, named = self.row(run), dict(trainer.model.named_parameters())
        for name, index in self._index.items():
            named[name].data = views[f"model.{name}"]
            trainer.average[name] = views[f"average.{name}"]
            leaves = ("step", "exp_avg", "exp_avg_sq")
            trainer.optimiser.state[named[name]] = {leaf: views[f"adam.{index}.{leaf}"] for leaf in leaves}

    @torch.no_grad()
    def copy_from(self, other: "FlatState") -> None:
        """Take over all rows of another one."""
        for to, value in zip(self.tensors(), other.tensors(), strict=True):
            to.copy_(value)

    @torch.no_grad()
    def choose(self, rows: Tensor, other: "FlatState") -> None:
        """Keep the rows (runs,) that are true, and take the others from `other`; nothing waits for the device."""
        for here, there in zip(self.tensors(), other.tensors(), strict=True):
            here.copy_(torch.where(rows.view(-1, *[1] * (here.dim() - 1)), here, there))
