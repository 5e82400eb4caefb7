"""The box with the time of the shown frame, in which another one can be typed: 0.25, 3.2e-13."""

import numpy as np
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox

from physics.types import FloatArray
from surrogate.render.captions import mean_spacing, moment

DIGITS = 17
"""Of a double."""


class TimeBox(QDoubleSpinBox):
    """A number box that writes times as the clock does, and takes powers of ten."""

    def __init__(self) -> None:
        super().__init__()
        self._times: FloatArray = np.arange(2.0)

    def show_times(self, times: FloatArray, unit: str) -> None:
        """Take the times of all frames, and the label of their unit."""
        self._times = times
        step = mean_spacing(times) if len(times) > 1 else 1.0
        self.setDecimals(min(max(DIGITS - int(np.floor(np.log10(step))), 2), 300))
        self.setRange(float(times[0]), float(times[-1]))
        self.setSingleStep(step)
        last = moment(float(times[-1]), times)
        self.setSuffix(f" / {last} {unit}" if unit else f" / {last}")

    def textFromValue(self, value: float) -> str:  # noqa: N802  (Qt's name)
        """As beside the panes."""
        return moment(value, self._times)

    def valueFromText(self, text: str) -> float:  # noqa: N802  (Qt's name)
        """What was typed."""
        return _number(self._bare(text), self.value())

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Anything that may become a number."""
        bare = self._bare(text)
        if any(letter not in "0123456789.eE+-" for letter in bare):
            return QValidator.State.Invalid, text, place
        known = np.isfinite(_number(bare, np.nan))
        return (QValidator.State.Acceptable if known else QValidator.State.Intermediate), text, place

    def _bare(self, text: str) -> str:
        return text.removeprefix(self.prefix()).removesuffix(self.suffix()).strip()


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
