"""What is shown as `surrogate.compare` commands: one for each model, and what they leave out."""

from dataclasses import replace

from app.viewmodel.work import UNSAVED, Prepared, command_of

OUT = "--out out/comparison"


def copied_commands(prepared: Prepared) -> tuple[list[str], list[str]]:
    """The command lines, and in words what they do not say."""
    commands = [prepared.comparison.command]
    left_out: list[str] = []
    setup = prepared.setup
    if setup.own is not None:
        left_out.append(f"save your scene as {UNSAVED} first (Scene menu)")
    if prepared.contrast is not None:
        second = replace(setup, model=setup.contrast, effort=setup.contrast_effort)
        commands.append(command_of(second, setup.contrast).replace(OUT, f"{OUT}-second"))
    return commands, left_out
