"""The one action registry: menus, toolbar, shortcuts, palette and the help overlay are made from it.

Each area has a file with its own ACTIONS; a new one is a file and a line here. The order is that of the menus.
"""

from app.viewmodel.actions import edit, editor, file, help_, models, picture, playback, sketch, tours, view, world
from app.viewmodel.actions.action import Action, Dialogs

AREAS = (file, edit, playback, picture, sketch, world, tours, editor, models, view, help_)
"""In the order of the menus."""

ACTIONS: dict[str, Action] = {name: action for area in AREAS for name, action in area.ACTIONS.items()}

__all__ = ["ACTIONS", "AREAS", "Action", "Dialogs"]
