"""Text, lines and polygons in pixels over a pane. VTK, loaded when used."""

from typing import Any

import numpy as np

from surrogate.render.theme import rgb


def unit(colour: str) -> tuple[float, float, float]:
    """A "#rrggbb" colour as VTK takes it, 0 to 1."""
    red, green, blue = (rgb(colour) / 255.0).tolist()
    return red, green, blue


def text_actor(renderer: Any, size: float, colour: str, bold: bool, vertical: str, plate: str = "") -> Any:
    """A line of text; `plate` is the colour of a veil behind it that keeps it readable over a drawing."""
    from vtkmodules.vtkRenderingCore import vtkTextActor

    actor = vtkTextActor()
    font = actor.GetTextProperty()
    font.SetFontFamilyToArial()
    font.SetFontSize(round(size))
    font.SetColor(*unit(colour))
    font.SetBold(bold)
    font.SetLineSpacing(1.3)
    if plate:
        font.SetBackgroundColor(*unit(plate))
        font.SetBackgroundOpacity(0.72)
    getattr(font, f"SetVerticalJustificationTo{vertical}")()
    actor.PickableOff()
    renderer.AddViewProp(actor)
    return actor


def colouring_mapper(mapper: Any, mesh: Any) -> Any:
    """A VTK mapper that draws a mesh in the colours of its points, `point_data["colour"]`."""
    mapper.SetInputData(mesh)
    mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray("colour")
    mapper.SetColorModeToDirectScalars()
    return mapper


def arrow_mesh(renderer: Any, n_arrows: int, scale: float) -> "PixelMesh":
    """Arrows of five points each: foot, head, and three of the tip."""
    feet = range(0, 5 * n_arrows, 5)
    tips: list[tuple[int, ...]] = [(foot + 2, foot + 3, foot + 4) for foot in feet]
    return PixelMesh(renderer, 5 * n_arrows, [(foot, foot + 1) for foot in feet], tips, 1.8 * scale)


class PixelMesh:
    """Lines and polygons in pixels of a pane, one colour per cell (lines first): `mesh.cell_data["colour"]`."""

    def __init__(
        self,
        renderer: Any,
        n_points: int,
        lines: list[tuple[int, int]],
        polygons: list[tuple[int, ...]],
        width: float = 1.0,
    ) -> None:
        import pyvista as pv
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkPolyDataMapper2D

        self._renderer = renderer
        self.mesh = pv.PolyData()
        self.mesh.points = np.zeros((n_points, 3), dtype=np.float32)
        if lines:
            self.mesh.lines = [number for line in lines for number in (2, *line)]
        if polygons:
            self.mesh.faces = [number for face in polygons for number in (len(face), *face)]
        self.mesh.cell_data["colour"] = np.zeros((len(lines) + len(polygons), 3), dtype=np.uint8)
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(self.mesh)
        mapper.SetScalarModeToUseCellFieldData()
        mapper.SetColorModeToDirectScalars()
        mapper.ColorByArrayComponent("colour", 0)
        self._actor = vtkActor2D()
        self._actor.SetMapper(mapper)
        self._actor.GetProperty().SetLineWidth(width)
        self._actor.PickableOff()
        renderer.AddViewProp(self._actor)

    def move(self, points: Any) -> None:
        """Put the points at (n_points, 2) pixels."""
        self.mesh.points[:, :2] = points
        self.mesh.Modified()

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        self._actor.SetVisibility(visible)

    def remove(self) -> None:
        """Take it off the renderer."""
        self._renderer.RemoveViewProp(self._actor)
