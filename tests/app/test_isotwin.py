"""`isotwin COMMAND ...` from the shell: every command under one name, refusals in one line."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from app.command import COMMANDS

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys; from app.command import main; sys.exit(main())"
"""What an installer writes into the console script."""


def isotwin(*arguments: str, code: str = SCRIPT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", code, *arguments]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_installed_script_calls_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["isotwin"].partition(":")
    assert getattr(import_module(module), name) is import_module("app.command").main


def test_help_lists_every_command_in_one_line():
    shown = isotwin("--help")
    assert shown.returncode == 0
    lines = [line.split() for line in shown.stdout.partition("commands:\n")[2].splitlines()]
    assert [words[0] for words in lines] == list(COMMANDS)
    assert all(len(words) > 2 for words in lines)
    assert {"train", "evaluate", "compare", "benchmark", "recover", "demo", "generate", "app"} <= set(COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_module_of_every_command_is_there(name):
    assert (ROOT / (COMMANDS[name][0].replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (["publish"], "unknown command 'publish'"),
        ([], "no command is named"),
        (["--trian"], "unrecognized arguments: --trian"),
        (["train", "--config", "egnn-nbodi", "--out", "never"], "did you mean 'egnn-nbody'"),
        (["evaluate", "egnn-nd"], "--data"),
    ],
)
def test_bad_input_is_one_line(arguments, said):
    refused = isotwin(*arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert said in refused.stderr


@pytest.mark.parametrize("name", ["generate", "evaluate"])
def test_it_answers_as_the_module_does(name):
    module = COMMANDS[name][0]
    alone = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert isotwin(name, "--help").stdout == alone.stdout
    assert isotwin(name, "--version").stdout == isotwin("--version").stdout


def test_nothing_is_loaded_that_the_command_does_not_need():
    heavy = "{'torch', 'numba', 'zarr', 'matplotlib', 'pyvista', 'PySide6', 'surrogate.train'}"
    code = f"import sys; from app.command import main; main(); sys.stderr.write(repr({heavy} & set(sys.modules)))"
    assert isotwin("trian", code=code).stderr.endswith("set()")
    loaded = isotwin("train", "--config", "none", "--out", "never", code=code).stderr
    assert "'surrogate.train'" in loaded
    assert not any(name in loaded for name in ("'matplotlib'", "'pyvista'", "'PySide6'"))
