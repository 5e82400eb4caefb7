"""The registry of models: rows that say what the classes say, read and used without importing the other models."""

import json
import subprocess
import sys

import pytest
import torch

from surrogate.models import MODELS
from surrogate.models.base import SurrogateModel
from tests.surrogate.helpers import tiny_model

models = pytest.mark.parametrize("name", MODELS)


@models
def test_a_row_says_what_the_class_and_a_built_model_say(name: str) -> None:
    row = MODELS[name]
    built = tiny_model(name)
    assert isinstance(built, SurrogateModel)
    assert type(built) is row.model
    assert (row.group, row.sees) == (built.group, built.sees)
    own = "config" if hasattr(row.Config(), "dims") and built.dims else str(built.dims or "any")
    assert row.dims == own
    assert built.uses_masses == ("masses" in row.sees)


@models
def test_a_forecast_depends_on_what_the_model_sees_and_on_nothing_else(name: str) -> None:
    torch.manual_seed(0)
    given = {
        "positions": torch.randn(2, 5, 3),
        "velocities": torch.randn(2, 5, 3),
        "charges": torch.randn(2, 5),
        "masses": 1 + torch.rand(2, 5),
    }
    model = tiny_model(name, **({"couplings": "charges,masses"} if "masses" in MODELS[name].sees else {})).eval()

    def forecast(**changed: torch.Tensor) -> torch.Tensor:
        x, v, q, m = {**given, **changed}.values()
        with torch.no_grad():
            return model(x, v, q, 1.0, m)[0]

    whole = forecast()
    for what, values in given.items():
        moved = float((forecast(**{what: 1.5 * values}) - whole).abs().max())
        assert (moved > 1e-4) == (what in MODELS[name].sees)


def imported_after(code: str) -> list[str]:
    show = "; import json, sys; print(json.dumps([m for m in sys.modules if m.startswith('surrogate.models.')]))"
    done = subprocess.run([sys.executable, "-c", code + show], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def test_rows_are_read_without_importing_models_and_building_one_imports_no_other() -> None:
    read = "from surrogate.models import MODELS; [(r.group, r.dims, r.sees) for r in MODELS.values()]"
    assert imported_after(read) == []
    without = f"{read}; import sys; assert 'torch' not in sys.modules"
    assert imported_after(without) == []  # the window reads rows in a process that has no PyTorch
    one = imported_after("from surrogate.models import MODELS; MODELS['segno'](MODELS['segno'].Config())")
    assert "surrogate.models.segno" in one
    others = {f"surrogate.models.{row.module}" for name, row in MODELS.items() if name not in ("segno", "egnn")}
    assert not others & set(one)  # its layer is an EGNN's
