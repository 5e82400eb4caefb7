"""Bad input of `python -m physics.generate`: one line, status 2, nothing written; what is there is kept."""

import os
import shutil

import pytest
import zarr

from physics import generate as command
from physics.cli import claim_output, key_values, run_command
from physics.datasets.request import check_feasible, request_from_options
from physics.errors import InputError
from tests.physics.commands import contents, is_refusal, run

BAD = {
    "nothing": [],
    "no out": ["--preset", "charged-iso"],
    "preset": ["--preset", "charged-is", "--out", "OUT"],
    "option": ["--preset", "charged-iso", "--out", "OUT", "--worker", "1"],
    "missing value": ["--preset", "charged-iso", "--out", "OUT", "--seed"],
    "dims": ["--preset", "charged-iso", "--out", "OUT", "--dims", "0"],
    "dims text": ["--preset", "charged-iso", "--out", "OUT", "--dims", "three"],
    "dims long": ["--preset", "charged-iso", "--out", "OUT", "--dims", "9" * 5000],
    "particles": ["--preset", "charged-iso", "--out", "OUT", "--particles", "-5"],
    "seed": ["--preset", "charged-iso", "--out", "OUT", "--seed", "-1"],
    "seed large": ["--preset", "charged-iso", "--out", "OUT", "--seed", str(2**32)],
    "workers": ["--preset", "charged-iso", "--out", "OUT", "--workers", "0"],
    "split name": ["--preset", "charged-iso", "--out", "OUT", "--split", "trian=3"],
    "split zero": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=0"],
    "split power": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=²"],
    "split long": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=" + "1" * 5000],
    "split form": ["--preset", "charged-iso", "--out", "OUT", "--split", "train"],
    "split twice": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=1", "--split", "train=2"],
    "set name": ["--preset", "charged-iso", "--out", "OUT", "--set", "esp=1"],
    "set value": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=soft"],
    "set negative": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=-1"],
    "set nan": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=nan"],
    "set gauss": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=gauss"],
    "dt zero": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=0"],
    "dt gauss": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=gauss"],
    "dt tiny": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=1e-12"],
    "published dims": ["--preset", "nbody-reference", "--out", "OUT", "--dims", "2"],
    "published seed": ["--preset", "nbody-reference", "--out", "OUT", "--seed", "1"],
    "published set": ["--preset", "nbody-reference", "--out", "OUT", "--set", "dt=0.01"],
    "published count": ["--preset", "nbody-reference", "--out", "OUT", "--split", "test=2001"],
    "both": ["--preset", "charged-iso", "--out", "OUT", "--resume", "--overwrite"],
    "disk": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=99999999999"],
    "long path": ["--preset", "charged-iso", "--out", "OUT" + "x" * 300],
    "blow-up": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=2", "--set", "p=1e308", "dt=0.1"],
    "one trajectory": ["--preset", "charged-iso", "--out", "OUT", "--dims", "999", "--particles", "999"],
}
NAMES = {  # what the line must name
    "preset": "did you mean 'charged-iso'",
    "option": "--worker",
    "dims": "--dims",
    "split name": "did you mean 'train'",
    "split power": "--split train",
    "split twice": "given twice",
    "set name": "did you mean 'eps'",
    "set nan": "eps",
    "dt tiny": "dt = 1e-12",
    "published dims": "--dims is 3; got 2",
    "published count": "2000",
    "disk": "GB are free",
    "blow-up": "not finite",
    "one trajectory": "at most 256 MiB",
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_is_one_line_and_leaves_nothing(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)  # run_command replaces it; put back afterwards
    argv = [text.replace("OUT", str(tmp_path / "new" / "data.zarr")) for text in BAD[case]]
    status = run_command(command.main, argv)
    written = capsys.readouterr()
    assert is_refusal(status, written.out, written.err), written
    assert len(written.err) < 6000
    assert NAMES.get(case, "") in written.err
    assert not list(tmp_path.rglob("*.zarr"))
    if case not in ("blow-up", "long path"):  # known only once its parent folder is there
        assert not list(tmp_path.iterdir())


def test_bad_input_as_a_process(tmp_path):
    done = run(*(text.replace("OUT", str(tmp_path / "new" / "data.zarr")) for text in BAD["blow-up"]))
    assert is_refusal(done.returncode, done.stdout, done.stderr), done
    assert not list(tmp_path.rglob("*.zarr"))


def test_existing_output_is_kept_unless_overwritten(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)
    small = ["--preset", "charged-iso", "--split", "train=1", "--particles", "2", "--set", "dt=0.05"]
    out = tmp_path / "data.zarr"
    out.mkdir()  # an empty folder is no output yet

    def ask(*more, to=out):
        status = run_command(command.main, [*small, "--out", str(to), *more])
        return status, capsys.readouterr().err

    assert ask() == (0, "")
    before = contents(out)
    status, line = ask()
    assert status == 2
    assert "--overwrite" in line
    assert "--resume" in line
    assert contents(out) == before
    assert ask("--resume") == (0, "")
    assert contents(out) == before
    status, line = ask("--resume", "--seed", "9")
    assert status == 2
    assert "seed was 0; asked for 9" in line
    status, line = ask("--overwrite", "--set", "dt=1e-12")  # a request that cannot work destroys nothing
    assert status == 2
    assert contents(out) == before
    assert ask("--overwrite", "--seed", "9") == (0, "")
    assert contents(out).keys() == before.keys()
    assert contents(out) != before

    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("years of work")
    for option in ("--resume", "--overwrite"):
        status, line = ask(option, to=mine)
        assert status == 2, line
        assert (mine / "chapter.txt").read_text() == "years of work"
        assert len(list(mine.iterdir())) == 1
    foreign = tmp_path / "foreign.zarr"
    zarr.open_group(foreign, mode="w").attrs["request"] = 3
    status, line = ask("--resume", to=foreign)
    assert status == 2
    assert "not an Isotwin data set" in line
    status, line = ask(to=mine / "chapter.txt" / "data.zarr")
    assert (status, line.count("\n")) == (2, 1)
    assert ask("--resume", to=mine / "chapter.txt")[0] == 2
    assert (mine / "chapter.txt").read_text() == "years of work"


def test_a_full_disk_is_noticed_before_the_start(tmp_path, monkeypatch):
    request = request_from_options("charged-iso", {"train": "100"}, 3, 5, None, {})
    needed = 100 * 5 * (2 * 132 * 3 + 1) * 8
    usage = shutil.disk_usage(tmp_path)
    for free, fits in ((needed, False), (1.1 * needed, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: usage._replace(free=free))
        if fits:
            check_feasible(request, tmp_path / "new" / "data.zarr")
        else:
            with pytest.raises(InputError, match="are free on that disk"):
                check_feasible(request, tmp_path / "new" / "data.zarr")
    assert not list(tmp_path.iterdir())


def test_output_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    done = run("--preset", "charged-iso", "--split", "train=1", "--out", tmp_path / "x.zarr")
    assert is_refusal(done.returncode, done.stdout, done.stderr)


def test_key_values_and_claims(tmp_path):
    assert key_values(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    for items in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(InputError):
            key_values(items)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="already exists"):
        claim_output(tmp_path / "file")
    claim_output(tmp_path / "deep" / "er" / "out")
    assert (tmp_path / "deep" / "er").is_dir()
    assert not (tmp_path / "deep" / "er" / "out").exists()
