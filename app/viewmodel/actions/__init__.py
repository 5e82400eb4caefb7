"""The one action registry: menus, toolbar, shortcuts, palette and the help overlay are made from it.

Each area has a file with its own ACTIONS; a new one is a file and a line here. The order is that of the menus.
"""

from app.viewmodel.actions import (
    edit,
    editor,
    file,
    help_,
    lessons,
    models,
    picture,
    playback,
    sketch,
    tours,
    view,
    world,
)
from app.viewmodel.actions.action import Action, Dialogs

ACTIONS: dict[str, Action] = {
    **file.ACTIONS,
    **edit.ACTIONS,
    **playback.ACTIONS,
    **picture.ACTIONS,
    **sketch.ACTIONS,
    **world.ACTIONS,
    **tours.ACTIONS,
    **editor.ACTIONS,
    **models.ACTIONS,
    **view.ACTIONS,
    **help_.ACTIONS,
    **lessons.ACTIONS,
}

AREAS = (file, edit, playback, picture, world, tours, editor, models, view, help_, lessons, sketch)
"""The same, apart: a test sees that no name is taken twice."""

__all__ = ["ACTIONS", "AREAS", "Action", "Dialogs"]
