"""Number boxes that write and take powers of ten: lengths, and the time of the shown frame."""

import numpy as np
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

from physics.types import FloatArray
from surrogate.render.captions import mean_spacing, moment

DIGITS, MOST_DECIMALS = 17, 300
"""Digits of a double, and decimals after which a box rounds: none of a length in whatever unit."""


class NumberBox(QDoubleSpinBox):
    """A box that writes 0.25 and 3.2e-13, and takes either; its steps fit its number."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(MOST_DECIMALS)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:  # noqa: N802  (Qt's name)
        """Six digits."""
        return f"{value:.6g}"

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


class TimeBox(NumberBox):
    """Times as the clock writes them; steps are frames."""

    def __init__(self) -> None:
        self._times: FloatArray = np.arange(2.0)  # the base writes a first text
        super().__init__()
        self.setStepType(QAbstractSpinBox.StepType.DefaultStepType)

    def show_times(self, times: FloatArray, unit: str) -> None:
        """Take the times of all frames, and the label of their unit."""
        self._times = times
        step = mean_spacing(times) if len(times) > 1 else 1.0
        self.setDecimals(min(max(DIGITS - int(np.floor(np.log10(step))), 2), MOST_DECIMALS))
        self.setRange(float(times[0]), float(times[-1]))
        self.setSingleStep(step)
        last = moment(float(times[-1]), times)
        self.setSuffix(f" / {last} {unit}" if unit else f" / {last}")

    def textFromValue(self, value: float) -> str:  # noqa: N802  (Qt's name)
        """As beside the panes."""
        return moment(value, self._times)


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
