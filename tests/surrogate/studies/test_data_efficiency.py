"""Errors against training samples: the same steps for any number, gone on with, a page that reads its numbers."""

from pathlib import Path

import pytest

from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from surrogate.studies import data_efficiency as study


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "iso.zarr"
    sizes = {"train": "12", "valid": "4", "test": "4"}
    generate(request_from_options("charged-iso", sizes, 3, 3, 1, {"dt": "0.01"}), path)
    return path


def test_it_trains_goes_on_and_writes_what_there_is(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "BATCH", 4)
    monkeypatch.setattr(study, "MODELS", {"radial-field": "radial-field-nbody", "gnn": "gnn-nbody"})
    line = ["--matched", str(data), "--samples", "4", "12", "--steps", "6", "--work", str(tmp_path / "work")]
    line += ["--out", str(tmp_path)]
    study.main([*line, "--minutes", "1e-9"])
    assert "4 trainings left out" in capsys.readouterr().out
    study.main([*line, "--resume"])
    out = capsys.readouterr().out
    assert out.count("MSE") == 4
    results = sorted((tmp_path / "work" / "results").glob("*.json"))
    assert len(results) == 4
    text = (tmp_path / "data-efficiency.md").read_text()
    assert "6 optimiser steps" in text
    assert "| 12 | " in text
    assert "from 4 to 12 samples errors fall by factors of radial-field" in text
    assert (tmp_path / "data-efficiency.csv").read_text().count("matched") == 4
    assert (tmp_path / "figures" / "data-efficiency.png").is_file()


def test_budgets():
    fixed = study.configured("egnn", Path("d"), 800, 0, steps=4000)
    assert fixed.train.epochs * 8 == 4000
    published = study.configured("egnn", Path("d"), 800, 0, steps=4000, epochs_scale=0.1)
    assert (published.train.epochs, published.train.lr, published.train.schedule) == (200, 5e-4, "constant")
    assert all(len(epochs) == len(study.SAMPLES) for epochs in study.PUBLISHED_EPOCHS.values())
    assert study.PUBLISHED_EPOCHS.keys() == study.MODELS.keys() == study.PUBLISHED_LR.keys()


def test_refusals(data, tmp_path):
    where = ["--out", str(tmp_path), "--work", str(tmp_path / "w")]
    with pytest.raises(InputError, match="--large or --matched"):
        study.main(where)
    with pytest.raises(InputError, match="no epochs were published for 4"):
        study.main([*where, "--matched", str(data), "--samples", "4", "--epochs-scale", "0.1"])
