"""Particles as spheres computed per pixel, with the sign of the charge on them. VTK, loaded when used.

One quad per particle, whatever the size: `vtkOpenGLSphereMapper` intersects the ray with the sphere in the
fragment shader. Two additions to that shader: the edge fades into the background over one pixel (a mapper
that discards pixels gets no help from multisampling; the thin dark rim also keeps overlapping particles
apart), and a + or - facing the camera.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surrogate.render.pixels import colouring_mapper
from surrogate.render.theme import rgb

_UNIFORM_FLOW = """//VTK::UniformFlow::Impl
  float twinPixel = 0.5 * (fwidth(vertexVC.x) + fwidth(vertexVC.y)) / radiusVCVSOutput;
"""

_BALL = """//VTK::Light::Impl
  float twinRho = length(normalVCVSOutput.xy);
  fragOutput0.rgb *= mix(1.0, 0.72, smoothstep(0.6, 1.0, twinRho));
{sign}
  float twinCover = smoothstep(0.0, 1.8 * twinPixel, 1.0 - twinRho);
  fragOutput0.rgb = mix(vec3({background}), fragOutput0.rgb, twinCover);
"""

_GLASS = """//VTK::Light::Impl
  float twinRho = length(normalVCVSOutput.xy);
  fragOutput0.a *= mix(0.75, 1.9, smoothstep(0.6, 0.97, twinRho));
  fragOutput0.a *= smoothstep(0.0, 1.5 * twinPixel, 1.0 - twinRho);
"""

_SIGN = """
  vec2 twinAt = abs(normalVCVSOutput.xy);
  float twinBar = max(twinAt.x - 0.44, twinAt.y - 0.105);
  {upright}
  float twinInk = smoothstep(0.5 * twinPixel, -0.5 * twinPixel, twinBar) * smoothstep(0.16, 0.08, twinPixel);
  float twinLight = dot(vertexColorVSOutput.rgb, vec3(0.2126, 0.7152, 0.0722));
  vec3 twinPen = twinLight > 0.55 ? vec3({dark}) : vec3({light});
  float twinSeen = smoothstep(0.04, 0.3, distance(vertexColorVSOutput.rgb, vec3({background})));
  fragOutput0.rgb = mix(fragOutput0.rgb, twinPen, 0.9 * twinInk * twinSeen);
"""

_RING = """//VTK::Light::Impl
  float twinRho = length(normalVCVSOutput.xy);
  float twinEdge = max(1.0 - {width} * twinPixel, 0.6);
  if (twinRho < twinEdge - twinPixel) { discard; }
  float twinCover = smoothstep(twinEdge - twinPixel, twinEdge, twinRho);
  fragOutput0.rgb = mix(vec3({background}), vertexColorVSOutput.rgb, twinCover);
"""

INKS = {"dark": "#2a1600", "light": "#ffffff"}
"""Colour of the sign on a light and on a dark particle; a neutral particle carries none."""

Style = Literal["ball", "glass", "ring", "halo"]

SIZES: dict[Style, float] = {"ball": 1.0, "glass": 1.0, "ring": 1.28, "halo": 1.75}
"""Radius over that of the particle: a perfect forecast sits inside its ring, a halo goes around both."""

RING_WIDTHS: dict[Style, float] = {"ring": 2.2, "halo": 2.6}
"""[pixel at scale 1]"""

GLASS = 0.42
"""Opacity of a half transparent ball, less in its middle and more at its rim."""


def _glsl(colour: str) -> str:
    return ", ".join(f"{value / 255.0:.4f}" for value in rgb(colour))


def fragment_code(style: Style, sign: int, background: str, scale: float = 1.0) -> str:
    """GLSL that follows VTK's lighting, for a style and for charges of one sign (on balls only)."""
    if style in RING_WIDTHS:
        width = f"{RING_WIDTHS[style] * scale:.2f}"
        return _RING.replace("{background}", _glsl(background)).replace("{width}", width)
    if style == "glass":
        return _GLASS
    upright = "twinBar = min(twinBar, max(twinAt.y - 0.44, twinAt.x - 0.105));" if sign > 0 else ""
    mark = _SIGN.replace("{upright}", upright) if sign else ""
    for name, ink in INKS.items():
        mark = mark.replace(f"{{{name}}}", _glsl(ink))
    return _BALL.replace("{sign}", mark).replace("{background}", _glsl(background))


class SphereCloud:
    """The particles of one sign in one pane: one mesh, one actor, changed in place.

    Parameters
    ----------
    members : (n_members,) int64
        Which rows of the pane's arrays belong here.
    sign : {-1, 0, 1}
    style : {"ball", "glass", "ring", "halo"}
    background : str
    scale : float
        Device pixels per layout pixel.
    """

    def __init__(
        self, members: NDArray[np.int64], sign: int, style: Style, background: str, scale: float = 1.0
    ) -> None:
        import pyvista as pv
        from vtkmodules.vtkRenderingCore import vtkActor
        from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLSphereMapper

        self.members = members
        self.style = style
        self._mesh = pv.PolyData(np.zeros((len(members), 3), dtype=np.float32))
        # float32: the mapper reads the array as such, float64 would crash the process.
        self._mesh.point_data["radius"] = np.zeros(len(members), dtype=np.float32)
        self._mesh.point_data["colour"] = np.zeros((len(members), 3), dtype=np.uint8)
        self._points = self._mesh.points  # kept: to look them up takes longer than to write a few numbers
        self._radii, self._colours = self._mesh.point_data["radius"], self._mesh.point_data["colour"]
        mapper = colouring_mapper(vtkOpenGLSphereMapper(), self._mesh)
        mapper.SetScaleArray("radius")
        self.actor: Any = vtkActor()
        self.actor.SetMapper(mapper)
        surface = self.actor.GetProperty()
        surface.SetAmbient(0.38)
        surface.SetDiffuse(0.78)
        surface.SetSpecular(0.0 if style in RING_WIDTHS else 0.34)
        surface.SetSpecularPower(38.0)
        if style == "glass":
            surface.SetOpacity(GLASS)
            self.actor.ForceTranslucentOn()
        shader = self.actor.GetShaderProperty()
        shader.AddFragmentShaderReplacement("//VTK::UniformFlow::Impl", True, _UNIFORM_FLOW, False)
        code = fragment_code(style, sign, background, scale)
        shader.AddFragmentShaderReplacement("//VTK::Light::Impl", True, code, False)

    def update(self, points: NDArray[np.float32], colours: NDArray[np.uint8], radii: NDArray[np.float32]) -> None:
        """Move and colour the spheres; the arrays are those of the whole pane."""
        grow = SIZES[self.style]
        self._points[:] = points[self.members]
        self._radii[:] = np.float32(grow) * radii[self.members]
        self._colours[:] = colours[self.members]
        self._mesh.Modified()
