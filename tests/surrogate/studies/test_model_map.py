"""The page of the models: all of the registry on the map, scores from a benchmark's file, refusals in one line."""

import json

import pytest

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.studies.model_map import MESSAGES, PLACES, SPACES, main, scores_of

ROW = {
    "label": "egnn", "recipe": "common", "mse": 0.0071, "mse_median": 1e-3, "forward_ms": 1.25, "steps": 20_010,
    "parameters": 134_020, "group": "E(n)",
}  # fmt: skip


def test_every_model_that_passes_messages_is_on_the_map():
    assert {place.model for place in PLACES.values()} >= MODELS.keys() - {"linear"}
    assert all(place.messages in MESSAGES and place.space in SPACES for place in PLACES.values())


def test_the_page_has_the_scores_of_the_common_budget(tmp_path):
    results = tmp_path / "benchmark.json"
    results.write_text(json.dumps({"rows": [ROW, {**ROW, "recipe": "own", "mse": 1.0}]}))
    main(["--results", str(results), "--out", str(tmp_path)])
    text = (tmp_path / "models.md").read_text()
    assert "| `egnn` | non-linear | R^n | E(n) | any | 134,020 | 0.0071 | 0.001 | 1.25 |" in text
    assert "20,010 optimiser steps" in text
    assert "| `segno` | non-linear | R^n | E(n) | any | - | - |" in text
    assert (tmp_path / "figures" / "model-map.png").stat().st_size > 10_000


@pytest.mark.parametrize("text", ["", "[]", '{"rows": 3}', '{"rows": [{}]}'])
def test_what_is_no_benchmark_is_refused(tmp_path, text):
    path = tmp_path / "benchmark.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"benchmark\.json"):
        scores_of(path)
