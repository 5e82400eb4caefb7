"""Labels of units and what is said of one's own data, on figures, in reports and sidecars."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from surrogate.comparison.box import periodic_box
from surrogate.comparison.comparison import Comparison
from surrogate.export import figures, report
from surrogate.export.metrics import sidecar, summary_text
from surrogate.export.strip import ErrorStrip
from surrogate.render import LIGHT
from surrogate.render.hud import headline

UNITS = {"length": "nm", "time": "ps", "mass": "Da"}
NOTE = "velocities by backward differences of positions (frame 0 has none)"


@pytest.fixture
def own(comparison_of: Any) -> Comparison:
    known = comparison_of(3)
    return replace(known, law_known=False, details={"units": UNITS}, notes=(NOTE,), left_out=("chained roll-out",))


def words(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))]


def page(comparison: Comparison) -> str:
    pictures = {theme: {"errors.png": b"", "conservation.png": b""} for theme in ("light", "dark")}
    return re.sub(
        "<[^>]+>", " ", re.sub("<style>.*?</style>", "", report.page(comparison, "", "", pictures), flags=re.S)
    )


def test_axes_carry_the_labels_of_the_data(own: Comparison) -> None:
    errors = words(figures.errors_figure(own, LIGHT))
    assert {"time [ps]", "Position error [nm]"} <= set(errors)
    assert any(NOTE in text and "left out" in text for text in errors)
    kept = words(figures.conservation_figure(replace(own, law_known=True), LIGHT))
    assert {"Total energy [Da nm²/ps²]", "Momentum [Da nm/ps]", "time [ps]"} <= set(kept)
    plain = words(figures.errors_figure(replace(own, details={}), LIGHT))
    assert {"time", "Position error"} <= set(plain)
    assert ErrorStrip(own, (400, 118), LIGHT).picture(0).shape == (118, 400, 3)


def test_the_report_has_units_and_notes_and_claims_nothing_of_an_unknown_law(
    own: Comparison, tmp_path: Any
) -> None:
    text = page(own)
    assert NOTE in text
    assert re.search(r"Mean RMSE\s+\S+ nm", text)
    assert "earlier. Errors do not add up" in text
    assert " 0.5 ps earlier" in text
    assert "chao" not in text
    assert "Energy drift" not in text
    assert "chao" in page(replace(own, law_known=True))  # it bites
    facts = sidecar(own)
    assert (facts["units"], facts["notes"], facts["law"]) == (UNITS, [NOTE], None)
    printed = summary_text(own, tmp_path)
    assert NOTE in printed
    assert "--in-full" in printed


def test_figures_of_an_unknown_law_have_no_energies(own: Comparison) -> None:
    for without in (own, replace(own, law_known=True, energies=False)):
        assert not any("energy" in text.lower() for text in words(figures.conservation_figure(without, LIGHT)))
        assert without.energy_drift(without.truth) is None


def test_a_box_is_named(own: Comparison) -> None:
    box = periodic_box(np.full(3, 2.0), own.truth.positions[0], np.eye(3))
    boxed = replace(own, box=box)
    assert "in a periodic box" in page(boxed)
    assert sidecar(boxed)["box"] == [2.0] * 3
    assert sidecar(own)["box"] is None


def test_between_uneven_frames_no_one_spacing_is_claimed(own: Comparison) -> None:
    kept = np.array([0, 1, 3, 7])
    sources = ("truth", "forecast", "rollout")
    uneven = replace(own, **{source: getattr(own, source).part(kept) for source in sources})
    for comparison, about in ((own, False), (uneven, True)):
        assert ("about 0.5 ps earlier" in page(comparison)) == about
        assert ("dt = " in headline(comparison, 1)) != about
