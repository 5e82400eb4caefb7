"""comparison.mp4: truth, forecast and roll-out side by side, with the error over time below. H.264, 30 fps."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.files import atomic_path
from surrogate.comparison.comparison import Comparison
from surrogate.export.base import ExportJob
from surrogate.export.strip import ErrorStrip
from surrogate.render import ViewOptions, build_scene, comparison_framing
from surrogate.render.painter import Painter
from surrogate.render.scene import shown_sources

FRAME_RATE = 30
STRIP_HEIGHT = 118
SIZES = {1: (1100, 818), 2: (1280, 638), 3: (1600, 608)}
"""Whole picture by number of panes, (width, height) [pixel]; even, as yuv420p wants it."""


def frames(
    comparison: Comparison, options: ViewOptions | None = None, size: tuple[int, int] | None = None
) -> Generator[NDArray[np.uint8], None, None]:
    """The pictures of the video one after another, (height, width, 3) uint8 each.

    Parameters
    ----------
    options : ViewOptions, optional
    size : (width, height) [pixel], optional
        Of the whole picture, the strip included.
    """
    options = options or ViewOptions()
    width, height = size or SIZES[len(shown_sources(comparison, options))]
    framing = comparison_framing(comparison)
    strip = ErrorStrip(comparison, (width, STRIP_HEIGHT), options.theme)
    first = build_scene(comparison, 0, options, framing)
    with Painter.offscreen(first, (width, height - STRIP_HEIGHT)) as painter:
        for frame in range(comparison.truth.n_frames):
            painter.update(build_scene(comparison, frame, options, framing))
            yield np.concatenate([painter.frame(), strip.picture(frame)])


def export(job: ExportJob) -> list[Path]:
    """Write comparison.mp4, one video frame per frame of the comparison."""
    path = job.folder / "comparison.mp4"
    job.step(0.0)
    with atomic_path(path) as temporary:
        write_video(temporary, job)
    return [path]


def write_video(path: Path, job: ExportJob) -> None:
    """Encode the frames into `path`; the caller removes a partial file."""
    import imageio_ffmpeg

    writer: Any = None
    pictures = frames(job.comparison, job.options)
    try:
        for count, picture in enumerate(pictures, start=1):
            if writer is None:
                height, width = picture.shape[:2]
                writer = imageio_ffmpeg.write_frames(
                    path,
                    (width, height),
                    fps=FRAME_RATE,
                    codec="libx264",
                    quality=7,
                    macro_block_size=2,
                    ffmpeg_log_level="error",
                    output_params=["-preset", "veryfast", "-tune", "animation", "-movflags", "+faststart"],
                )
                writer.send(None)
            writer.send(picture)
            job.step(count / job.comparison.truth.n_frames)
    except OSError as error:
        raise InputError(f"{path}: the video cannot be encoded ({error})") from None
    finally:
        pictures.close()  # closes the painter
        if writer is not None:
            writer.close()
