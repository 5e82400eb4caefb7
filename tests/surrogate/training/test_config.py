"""Configurations: what is refused and how, and that a resolved configuration reads back as itself."""

from dataclasses import asdict
from pathlib import Path

import pytest

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.training.config import Config, config_from_tree, load_config, parsed_toml, shipped_configs


def file(tmp_path: Path, text: str, name: str = "mine.toml") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(name: str, changes: dict[str, str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load_config(name, changes)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configs_load_and_say_what_they_are(name: str) -> None:
    assert load_config(name).note


@pytest.mark.parametrize("model", MODELS)
def test_a_resolved_config_reads_back_as_itself(model: str, tmp_path: Path) -> None:
    text = f'note = "two \\"lines\\"\\n é ∂ 😀 \\u007f \\\\"\n[model]\nname = "{model}"\n'
    changes = {"data.paths": '["a b.zarr", "c\\\\d.npz"]', "train.lr": "3e-4", "train.velocity_epochs": "7"}
    config = load_config(file(tmp_path, text), changes)
    assert config.note.startswith('two "lines"\n é')
    assert config.data.paths == ("a b.zarr", "c\\d.npz")
    again = load_config(file(tmp_path, config.to_toml(), "resolved.toml"))
    assert again == config
    assert config_from_tree(config.as_dict(), "checkpoint") == config
    assert again.to_toml() == config.to_toml()


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configs_read_back_as_themselves(name: str, tmp_path: Path) -> None:
    config = load_config(name)
    assert load_config(file(tmp_path, config.to_toml())) == config


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[modle]\n", "did you mean 'model'?"),
        ('[model]\nname = "egnnn"\n', "did you mean 'egnn'?"),
        ('[model]\nname = "egnn"\nhiden = 3\n', "did you mean 'hidden'?"),
        ('[model]\nname = "egnn"\n[train]\nepoch = 3\n', "did you mean 'epochs'?"),
        ('[model]\nname = "egnn"\n[data]\npath = "x"\n', "did you mean 'paths'?"),
        ('[model]\nname = "linear"\nhidden = 64\n', "unknown key in model 'hidden'"),
        ("[train]\nepochs = 3\n", "unknown model.name"),
    ],
)
def test_unknown_names_come_with_the_nearest(text: str, nearest: str, tmp_path: Path) -> None:
    assert nearest in refusal(file(tmp_path, text))


def test_an_unknown_shipped_name_comes_with_the_nearest() -> None:
    assert "did you mean 'egnn-nbody'?" in refusal("egnn-nbdy")
    assert "no such file" in refusal("egnn-nbody.toml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("train.epochs=many", "train.epochs must be int; got 'many'"),
        ("train.epochs=2.5", "train.epochs must be int; got 2.5"),
        ("train.epochs=true", "train.epochs must be int; got True"),
        ("train.lr=fast", "train.lr must be float"),
        ("train.lr=[1]", "train.lr must be float"),
        ("train.schedule=3", "train.schedule must be str"),
        ("train.schedule=sometimes", "train.schedule must be one-cycle or constant"),
        ("train.loss=mae", "train.loss must be mse or relative"),
        ("data.windows=some", "data.windows must be task or all"),
        ("model.velocity_head=1", "model.velocity_head must be bool"),
        ("model.hidden=1.0", "model.hidden must be int"),
        ("data.paths=3", "data.paths must be a list of texts"),
        ("data.paths=[3]", "data.paths must be a list of texts"),
        ("train.epochs=0", "train.epochs must be at least 1"),
        ("train.batch_size=-5", "train.batch_size must be at least 1"),
        ("train.seed=-1", "train.seed must be from 0"),
        ("train.seed=4294967296", "train.seed must be from 0"),
        ("train.lr=0", "train.lr must be between 0 and 1"),
        ("train.warmup=1", "train.warmup"),
        ("train.ema=1", "train.ema"),
        ("train.saturation=-0.1", "train.saturation must be >= 0"),
        ("train.saturation_form=soft", "train.saturation_form must be bounded or log"),
        ("train.threads=-1", "train.threads"),
        ("data.train_samples=-1", "data.*_samples"),
        ("train.lr=nan", "train.lr must be finite"),
        ("train.clip=inf", "train.clip must be finite"),
        ("train.weight_decay=inf", "train.weight_decay must be finite"),
        ("train.velocity_weight=1e999", "train.velocity_weight must be finite"),
        ("train.lr=1" + 400 * "0", "train.lr must be finite"),
        ("model.hidden=0", "model.hidden must be from 1 to 1024"),
        ("model.hidden=-64", "model.hidden must be from 1 to 1024"),
        ("model.layers=1000000000", "model.layers must be from 1 to 1024"),
        ("model.name=[]", "unknown model.name"),
        ("model.name={}", "unknown model.name"),
        ("models.hidden=3", "did you mean 'model'?"),
        ("hidden=3", "unknown config section 'hidden'"),
        ("note=3", "unknown config section 'note'"),
        ("train.epochs.more=3", "unknown key in train 'epochs.more'"),
        ("train.=3", "unknown key in train ''"),
    ],
)
def test_changes_that_do_not_fit(change: str, said: str) -> None:
    key, _, value = change.partition("=")
    assert said in refusal("egnn-nbody", {key: value})


