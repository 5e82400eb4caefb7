"""Opening, exporting, copying, leaving."""

from functools import partial

from app.viewmodel.actions.action import Action, Dialogs
from app.viewmodel.session import Session
from app.viewmodel.state.commands import copied_commands, sample_command

EXPORT_FORMATS = ("mp4", "png", "csv", "npz", "html")


def _open(session: Session, dialogs: Dialogs) -> None:
    path = dialogs.open_path()
    if path:
        session.files.open(path)


def _save(session: Session, dialogs: Dialogs) -> None:
    path = session.files.path or dialogs.save_path()
    if path:
        session.files.save(path)


def _save_as(session: Session, dialogs: Dialogs) -> None:
    path = dialogs.save_path()
    if path:
        session.files.save(path)


def _export(session: Session, dialogs: Dialogs) -> None:
    if session.state.shown is None:
        session.say("nothing to export yet")
        return
    folder = dialogs.export_folder()
    if folder:
        session.export.start(folder, EXPORT_FORMATS)


def _copy_command(session: Session, dialogs: Dialogs) -> None:
    result = session.state.result
    if session.state.sample is not None:
        dialogs.copy_text(sample_command(session.state.sample.setup))
        session.say("the command that makes this picture again is on the clipboard")
    if result is not None:
        lines, left_out = copied_commands(result)
        dialogs.copy_text("\n".join([*(f"# {note}" for note in left_out), *lines]))
        said = "the command that makes this comparison again is on the clipboard"
        if len(lines) > 1:
            said = "the commands that make this comparison again, one for each model, are on the clipboard"
        session.say(f"{said} ({'; '.join(left_out)})" if left_out else said)


action = partial(Action, "File")

ACTIONS: dict[str, Action] = {
    "open": action("Open…", "Ctrl+O", _open, "A checkpoint, a data set, a scenario or a session"),
    "save": action("Save session", "Ctrl+S", _save, "What is compared and how it is seen, as a file"),
    "save-as": action("Save session as…", "Ctrl+Shift+S", _save_as, "The same, under another name"),
    "export": action("Export comparison…", "Ctrl+E", _export, "Video, pictures, tables and a report"),
    "cancel-export": action("Cancel export", "Ctrl+.", lambda s, d: s.export.cancel(),
        "Stop the export that runs"),
    "copy-command": action("Copy as command line", "Ctrl+Shift+C", _copy_command,
        "The compare command for this picture"),
    "restore": action("Restore the kept session", "", lambda s, d: s.autosave.restore(),
        "What was open when the window ended unexpectedly"),
    "discard-kept": action("Discard the kept session", "", lambda s, d: s.autosave.discard(), "Throw it away"),
    "quit": action("Quit", "Ctrl+Q", lambda s, d: d.quit(), "Close the window"),
}  # fmt: skip
