"""Pictures of a comparison: the projection to 3-D, what is drawn (pure NumPy), and who draws it (PyVista, no Qt).

`compare` draws off screen, the app's viewport hosts the same painter. Importing this package loads neither
VTK nor matplotlib; :mod:`surrogate.render.painter` loads PyVista when a painter is made.
"""

from surrogate.render.animation import comparison_framing as comparison_framing
from surrogate.render.camera import Camera as Camera
from surrogate.render.colourings import COLOURINGS as COLOURINGS
from surrogate.render.options import LAYOUTS as LAYOUTS
from surrogate.render.options import ViewOptions as ViewOptions
from surrogate.render.picking import pick as pick
from surrogate.render.projection import Framing as Framing
from surrogate.render.projection import framing as framing
from surrogate.render.scene import Scene as Scene
from surrogate.render.scene import build_scene as build_scene
from surrogate.render.theme import DARK as DARK
from surrogate.render.theme import LIGHT as LIGHT
from surrogate.render.theme import THEMES as THEMES
