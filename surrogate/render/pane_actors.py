"""The actors of one pane: particles, trails, ghosts, halos, arrows, cage, texts. VTK, loaded when used."""

from typing import Any, TypeVar

import numpy as np

from surrogate.render.lines import ArrowField, Polylines, cage
from surrogate.render.overlay import Overlay
from surrogate.render.scene import Pane, Scene
from surrogate.render.spheres import SphereCloud, Style
from surrogate.render.theme import blended, rgb

Part = TypeVar("Part", Polylines, SphereCloud, ArrowField)

SMALLEST_HALO = 0.03
"""A halo is drawn as for a particle of at least this share of the framing radius."""


class PaneActors:
    """The actors of one pane; parameters as of :class:`surrogate.render.overlay.Overlay`."""

    def __init__(self, renderer: Any, scene: Scene, index: int, scale: float) -> None:
        pane, theme = scene.panes[index], scene.theme
        self._renderer, self._scale = renderer, scale
        light(renderer)
        self._balls = _clouds(pane, "ball", theme.background, scale)
        self._rings, self._links = list[SphereCloud](), None
        if pane.ghosts is not None:
            style: Style = pane.ghost_style
            everybody = np.arange(len(pane.points))
            self._rings = [SphereCloud(everybody, 0, style, theme.background, scale)]
            self._links = Polylines(2, len(pane.points), 1.8 * scale)
        self._cage = cage(scene, scale)
        fixed = [self._cage, *(cloud.actor for cloud in (*self._balls, *self._rings))]
        self._fixed = fixed + ([self._links.actor] if self._links is not None else [])
        for actor in self._fixed:
            renderer.AddActor(actor)
        self._trails: Polylines | None = None
        self._halos: SphereCloud | None = None
        self._arrows: ArrowField | None = None
        self._box: Polylines | None = None
        self._overlay = Overlay(renderer, scene, index, scale)
        self.update(scene, pane)

    def update(self, scene: Scene, pane: Pane) -> None:
        """Show another scene in place; only what changes its size with a choice is made anew."""
        self._resize(scene, pane)
        self._cage.SetPosition(*scene.centre.tolist())
        for cloud in self._balls:
            cloud.update(pane.points, pane.colours, pane.radii)
        if self._trails is not None:
            self._trails.update(pane.trails, pane.trail_colours)
        if pane.ghosts is not None and pane.ghost_colours is not None and self._links is not None:
            for cloud in self._rings:
                cloud.update(pane.ghosts, pane.ghost_colours, pane.radii)
            ends = np.stack([pane.ghosts if pane.link_ends is None else pane.link_ends, pane.points])
            link = np.broadcast_to(rgb(scene.theme.link), pane.colours.shape)
            shades = blended(link, scene.theme.background, 0.85 * pane.seen)
            self._links.update(ends, np.stack([shades, shades]))
        if self._halos is not None:
            shade = np.broadcast_to(rgb(scene.theme.selection).astype(np.uint8), pane.colours.shape)
            radii = np.maximum(pane.radii, np.float32(SMALLEST_HALO * scene.radius))  # seen among many, too
            self._halos.update(pane.points, shade, radii)
        if self._arrows is not None and scene.vectors is not None:
            self._arrows.update(scene.vectors)
        if self._box is not None and scene.box is not None:
            shade = np.broadcast_to(rgb(scene.theme.muted).astype(np.uint8), scene.box.shape)
            self._box.update(scene.box, shade)
        self._overlay.update(scene, pane)

    def _resize(self, scene: Scene, pane: Pane) -> None:
        n_knots, n_trails, _ = pane.trails.shape
        if (n_knots, n_trails) != (self._trails.shape if self._trails is not None else (n_knots, 0)):
            self._drop(self._trails)
            trails = Polylines(n_knots, n_trails, 2.2 * self._scale, fading=True) if n_trails else None
            self._trails = None if trails is None else self._added(trails)
        if scene.selected != (() if self._halos is None else tuple(self._halos.members.tolist())):
            self._drop(self._halos)
            members = np.array(scene.selected, dtype=np.int64)
            background = scene.theme.background
            halos = SphereCloud(members, 0, "halo", background, self._scale) if members.size else None
            self._halos = None if halos is None else self._added(halos)
        n_edges = 0 if scene.box is None else scene.box.shape[1]
        if n_edges != (0 if self._box is None else self._box.shape[1]):
            self._drop(self._box)
            self._box = self._added(Polylines(2, n_edges, 1.4 * self._scale)) if n_edges else None
            self._cage.SetVisibility(not n_edges)
        n_arrows = 0 if scene.vectors is None else len(scene.vectors.points)
        if n_arrows != (0 if self._arrows is None else self._arrows.n_arrows):
            self._drop(self._arrows)
            self._arrows = self._added(ArrowField(n_arrows)) if n_arrows else None

    def show_moving(self, shown: bool) -> None:
        """Show or hide all that is neither words nor cage."""
        parts = (*self._balls, *self._rings, self._links, self._trails, self._halos, self._arrows)
        for part in parts:
            if part is not None:
                part.actor.SetVisibility(shown)

    def _added(self, part: Part) -> Part:
        self._renderer.AddActor(part.actor)
        return part

    def _drop(self, part: Polylines | SphereCloud | ArrowField | None) -> None:
        if part is not None:
            self._renderer.RemoveActor(part.actor)

    def remove(self) -> None:
        """Take everything off the renderer."""
        for actor in self._fixed:
            self._renderer.RemoveActor(actor)
        for part in (self._trails, self._halos, self._arrows, self._box):
            self._drop(part)
        self._overlay.remove()


def _clouds(pane: Pane, style: Style, background: str, scale: float) -> list[SphereCloud]:
    groups = [(int(sign), np.flatnonzero(pane.signs == sign)) for sign in (-1, 0, 1)]
    return [SphereCloud(members, sign, style, background, scale) for sign, members in groups if members.size]


def light(renderer: Any) -> None:
    """A soft key light over the viewer's left shoulder and a weak fill from below; they go with the camera.

    What is translucent is blended in the order it is drawn.
    """
    from vtkmodules.vtkRenderingCore import vtkLight

    renderer.SetUseOIT(False)  # order-independent translucency draws without multisampling: jagged trails
    renderer.RemoveAllLights()
    renderer.AutomaticLightCreationOff()
    for place, strength in (((-0.6, 0.75, 0.9), 0.95), ((0.8, -0.5, 0.6), 0.28)):
        source = vtkLight()
        source.SetLightTypeToCameraLight()
        source.SetPosition(*place)
        source.SetFocalPoint(0.0, 0.0, 0.0)
        source.SetIntensity(strength)
        renderer.AddLight(source)
