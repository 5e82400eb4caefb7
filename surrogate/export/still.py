"""comparison.png, the side-by-side picture of the last frame in double resolution, and figures/*.png."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from physics.files import atomic_write
from surrogate.comparison.comparison import Comparison
from surrogate.export import figures
from surrogate.export.base import ExportJob
from surrogate.render import ViewOptions, build_scene
from surrogate.render.painter import Painter
from surrogate.render.scene import shown_sources
from surrogate.render.theme import LIGHT, Theme

SIZES = {1: (1100, 700), 2: (1280, 520), 3: (1600, 490)}
"""Picture by number of panes, (width, height) [layout pixel]."""

SCALE = 2
LONGEST_TRAIL = 240


def still_png(comparison: Comparison, frame: int = -1, options: ViewOptions | None = None) -> bytes:
    """One frame, with trails over all that came before, as a PNG file of SCALE pixels per layout pixel."""
    from PIL import Image

    n_frames = comparison.truth.n_frames
    options = replace(options or ViewOptions(), trail_length=min(n_frames - 1, LONGEST_TRAIL))
    width, height = SIZES[len(shown_sources(comparison, options))]
    scene = build_scene(comparison, range(n_frames)[frame], options)
    with Painter.offscreen(scene, (SCALE * width, SCALE * height), scale=float(SCALE)) as painter:
        picture = painter.frame()
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def figure_files(comparison: Comparison, theme: Theme = LIGHT) -> dict[str, bytes]:
    """The figures as PNG files by name."""
    made = {
        "errors.png": figures.errors_figure(comparison, theme),
        "conservation.png": figures.conservation_figure(comparison, theme),
    }
    return {name: figures.png_bytes(figure) for name, figure in made.items()}


def export(job: ExportJob) -> list[Path]:
    """Write comparison.png, figures/errors.png and figures/conservation.png, all or none."""
    job.step(0.0)
    files = {"comparison.png": still_png(job.comparison, options=job.options)}
    job.step(0.5)
    files |= {f"figures/{name}": data for name, data in figure_files(job.comparison).items()}
    job.step(0.9)
    (job.folder / "figures").mkdir(exist_ok=True)
    for name, data in files.items():
        atomic_write(job.folder / name, data)
    job.finish()
    return [job.folder / name for name in files]
