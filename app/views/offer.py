"""A question in the window with a button for each answer; nothing waits for it."""

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import Offer, ViewState
from app.views import widgets as ui

WIDTH = 400


class OfferCard(QFrame):
    """Stands over `host`, right at its foot."""

    def __init__(self, host: QWidget, session: Session) -> None:
        super().__init__(host)
        self.setObjectName("offer")
        self._host = host
        self._shown: Offer | None = None
        self.text = ui.label(name="", wraps=True)
        self.decline = ui.button("", "", session.autosave.discard, small=False)
        self.accept = ui.button("", "", session.autosave.restore, small=False, name="primary")
        answers = ui.row(None, self.decline, self.accept)
        self._column = ui.filled(QVBoxLayout(self), self.text, answers, margins=(14, 12, 14, 12))
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
