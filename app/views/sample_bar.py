"""The bar under the panes while a graph or a molecule is shown: which one, of which part, and its numbers."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.icons import themed_icon

WORDS = {"autoencoder": "graph", "molecules": "molecule"}


class SampleBar(QWidget):
    """Back, number, forward; the part of the set; other noise."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        data = session.data
        self.back = ui.button("", "The sample before (Ctrl+Left)", lambda: data.step(-1))
        self.forward = ui.button("", "The next sample (Ctrl+Right, N)", lambda: data.step(1))
        for button in (self.back, self.forward):
            button.setAccessibleName(button.toolTip().split(" (")[0].lower())
        self.kind, self.count = ui.label(), ui.label()
        self.index = ui.number(QSpinBox(), "number of the sample", 0, 0, session.system.choose_sample, width=78)
        self.split = ui.combo("part of the set", chosen=data.choose_split, tip="Training, validation or test data")
        tip = "Place the nodes from other noise: other places, the same edges (Ctrl+N)"
        self.noise = ui.button("Nodes anew", tip, session.system.new_noise)
        self.seed = ui.label(tip="Seed of the noise")
        which = (self.back, self.kind, self.index, self.count, self.forward, self.split)
        ui.filled(QHBoxLayout(self), *which, None, self.seed, self.noise, margins=(10, 6, 10, 6), spacing=6)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_state(self, state: ViewState, shown: SampleResult) -> None:
        """Draw the state."""
        setup, theme = state.setup, state.view.theme
        self.back.setIcon(themed_icon("back", theme))
        self.forward.setIcon(themed_icon("forward", theme))
        self.kind.setText(WORDS.get(setup.task, "sample"))
        with QSignalBlocker(self.index):
            self.index.setRange(0, shown.n_samples - 1)
            if not (self.index.hasFocus() and state.busy):
                self.index.setValue(setup.index)
        self.count.setText(f"of 0 to {shown.n_samples - 1}")
        ui.fill(self.split, [(name, name) for name in shown.splits])
        ui.choose(self.split, setup.split)
        self.split.setVisible(bool(shown.splits))
        graphs = setup.task == "autoencoder"
        self.noise.setVisible(graphs)
        self.seed.setVisible(graphs)
        self.seed.setText(f"noise {setup.seed or 0}")
