"""A window that asks for paths and has the clipboard: the part of `Dialogs` that knows no panes and no panels."""

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow

from app.viewmodel.session import Session
from physics.datasets.formats import FORMATS


def _endings() -> str:
    """Patterns of files that a format of data sets names its own."""
    return " ".join(dict.fromkeys(f"*{ending}" for row in FORMATS.values() for ending in row.endings))


class DialogWindow(QMainWindow):
    """What is asked with the dialogs of the system."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def open_path(self) -> str:
        """A file to open, or empty."""
        kinds = f"Isotwin (*.toml *.safetensors *.json {_endings()});;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, "Open a checkpoint, data set or scenario", "", kinds)
        return str(Path(path).parent) if Path(path).name == "zarr.json" else path

    def save_path(self) -> str:
        """Where to save the session, or empty."""
        path, _ = QFileDialog.getSaveFileName(self, "Save the session", "session.json", "Session (*.json)")
        return path if not path or path.endswith(".json") else f"{path}.json"

    def scenario_path(self) -> str:
        """Where to save a scenario, or empty."""
        path, _ = QFileDialog.getSaveFileName(self, "Save as scenario", "scene.toml", "Scenario (*.toml)")
        return path if not path or path.endswith(".toml") else f"{path}.toml"

    def data_path(self) -> str:
        """A data set to train on, or empty."""
        kinds = f"Data sets ({_endings()} zarr.json);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, "A data set to train on", "", kinds)
        return str(Path(path).parent) if Path(path).name == "zarr.json" else path

    def run_folder(self) -> str:
        """A folder for a training, or empty."""
        start = self.session.state.training.plan.out
        path, _ = QFileDialog.getSaveFileName(self, "Train into this folder", start, "Folder (*)")
        return path

    def export_folder(self) -> str:
        """A new folder to export to, or empty."""
        start = str(Path.cwd() / "out" / "comparison")
        path, _ = QFileDialog.getSaveFileName(self, "Export into a new folder", start, "Folder (*)")
        return path

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""
        QGuiApplication.clipboard().setText(text)

    def pasted_text(self) -> str:
        """The text on the clipboard, or empty."""
        return QGuiApplication.clipboard().text()
