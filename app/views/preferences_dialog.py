"""What the window starts with, in one dialog; every change is used and stored at once."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
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

WIDTH = 420


class PreferencesDialog(QDialog):
    """Stays beside the window, so that a theme or a trail can be seen before it is kept."""

    def __init__(self, window: QWidget, session: Session, catalogue: Catalogue) -> None:
        super().__init__(window)
        self._session = session
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(9)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.theme = _combo({"dark": "Dark", "light": "Light"})
        self.scenario = _combo(dict(catalogue.scenarios))
        self.model = _combo({"": "the best shipped one", **{name: name for name in catalogue.models}})
        self.trail = QSpinBox()
        self.trail.setRange(0, MAX_TRAIL)
        self.trail.setSuffix(" frames")
        self.trail.setKeyboardTracking(False)
        self.loop = QCheckBox("Play again from the start at the end")
        self.autosave = QCheckBox("Keep a copy to restore after a crash")
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
        column.addLayout(form)
        note = QLabel("Scenario and model are used from the next start on; the rest at once.")
        note.setObjectName("muted")
        note.setWordWrap(True)
        column.addWidget(note)
        buttons = QDialogButtonBox()
        self.reset = buttons.addButton("Reset to defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.done_button = buttons.addButton("Close", QDialogButtonBox.ButtonRole.AcceptRole)
        self.reset.setAutoDefault(False)
        self.done_button.setDefault(True)
        column.addWidget(buttons)
        self.theme.activated.connect(lambda: session.preferences.set(theme=self.theme.currentData()))
        self.scenario.activated.connect(lambda: session.preferences.set(scenario=self.scenario.currentData()))
        self.model.activated.connect(lambda: session.preferences.set(model=self.model.currentData()))
        self.trail.valueChanged.connect(lambda value: session.preferences.set(trail=value))
        self.loop.clicked.connect(lambda on: session.preferences.set(loop=on))
        self.autosave.clicked.connect(lambda on: session.preferences.set(autosave=on))
        self.reset.clicked.connect(session.preferences.reset)
        self.done_button.clicked.connect(self.close)

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
        for combo, value in ((self.theme, kept.theme), (self.scenario, kept.scenario), (self.model, kept.model)):
            if combo.findData(value) < 0:
                combo.addItem(value, value)  # a path of the user's own
            if not combo.view().isVisible():
                combo.setCurrentIndex(combo.findData(value))
        if not self.trail.hasFocus() or self.trail.value() != kept.trail:
            with QSignalBlocker(self.trail):
                self.trail.setValue(kept.trail)
        self.loop.setChecked(kept.loop)
        self.autosave.setChecked(kept.autosave)


def _combo(entries: dict[str, str]) -> QComboBox:
    combo = QComboBox()
    for value, text in entries.items():
        combo.addItem(text, value)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(12)
    return combo
