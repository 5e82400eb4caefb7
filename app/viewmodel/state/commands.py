"""What is shown as commands: a comparison made again, one for each model; a model trained on its law."""

import shlex
from dataclasses import replace

from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.setup import Setup
from physics.datasets.presets import PRESETS
from surrogate.comparison.comparison import Comparison

OUT = "--out out/comparison"

UNSAVED = "own-system.toml"
"""Stands in commands for a scene of the user's own that is in no file yet."""


def sample_command(setup: Setup) -> str:
    """The `surrogate.compare` command that shows this sample of another task."""
    parts = ["python -m surrogate.compare", shlex.quote(setup.task_model)]
    parts.append(f"--data {shlex.quote(setup.data)} --split {setup.split} --index {setup.index}")
    if setup.seed:
        parts.append(f"--seed {setup.seed}")
    if setup.rotate_option:
        parts.append(setup.rotate_option)
    return " ".join([*parts, OUT])


def command_of(setup: Setup, model_name: str) -> str:
    """The `surrogate.compare` command that makes this comparison again; it has no second model."""
    parts = ["python -m surrogate.compare", shlex.quote(setup.model or model_name), *setup.effort.options]
    if setup.data:
        parts.append(f"--data {shlex.quote(setup.data)} --split {setup.split} --index {setup.index}")
    else:
        parts.append(f"--scenario {shlex.quote(UNSAVED if setup.own is not None else setup.scenario)}")
        for option, value in (("--dims", setup.dims), ("--particles", setup.particles), ("--seed", setup.seed)):
            if value is not None:
                parts.append(f"{option} {value}")
        if setup.clamped:
            parts.append("--law reference")
    if setup.rotate_option:
        parts.append(setup.rotate_option)
    return " ".join([*parts, OUT])


def training_commands(comparison: Comparison) -> str:
    """How to train a model on the law of a comparison, where its own was not; empty where it was."""
    if not any(reason.startswith("law ") for reason in comparison.outside_training):
        return ""
    if comparison.truth.system.fields.any:  # no preset makes data with fields
        return ""
    n, d = comparison.truth.system.n_particles, comparison.truth.n_dims
    if comparison.truth.system.law == "reference":
        return (
            "python -m physics.generate --preset nbody-reference --out data/nbody.zarr && "
            "python -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/mine"
        )
    preset = "charged-bound" if comparison.truth.system.law == "coulomb" else f"law-{comparison.truth.system.law}"
    if preset not in PRESETS:
        return ""
    coupling = {"gravity": "masses", "spring": "constant"}.get(comparison.truth.system.law, "charges")
    own = f"integrator-law --set model.couplings={coupling}"
    config = "egnn-nd" if preset == "charged-bound" else own
    given = comparison.truth.system.parameters.items()
    parameters = " ".join(f"{key}={value if isinstance(value, str) else f'{value:g}'}" for key, value in given)
    return (
        f"python -m physics.generate --preset {preset} --dims {d} --particles {n} --set {parameters} "
        "--out data/mine.zarr && "
        f"python -m surrogate.train --data data/mine.zarr --out runs/mine --config {config}"
    )


def copied_commands(result: ComparisonResult) -> tuple[list[str], list[str]]:
    """The command lines, and in words what they do not say."""
    commands = [result.comparison.command]
    left_out: list[str] = []
    setup = result.setup
    if setup.own is not None:
        left_out.append(f"save your scene as {UNSAVED} first (Scene menu)")
    if result.contrast is not None:
        second = replace(setup, model=setup.contrast, effort=setup.contrast_effort)
        commands.append(command_of(second, setup.contrast).replace(OUT, f"{OUT}-second"))
    return commands, left_out
