"""A runner that answers as a random user's machine does: late, in any order, wrongly, or after a cancel."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from app.viewmodel.state.models import ModelRow
from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.setup import Setup, rotation_matrix
from app.viewmodel.state.training import TrainReport, TrainRow
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.runner import Callbacks, Request
from app.viewmodel.worker.tasks.model_table import ModelTableTask
from app.viewmodel.worker.tasks.sample_errors import SampleErrorsTask
from app.viewmodel.worker.tasks.train import TrainTask
from physics.errors import InputError
from surrogate.comparison.comparison import Comparison
from tests.app.fakes import DIMS, FakeJob, comparison, result_for

FRAMES = (2, 7, 12, 30)
"""How many frames a film has, by its seed."""


@lru_cache(maxsize=256)
def plain_comparison(n_dims: int, n_particles: int, n_frames: int) -> Comparison:
    """Before any rotation; made once."""
    return comparison(n_dims, n_frames, n_particles=n_particles, horizon=0.3)


def comparison_for(setup: Setup, model: str) -> Comparison:
    """What a model makes of a setup."""
    if setup.own is not None:
        n_dims, n_particles = setup.own.n_dims, setup.own.n_particles
    else:
        n_dims, n_particles = setup.dims or DIMS.get(setup.scenario, 3), setup.particles or 5
    made = plain_comparison(n_dims, n_particles, FRAMES[(setup.seed or setup.index or 2) % len(FRAMES)])
    matrix = rotation_matrix(setup.operations, n_dims)
    turned = {name: getattr(made, name).transformed(matrix) for name in ("truth", "forecast", "rollout")}
    return replace(made, **turned, rotation=matrix, model_name=model, law_known=not setup.data)


def answer_for(setup: Setup) -> ComparisonResult:
    """A finished comparison."""
    made = comparison_for(setup, setup.model or "fake")
    other = comparison_for(setup, setup.contrast) if setup.contrast else None
    return result_for(setup, comparison=made, contrast=other, splits=("train", "test") if setup.data else ())


def preview_for(setup: Setup, near: tuple[int, int]) -> Preview:
    """The frames that were asked for."""
    made = comparison_for(setup, setup.model or "fake")
    window = slice(*near)

    def cut(trajectory: Any) -> Any:
        return replace(
            trajectory,
            times=trajectory.times[window],
            positions=trajectory.positions[window],
            velocities=trajectory.velocities[window],
        )

    seen = replace(made, **{name: cut(getattr(made, name)) for name in ("truth", "forecast", "rollout")})
    return Preview(setup, seen, None, near[0])


@dataclass
class RandomRunner:
    """Keeps what was asked for until `answer_one` picks some of it.

    Attributes
    ----------
    described : mapping of str to Setup or str
        What a path is, or why it is nothing.
    refused : int
        How many comparisons could not be made as asked.
    """

    rng: np.random.Generator
    described: Mapping[str, Setup | str]
    pending: list[tuple[Request, Callbacks, FakeJob]] = field(default_factory=list)
    refused: int = 0

    def submit(self, request: Request, callbacks: Callbacks) -> FakeJob:
        job = FakeJob()
        self.pending.append((request, callbacks, job))
        return job

    def close(self) -> None:
        self.pending.clear()

    def answer_all(self) -> None:
        """All that is under way succeeds, and what that leads to."""
        for _ in range(1000):
            if not self.pending:
                return
            request, callbacks, _ = self.pending.pop(0)
            self._succeed(request, callbacks)
        raise AssertionError("the session asks without end")

    def answer_one(self) -> None:
        """One of the things under way goes on, succeeds or fails; a cancelled one says so late or never."""
        if not self.pending:
            return
        at = int(self.rng.integers(len(self.pending)))
        request, callbacks, job = self.pending[at]
        luck = self.rng.random()
        if luck < 0.3 and not job.cancelled:
            self._go_on(request, callbacks)
            return
        del self.pending[at]
        if luck < 0.4:
            callbacks.failed("it did not work")
        elif not (job.cancelled and luck < 0.7):
            self._succeed(request, callbacks)

    def _go_on(self, request: Request, callbacks: Callbacks) -> None:
        callbacks.progress(float(self.rng.random()))
        if isinstance(request, Setup):
            with suppress(InputError):  # said when it is done
                self._show_part(request, callbacks)
        elif isinstance(request, ModelTableTask):
            callbacks.first(tuple(ModelRow(name, name, error_median=0.1) for name in request.models[:1]))
        elif isinstance(request, SampleErrorsTask):
            callbacks.first(((3, 0.5), (0, float("inf"))))
        elif isinstance(request, TrainTask):
            rows = tuple(TrainRow("shape", epoch, 1.0 / epoch, 2.0 / epoch) for epoch in range(1, 4))
            callbacks.first(TrainReport("training", rows, "epoch 3", 4.0, 9.0))

    def _show_part(self, setup: Setup, callbacks: Callbacks) -> None:
        if callbacks.near is not None and self.rng.random() < 0.5:
            callbacks.preview(preview_for(setup, callbacks.near))
        else:
            callbacks.first(replace(answer_for(setup), measured=False))

    def _succeed(self, request: Request, callbacks: Callbacks) -> None:
        if isinstance(request, Setup):
            try:
                made = answer_for(request)
            except InputError as error:
                self.refused += 1
                callbacks.failed(str(error))
                return
            callbacks.done(made)
        elif isinstance(request, ExportRequest):
            callbacks.done([f"{request.folder}/{name}" for name in request.formats])
        elif isinstance(request, ModelTableTask):
            callbacks.done(tuple(ModelRow(name, name, "refused") for name in request.models))
        elif isinstance(request, SampleErrorsTask):
            callbacks.done(((3, 0.5), (0, 0.2), (1, 0.1)))
        elif isinstance(request, TrainTask):
            callbacks.done(str(self.rng.choice(["done", "stopped"])))
        else:
            found = self.described.get(str(request), f"{request}: no such file")
            if isinstance(found, str):
                callbacks.failed(found)
            else:
                callbacks.done(found)
