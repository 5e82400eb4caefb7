"""What the window starts with, in one dialog; every change is used and stored at once."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.preferences import MAX_TRAIL
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui

WIDTH = 420


class PreferencesDialog(QDialog):
    """Stays beside the window, so that a theme or a trail can be seen before it is kept."""

    def __init__(self, window: QWidget, session: Session, catalogue: Catalogue) -> None:
        super().__init__(window)
        self._session = session
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(WIDTH)
        change = session.preferences.set
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(9)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        themes = [("Dark", "dark"), ("Light", "light")]
        self.theme = ui.combo("Theme", themes, lambda name: change(theme=name), letters=12)
        scenarios = [(title, name) for name, title in catalogue.scenarios.items()]
        self.scenario = ui.combo("Start with scenario", scenarios, lambda name: change(scenario=name), letters=12)
        models = [("the best shipped one", ""), *((name, name) for name in catalogue.models)]
        self.model = ui.combo("Start with model", models, lambda name: change(model=name), letters=12)
        trail = lambda value: change(trail=value)  # noqa: E731
        self.trail = ui.number(QSpinBox(), "Trail length", 0, MAX_TRAIL, trail)
        self.trail.setSuffix(" frames")
        self.loop = QCheckBox("Play again from the start at the end")
        self.loop.clicked.connect(lambda on: change(loop=on))
        self.autosave = QCheckBox("Keep a copy to restore after a crash")
        self.autosave.clicked.connect(lambda on: change(autosave=on))
        rows = (
            ("&Theme", self.theme, ""),
            ("Start with &scenario", self.scenario, "Used from the next start on"),
            ("Start with &model", self.model, "Used from the next start on"),
            ("Trail &length", self.trail, "How far a trail reaches back"),
            ("&Loop", self.loop, ""),
            ("&Autosave", self.autosave, "The session is written every few seconds when it has changed"),
        )
        for text, widget, tip in rows:
            label = QLabel(text)
            label.setBuddy(widget)
            widget.setAccessibleName(text.replace("&", ""))
            widget.setToolTip(tip)
            form.addRow(label, widget)
        note = ui.label("Scenario and model are used from the next start on; the rest at once.", wraps=True)
        buttons = QDialogButtonBox()
        self.reset = buttons.addButton("Reset to defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.done_button = buttons.addButton("Close", QDialogButtonBox.ButtonRole.AcceptRole)
        self.reset.setAutoDefault(False)
        self.done_button.setDefault(True)
        self.reset.clicked.connect(session.preferences.reset)
        self.done_button.clicked.connect(self.close)
        ui.filled(QVBoxLayout(self), form, note, buttons, margins=(18, 16, 18, 14), spacing=12)

    def open_beside(self) -> None:
        """Show it with the keyboard in its first field."""
        self.show_state(self._session.state)
        self.show()
        self.raise_()
        self.activateWindow()
        self.theme.setFocus(Qt.FocusReason.TabFocusReason)

    def show_state(self, state: ViewState) -> None:
        """Draw the preferences."""
        kept = state.preferences
        ui.choose(self.theme, kept.theme)
        ui.choose(self.scenario, kept.scenario, missing=kept.scenario)  # a path of the user's own
        ui.choose(self.model, kept.model, missing=kept.model)
        if not self.trail.hasFocus() or self.trail.value() != kept.trail:
            ui.set_value(self.trail, kept.trail)
        self.loop.setChecked(kept.loop)
        self.autosave.setChecked(kept.autosave)