def test_changes_are_typed_as_toml_and_else_text() -> None:
    changes = {
        "train.lr": "1e-4",
        "train.clip": "2",
        "train.epochs": "1_000",
        "model.velocity": "recurrent",
        "model.velocity_head": "false",
        "train.schedule": '"one-cycle"',
        "data.paths": "data/x.zarr",
        "data.windows": "all",
        "train.threads": "3",
    }
    config = load_config("egnn-nbody", changes)
    assert config.train.lr == 1e-4
    assert (config.train.clip, type(config.train.clip)) == (2.0, float)
    assert config.train.epochs == 1000
    assert config.model_config.velocity == "recurrent"
    assert config.model_config.velocity_head is False
    assert config.data.paths == ("data/x.zarr",)
    assert config.train.schedule == "one-cycle"
    assert config.train.threads == 3
    others = {"lr", "clip", "epochs", "schedule", "threads"}
    unchanged = asdict(load_config("egnn-nbody").train)
    assert all(unchanged[k] == v for k, v in asdict(config.train).items() if k not in others)


def test_a_change_cannot_smuggle_a_second_key() -> None:
    assert "train.epochs must be int" in refusal("egnn-nbody", {"train.epochs": "3\nlr = 0.5"})


@pytest.mark.parametrize("text", [5000 * "9", 3000 * "[", "0x", '"', "[1,", "{a = {"])
def test_a_change_that_is_no_toml_is_text(text: str) -> None:
    assert "train.epochs must be int" in refusal("egnn-nbody", {"train.epochs": text})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("note = " + '"' + 70_000 * "x" + '"', "expected at most 65536"),
        ("note = " + '"' + 5_000 * "x" + '"', "line 1 is too long or too deeply nested"),
        ("\nx = " + 2000 * "[" + 2000 * "]", "line 2 is too long or too deeply nested"),
        (".".join(["a"] * 1500) + " = 1", "line 1 is too long or too deeply nested"),
        ("[" + ".".join(["a"] * 1500) + "]", ""),
        ("x = " + 30 * "{a = " + "1" + 30 * "}", ""),
        ("x = \n".join(40 * ["["]), "not valid TOML"),
        ("x = [\n" + 3000 * "[\n" + 3000 * "]\n" + "]", ""),
        ("[model\n", "not valid TOML"),
        ("x = 1\nx = 2", "not valid TOML"),
        ("[train]\nepochs = 1\n[train]\nlr = 1", "not valid TOML"),
        ("\x00", "not valid TOML"),
        ('model = "egnn"', "[model] must be a table"),
        ("train = [1]\n[model]\nname = 'egnn'", "[train] must be a table"),
        ("x = " + 5000 * "9", ""),
    ],
)
def test_hostile_files(text: str, said: str, tmp_path: Path) -> None:
    name = file(tmp_path, text)
    message = refusal(name)
    assert said in message


def test_a_change_in_a_section_that_is_no_table(tmp_path: Path) -> None:
    assert "[train] must be a table" in refusal(file(tmp_path, "train = 3"), {"train.epochs": "3"})


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refusal(str(path))
    (tmp_path / "folder.toml").mkdir()
    assert "is a folder" in refusal(str(tmp_path / "folder.toml"))


def test_limits_are_not_met_by_ordinary_files(tmp_path: Path) -> None:
    text = load_config("egnn-nbody").to_toml() + "".join(f"# {'c' * 100}\n" for _ in range(300))
    assert parsed_toml(Path(file(tmp_path, text)))["model"]["name"] == "egnn"


def test_a_config_is_frozen() -> None:
    config = load_config("egnn-nbody")
    assert isinstance(config, Config)
    with pytest.raises(AttributeError):
        config.note = "changed"  # type: ignore[misc]
