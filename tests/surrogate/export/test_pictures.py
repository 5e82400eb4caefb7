import re
import subprocess
from dataclasses import replace
from io import BytesIO

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from physics import System
from physics.types import Trajectory
from surrogate.export import EXPORTERS, ExportCancelled, ExportJob, figures, still, video
from surrogate.export.figures import Curve, robust_range, spread_apart
from surrogate.export.strip import ErrorStrip
from surrogate.render import ViewOptions
from surrogate.render.theme import DARK, LIGHT


def _decoded(path, width, height):
    """The video's pictures, and what ffmpeg says about it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3), done.stderr.decode()


@pytest.mark.parametrize(("rollout", "panes"), [(True, 3), (False, 2)])
def test_the_video_has_every_frame(rollout, panes, comparison_of, tmp_path):
    c = comparison_of(4, n_frames=10, rollout=rollout)
    (path,) = EXPORTERS["mp4"].write(ExportJob(c, tmp_path))
    width, height = video.SIZES[panes]
    pictures, about = _decoded(path, width, height)
    assert "Video: h264" in about
    assert re.search(r"yuv420p\D.* 30 fps", about)
    assert f"{width}x{height}" in about
    assert len(pictures) == 10
    assert width % 2 == height % 2 == 0
    assert (pictures[0].astype(int) - pictures[-1]).__abs__().max() > 60
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("rollout", "panes"), [(True, 2), (False, 1)])
def test_overlaid_pictures_have_a_pane_less(rollout, panes, comparison_of, tmp_path):
    c = comparison_of(3, n_frames=4, rollout=rollout)
    options = ViewOptions(layout="overlay", colour_by="error")
    (path,) = EXPORTERS["mp4"].write(ExportJob(c, tmp_path, options))
    width, height = video.SIZES[panes]
    pictures, about = _decoded(path, width, height)
    assert f"{width}x{height}" in about
    assert len(pictures) == 4
    assert width % 2 == height % 2 == 0
    EXPORTERS["png"].write(ExportJob(c, tmp_path, options))
    with Image.open(tmp_path / "comparison.png") as picture:
        assert picture.size == tuple(still.SCALE * side for side in still.SIZES[panes])


def test_a_cancelled_video_leaves_nothing(comparison_of, tmp_path):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(ExportCancelled):
        EXPORTERS["mp4"].write(ExportJob(comparison_of(3), tmp_path, cancelled=cancelled))
    assert list(tmp_path.iterdir()) == []


def test_a_failing_video_leaves_no_partial_file(comparison_of, tmp_path, monkeypatch):
    def broken(self, frame):
        if frame == 2:
            raise RuntimeError("no more")
        return np.zeros((video.STRIP_HEIGHT, 1600, 3), dtype=np.uint8)

    monkeypatch.setattr(ErrorStrip, "picture", broken)
    with pytest.raises(RuntimeError, match="no more"):
        EXPORTERS["mp4"].write(ExportJob(comparison_of(3), tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_cursor_moves_and_the_future_is_faint(comparison_of):
    strip = ErrorStrip(comparison_of(3), (640, 118), DARK)
    early, late = strip.picture(0), strip.picture(11)
    assert early.shape == (118, 640, 3)
    changed = np.flatnonzero((early != late).any(axis=(0, 2)))
    assert changed.min() < 90
    assert changed.max() > 450
    assert late[:, 100:450].astype(int).sum() > early[:, 100:450].astype(int).sum()


def test_the_still_has_twice_the_size(comparison_of, tmp_path):
    paths = EXPORTERS["png"].write(ExportJob(comparison_of(3), tmp_path))
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names == ["comparison.png", "figures/errors.png", "figures/conservation.png"]
    with Image.open(paths[0]) as still:
        assert still.size == (3200, 980)
        assert np.asarray(still).std() > 5
    for path in paths[1:]:
        with Image.open(path) as figure:
            assert min(figure.size) > 700


def _words(figure):
    from matplotlib.text import Text

    return " | ".join(text.get_text() for text in figure.findobj(Text))


def test_figures_say_what_is_conserved(comparison_of):
    c = comparison_of(3)
    assert "the law conserves it" in _words(figures.conservation_figure(c, LIGHT))
    system = System(charges=c.truth.system.charges, law="reference")
    clamped = Trajectory(c.truth.times, c.truth.positions, c.truth.velocities, system, -0.0005)
    shown = _words(figures.conservation_figure(replace(c, truth=clamped, forecast=clamped, rollout=None), LIGHT))
    assert shown.count("clamped: not conserved") == 1
    assert "the clamp need not" in shown
    unknown = figures.conservation_figure(replace(c, law_known=False), LIGHT)
    assert "energy" not in _words(unknown)
    assert len(unknown.axes) == 1


@pytest.mark.parametrize("n_frames", [1, 2])
def test_figures_of_hardly_any_frames(n_frames, comparison_of):
    c = comparison_of(3, n_frames=2)
    cut = {
        name: t.part(slice(0, n_frames))
        for name, t in (("truth", c.truth), ("forecast", c.forecast), ("rollout", c.rollout))
    }
    short = replace(c, **cut)
    for figure in (figures.errors_figure(short, LIGHT), figures.conservation_figure(short, DARK)):
        with Image.open(BytesIO(figures.png_bytes(figure))) as picture:
            assert picture.width == 1600
    assert ErrorStrip(short, (640, 118), DARK).picture(0).shape == (118, 640, 3)


def test_a_perfect_forecast_has_figures_too(comparison_of):
    c = comparison_of(3)
    perfect = replace(c, forecast=c.truth, rollout=None)
    assert figures.png_bytes(figures.errors_figure(perfect, LIGHT))


def test_labels_are_moved_apart_in_order():
    moved = spread_apart([10.0, 11.0, 50.0, 10.5], 12.0)
    assert np.argsort(moved).tolist() == [0, 3, 1, 2]
    assert np.diff(np.sort(moved)).min() > 12.0 - 1e-3
    assert spread_apart([0.0, 20.0], 12.0) == [0.0, 20.0]


def test_one_spike_does_not_flatten_a_figure():
    flat = Curve("truth", "truth", np.ones(100))
    spike = Curve("forecast", "forecast", np.where(np.arange(100) == 50, 1e6, 1.1))
    low, high = robust_range([flat, spike])
    assert low < 1.0 < 1.1 < high < 2.0
