"""The formula of the forecast model's pair law: text, parameters, and its curve over the learned one."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QScrollArea, QVBoxLayout, QWidget

from app.viewmodel.intents.formula import NO_DATA
from app.viewmodel.presenters.formula import parameter_rows, rich_formula
from app.viewmodel.session import Session
from app.viewmodel.state.formula import FormulaReport
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.curve_plot import LogAxis, log_plot, start_over
from physics.types import FloatArray
from surrogate.render.theme import THEMES, Theme

LEFT_WIDTH = 480
ABOUT = (
    "The pair force that the forecast model has learned, as a closed form: softened powers, Yukawa, springs, "
    "forms with a cut-off, sums of two. Fitted to the data that are open, chosen on trajectories held out."
)


class FormulaPanel(QWidget):
    """Left what was found, right the forces."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._drawn: object = None
        left, halves = ui.halves(self, 170, LEFT_WIDTH)
        self.search = ui.button("Find the formula", ABOUT, session.formula.find, small=False)
        self.stop = ui.button("Cancel", "Stop the search", session.formula.cancel, small=False)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.standing = ui.label(wraps=True)
        self.formula = ui.label(name="formula", wraps=True)
        self.parameters = ui.label(name="", wraps=True)
        self.remarks = ui.label(wraps=True)
        for text in (self.formula, self.parameters):
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = ui.row(self.search, self.stop, (self.progress, 1))
        texts, found = QScrollArea(), QWidget()  # what is found scrolls where the window is small
        found.setObjectName("side")
        parts = (self.standing, self.formula, self.parameters, self.remarks, None)
        ui.filled(QVBoxLayout(found), *parts, spacing=3)
        texts.setWidget(found)
        texts.setWidgetResizable(True)
        ui.filled(QVBoxLayout(left), head, (texts, 1), spacing=3)
        self.plot = log_plot()
        self.plot.setAxisItems({"bottom": LogAxis("bottom")})
        self.plot.setLogMode(x=True, y=True)
        self.names = ui.label(name="")
        halves.addLayout(ui.filled(QVBoxLayout(), self.names, (self.plot, 1), spacing=2), 2)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        search, setup = state.formula, state.setup
        running = search.status == "running"
        there = state.result is not None and state.result.n_samples > 0
        self.search.setEnabled(there and not running)
        self.stop.setVisible(running)
        self.progress.setVisible(running)
        self.progress.setValue(int(100 * search.progress))
        report = search.report
        self.standing.setText(_standing(state, there))
        for part in (self.formula, self.parameters, self.remarks):
            part.setVisible(report is not None)
        key = (id(report), state.view.theme, setup.model)
        if key == self._drawn:
            return
        self._drawn = key
        theme = THEMES[state.view.theme]
        if report is not None:
            self.formula.setText(f"<span style='font-size:11pt'>{rich_formula(report.formula)}</span>")
            rows = [f"{symbol}&nbsp;=&nbsp;{value}" for symbol, value in parameter_rows(report)]
            self.parameters.setText(" &nbsp; ".join(rows))
            self.parameters.setVisible(bool(report.parameters))
            self.remarks.setText("\n".join(report.remarks))
        self._draw(report, theme)

    def _draw(self, report: FormulaReport | None, theme: Theme) -> None:
        title = "|force| of the strongest pair over its distance" if report else "no formula yet"
        start_over(self.plot, theme, title, numbered=report is not None)
        self.plot.setVisible(report is not None)
        self.names.setVisible(report is not None)
        if report is None:
            return
        styles = {
            "true": (theme.truth, 4.0, Qt.PenStyle.SolidLine),
            "learned": (theme.forecast, 2.2, Qt.PenStyle.SolidLine),
            "formula": (theme.warning, 1.6, Qt.PenStyle.DashLine),
        }
        names = []
        for name, (colour, width, dash) in styles.items():
            if name in report.curves:
                pen = pg.mkPen(colour, width=width, style=dash)
                self.plot.plot(report.distances, sizes(report.curves[name]), pen=pen, connect="finite")
                sign = "╌" if dash == Qt.PenStyle.DashLine else "━"
                names.append(f"<span style='color:{colour}'>{sign} {name}</span>")
        self.names.setText("&nbsp;&nbsp; ".join(names))


def sizes(force: FloatArray) -> FloatArray:
    """Of a force for a logarithmic axis: NaN where there is none."""
    return np.where(force != 0, np.abs(force), np.nan)


def _standing(state: ViewState, there: bool) -> str:
    search = state.formula
    if search.status == "running":
        return search.doing
    if search.status == "failed":
        return search.reason
    if search.report is None or search.setup is None:
        return ABOUT if there else f"{ABOUT}\n\n{NO_DATA[0].upper()}{NO_DATA[1:]} (Ctrl+O)."
    asked, now = search.setup, state.setup
    head = f"{search.report.form or 'no form'}, of {Path(asked.model).name} on {Path(asked.data).name}"
    return head if (asked.model, asked.data) == (now.model, now.data) else f"{head} (not what is shown now)"
