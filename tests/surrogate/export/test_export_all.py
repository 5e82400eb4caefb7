import json
import re

import pytest

from physics.errors import InputError
from physics.rotations import parse_operations
from surrogate.export import EXPORTERS, ExportCancelled, ExportFormat, ExportJob, export_all


def _names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def suspicious(comparison_of):
    """A comparison whose every text tries to be markup."""
    bad = "<script>alert('x')</script>\"&"
    return comparison_of(
        4,
        n_frames=4,
        model_name=bad,
        scenario_name=bad,
        command=bad,
        outside_training=(bad,),
        rotation=parse_operations("0-3:45", 4)[0],
        details={"turns": bad, "recipe": {bad: [bad]}, "card": {"notes": bad, "n": {"deep": bad}}, bad: bad},
    )


def test_the_report_stands_alone_and_is_escaped(suspicious, tmp_path):
    (path,) = EXPORTERS["html"].write(ExportJob(suspicious, tmp_path))
    text = path.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in text
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert not re.search(r'(src|href|srcset|poster)="(?!data:)', text)
    assert text.count("data:video/mp4;base64,") == 1
    assert "0.7071" in text  # the rotation matrix
    for words in ("Outside training", "Model card", "Recipe", "Make it again", "Sliding forecast", "Equivariance"):
        assert words in text
    assert path.stat().st_size < 15e6
    assert _names(tmp_path) == ["report.html"]


def test_a_large_video_is_linked_instead(comparison_of, tmp_path, monkeypatch):
    monkeypatch.setattr("surrogate.export.report.VIDEO_LIMIT", 10)
    export_all(comparison_of(2, n_frames=2, rollout=False), tmp_path, ["html"])
    assert 'src="comparison.mp4"' in (tmp_path / "report.html").read_text()
    assert _names(tmp_path) == ["comparison.json", "comparison.mp4", "metrics.json", "report.html"]


def test_everything_at_once(comparison_of, tmp_path):
    folder = tmp_path / "new" / "out"
    seen = []
    paths = export_all(comparison_of(3, n_frames=4), folder, ["html", "mp4", "csv", "png", "npz"], seen.append)
    assert sorted(path.relative_to(folder).as_posix() for path in paths) == _names(folder)
    pictures = ["comparison.mp4", "comparison.png", "figures/conservation.png", "figures/errors.png"]
    tables = ["comparison.json", "comparison.npz", "metrics.csv", "metrics.json", "trajectories.csv"]
    assert _names(folder) == sorted([*pictures, *tables, "report.html"])
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    sidecar = json.loads((folder / "comparison.json").read_text())
    assert sorted(sidecar["files"]) == _names(folder)
    assert sidecar["versions"]["numpy"]


def test_metrics_are_written_whatever_was_asked_for(comparison_of, tmp_path):
    export_all(comparison_of(3), tmp_path, [])
    assert _names(tmp_path) == ["comparison.json", "metrics.json"]


@pytest.mark.parametrize("below", ["", "inside"])
def test_a_file_where_a_folder_is_expected(below, comparison_of, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(InputError, match=r"taken.*: is a file; expected a folder"):
        export_all(comparison_of(3), tmp_path / "taken" / below, ["csv"])
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("after", [0, 1, 4])
def test_cancelling_leaves_the_folder_as_it_was(after, comparison_of, tmp_path):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > after

    with pytest.raises(ExportCancelled):
        export_all(comparison_of(3), tmp_path / "out", ["csv", "npz", "png"], None, cancelled)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "metrics.json").write_text("older")
    asked.clear()
    with pytest.raises(ExportCancelled):
        export_all(comparison_of(3), tmp_path, ["csv", "npz", "png"], None, cancelled)
    assert _names(tmp_path) == ["metrics.json"]
    assert (tmp_path / "metrics.json").read_text() == "older"


def test_files_of_another_comparison_do_not_stay(comparison_of, tmp_path):
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    export_all(comparison_of(3), tmp_path, ["csv"])
    export_all(comparison_of(3), tmp_path, ["npz"])  # one more format of the same
    assert {"metrics.csv", "comparison.npz", "notes.txt"} <= set(_names(tmp_path))
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("not ours")
    sidecar = json.loads((tmp_path / "comparison.json").read_text())
    sidecar["files"] += ["../outside.txt", "missing.csv", 3]
    (tmp_path / "comparison.json").write_text(json.dumps(sidecar))
    export_all(comparison_of(4), tmp_path, [])
    assert _names(tmp_path) == ["comparison.json", "metrics.json", "notes.txt"]
    assert outside.exists()


def test_a_failing_format_leaves_nothing_of_the_others(comparison_of, tmp_path, monkeypatch):
    def failing(*_given):
        raise InputError("no usable OpenGL")

    monkeypatch.setattr("surrogate.export.EXPORTERS", {**EXPORTERS, "png": ExportFormat(failing, 1.0)})
    with pytest.raises(InputError, match="no usable OpenGL"):
        export_all(comparison_of(3), tmp_path / "out", ["csv", "png"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_names_the_nearest(comparison_of, tmp_path):
    with pytest.raises(InputError, match="did you mean 'mp4'"):
        export_all(comparison_of(3), tmp_path / "out", ["csv", "mp3"])
    assert list(tmp_path.iterdir()) == []


def test_the_registry():
    assert set(EXPORTERS) == {"mp4", "png", "html", "csv", "npz"}
    assert all(row.effort > 0 for row in EXPORTERS.values())
    assert list(EXPORTERS)[-1] == "html"  # it takes in what the others made
