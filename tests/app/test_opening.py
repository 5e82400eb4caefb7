"""What the window takes for data: every format of the registry, by its name or its contents."""

import numpy as np
import pytest

from app.viewmodel.worker.opening import describe_file
from physics.datasets.formats import FORMATS
from physics.errors import InputError
from tests.physics.datasets.formats.written import WRITERS, Source


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", WRITERS)
def test_files_of_others_open_as_data(name, tmp_path):
    path = WRITERS[name](tmp_path, Source(np.random.default_rng(0))).path
    setup = describe_file(str(path))
    assert (setup.data, setup.split) == (str(path), "test")
    if name == "npy-set":
        assert describe_file(str(tmp_path)).data == str(tmp_path)
        return
    if FORMATS[name].needs:  # each takes a process
        return
    bare = path.rename(tmp_path / "unnamed")
    assert describe_file(str(bare)).data == str(bare)


def test_what_is_nothing_of_ours_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="not something to open"):
            describe_file(str(path))


@pytest.mark.gui
def test_the_dialogs_ask_for_every_ending(qtbot, monkeypatch):
    from PySide6.QtWidgets import QFileDialog

    from app.views.dialog_window import DialogWindow

    asked = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *words: (asked.append(words[-1]), ("", ""))[1])
    window = DialogWindow(None)
    qtbot.addWidget(window)
    assert window.open_path() == window.data_path() == ""
    for kinds in asked:
        for row in FORMATS.values():
            assert all(f"*{ending}" in kinds.partition(")")[0] for ending in row.endings)
