"""Checkpoints: exact when whole, one line when damaged, never wrong numbers."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from surrogate.inference.loading import load
from surrogate.training.checkpoint import (
    FILE_NAME,
    FORMAT,
    ModelError,
    contents_digest,
    read_checkpoint,
    save_checkpoint,
)
from tests.surrogate.helpers import info_of, saved_model, tiny_config, tiny_model, tree


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return saved_model(tmp_path / "m") / FILE_NAME


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert str(path) in message
    return message


def with_header(path: Path, header: bytes, rest: bytes = b"") -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + rest)
    return path


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    tensors = {
        "a.weight": torch.randn(3, 4),
        "b": torch.tensor(1.5),
        "c": torch.arange(6).reshape(2, 3).T,
        "d": torch.randn(2, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
    }
    info = {"text": 'é 😀 "quoted" \\ \n', "number": 0.1 + 0.2, "list": [1, None, True]}
    digest = save_checkpoint(tmp_path / "new" / "folder", info, tensors)
    found = read_checkpoint(tmp_path / "new" / "folder")
    assert found.info == info
    assert found.digest == digest
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == tensor.dtype
    assert set(tree(tmp_path / "new")) == {"folder", f"folder/{FILE_NAME}"}


def test_equal_checkpoints_are_equal_files(tmp_path: Path) -> None:
    """safetensors alone orders its metadata differently from call to call."""
    files = {(saved_model(tmp_path / str(i)) / FILE_NAME).read_bytes() for i in range(8)}
    assert len(files) == 1


def test_files_of_plain_safetensors_are_read_too(tmp_path: Path) -> None:
    """As written before the metadata had a fixed order."""
    model = read_checkpoint(saved_model(tmp_path / "m"))
    text = json.dumps(model.info, sort_keys=True)
    old = tmp_path / "old.safetensors"
    save_file(model.tensors, old, metadata={"sha256": model.digest, "info": text, "format": FORMAT})
    assert load(old).digest == model.digest


def test_a_state_that_is_not_finite_is_never_saved(tmp_path: Path) -> None:
    saved_model(tmp_path)
    before = tree(tmp_path)
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ModelError, match="weight w is not finite; not saved"):
            save_checkpoint(tmp_path, {}, {"w": torch.tensor([0.0, bad])})
    with pytest.raises(ValueError):
        save_checkpoint(tmp_path, {"error": float("nan")}, {"w": torch.zeros(1)})
    assert tree(tmp_path) == before


# Damage


def test_seeded_byte_changes_never_load_wrong_numbers(file: Path) -> None:
    whole = file.read_bytes()
    expected = read_checkpoint(file)
    rng = np.random.default_rng(0)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    survived, messages = 0, []
    for trial in range(150):
        data = bytearray(whole)
        kind = trial % 5
        if kind == 0:  # one bit anywhere
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        elif kind == 1:  # one byte of the header
            data[rng.integers(header)] = rng.integers(256)
        elif kind == 2:  # a stretch overwritten
            at = rng.integers(len(data) - 20)
            data[at : at + 20] = rng.bytes(20)
        elif kind == 3:  # cut
            del data[rng.integers(len(data)) :]
        else:  # bytes put in
            at = rng.integers(len(data))
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        file.write_bytes(data)
        try:
            found = load(file)
        except ModelError as error:
            messages.append(str(error))
            continue
        survived += 1  # harmless: white space or a changed padding
        weights = found.network(torch.float32).state_dict()
        assert all(torch.equal(weights[name], expected.tensors[name]) for name in expected.tensors)
        assert found.card == expected.info["card"]
    assert survived < 5
    assert all(len(message.splitlines()) == 1 for message in messages)


def test_every_bit_of_the_weights_counts(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1  # the lowest bit would do as well: the digest covers all
    file.write_bytes(data)
    assert "SHA-256 differs" in refusal(file)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.99, 1.0])
def test_truncation(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: min(int(share * len(data)), len(data) - 1)])
    assert "damaged" in refusal(file)
    assert "safetensors" in refusal(file) or "damaged checkpoint" in refusal(file)


def test_more_bytes_than_declared(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")
    assert "damaged" in refusal(file)


def test_foreign_safetensors(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}, {"format": "isotwin-checkpoint/2", "info": "{}", "sha256": ""}):
        save_file({"w": torch.zeros(3)}, tmp_path / "f.safetensors", metadata=metadata)
        assert "not an Isotwin checkpoint (expected format isotwin-checkpoint/1)" in refusal(
            tmp_path / "f.safetensors"
        )


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("pickle-was-run"),))


def test_a_pickle_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("model.pt", FILE_NAME):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Payload()))
        assert "not a safetensors file" in refusal(path)
    torch.save({"w": torch.zeros(3)}, tmp_path / "zip.pt")
    assert "not a safetensors file" in refusal(tmp_path / "zip.pt")
    assert not Path("pickle-was-run").exists()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"[]", "header is not JSON"),
        (b"{not json}", "header is not JSON"),
        (b"\xff\xfe\xfd\xfc", "header is not JSON"),
        (b'"text"  ', "header is not JSON"),
        (b"[" * 100_000, "too deeply nested"),
        (b'{"a":' * 100_000, "too deeply nested"),
        (b'{"__metadata__": 3}', "not an Isotwin checkpoint"),
        (b'{"__metadata__": {"format": 3}}', "not an Isotwin checkpoint"),
        (b'{"__metadata__": {"format": "isotwin-checkpoint/1"}}', "damaged checkpoint"),
        (b'{"__metadata__": {"format": "isotwin-checkpoint/1", "info": 3, "sha256": 3}}', "damaged checkpoint"),
        (
            b'{"__metadata__":{"format":"isotwin-checkpoint/1"},"w":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}',
            "damaged checkpoint",
        ),
        (
            b'{"__metadata__":{"format":"isotwin-checkpoint/1"},'
            b'"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}',
            "damaged checkpoint",
        ),
        (
            b'{"__metadata__":{"format":"isotwin-checkpoint/1"},"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
            "damaged checkpoint",
        ),
    ],
)
def test_hostile_headers(header: bytes, said: str, tmp_path: Path) -> None:
    assert said in refusal(with_header(tmp_path / "h.safetensors", header, b"abcd"))


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_lengths_that_lie(length: int, tmp_path: Path) -> None:
    path = tmp_path / "l.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" * 50)
    assert "not a safetensors file" in refusal(path)


def rewritten(file: Path, **changes: torch.Tensor) -> None:
    """The checkpoint with other weights and a digest that fits them: a file made by hand."""

    found = read_checkpoint(file)
    tensors = {**found.tensors, **changes}
    text = json.dumps(found.info, sort_keys=True)
    metadata = {"format": FORMAT, "info": text, "sha256": contents_digest(text, tensors)}
    save_file(tensors, file, metadata=metadata)


def test_weights_made_by_hand(file: Path) -> None:
    name = "embedding.bias"
    rewritten(file, **{name: torch.zeros(8)})
    assert not load(file).network(torch.float32).state_dict()[name].any()
    rewritten(file, **{name: torch.zeros(7)})
    assert f"weights do not fit model 'egnn' (first: {name})" in refusal(file)
    rewritten(file, **{name: torch.zeros(8, dtype=torch.int32)})
    assert f"weights do not fit model 'egnn' (first: {name})" in refusal(file)
    rewritten(file, **{name: torch.full((8,), np.nan)})
    assert f"weight {name} is not finite" in refusal(file)


def test_weights_of_a_kind_that_knows_no_infinity(file: Path) -> None:
    rewritten(file, **{"embedding.bias": torch.zeros(8).to(torch.float8_e4m3fn)})
    assert "embedding.bias" in refusal(file)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 5000, '{"config": NaN}'])
def test_descriptions_that_are_no_object(text: str, tmp_path: Path) -> None:

    tensors = dict(tiny_model().state_dict())
    metadata = {"format": FORMAT, "info": text, "sha256": contents_digest(text, tensors)}
    save_file(tensors, tmp_path / "d.safetensors", metadata=metadata)
    refusal(tmp_path / "d.safetensors")


def test_ordinary_descriptions_are_far_from_the_limits(tmp_path: Path) -> None:
    """A long run's restart point holds a row for every validation."""
    row = {"stage": "positions", "epoch": 1, "step": 1, "lr": 0.1, "loss": 0.1, "valid": 0.1}
    info = {**info_of(tiny_config()), "progress": {"history": [row] * 30_000}}
    save_checkpoint(tmp_path, info, {"w": torch.zeros(3)})
    assert len(read_checkpoint(tmp_path).info["progress"]["history"]) == 30_000
