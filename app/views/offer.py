"""A question in the window with a button for each answer; nothing waits for it."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import Offer, ViewState

WIDTH = 400


class OfferCard(QFrame):
    """Stands over `host`, right at its foot."""

    def __init__(self, host: QWidget, session: Session) -> None:
        super().__init__(host)
        self.setObjectName("offer")
        self._host = host
        self._shown: Offer | None = None
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        self.text = QLabel()
        self.text.setWordWrap(True)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addStretch(1)
        self.decline, self.accept = QPushButton(), QPushButton()
        self.accept.setObjectName("primary")
        self.decline.clicked.connect(session.autosave.discard)
        self.accept.clicked.connect(session.autosave.restore)
        row.addWidget(self.decline)
        row.addWidget(self.accept)
        column.addLayout(row)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the offer, if there is one."""
        if state.offer is self._shown:
            return
        self._shown = state.offer
        self.setVisible(state.offer is not None)
        if state.offer is not None:
            self.text.setText(state.offer.text)
            self.accept.setText(state.offer.accept)
            self.decline.setText(state.offer.decline)

    def place(self, bottom: int) -> None:
        """Right, its lower edge at `bottom` pixels."""
        wide = min(WIDTH, self._host.width() - 32)
        tall = self._column.heightForWidth(wide)
        self.setGeometry(self._host.width() - wide - 16, bottom - tall, wide, tall)
        self.raise_()
