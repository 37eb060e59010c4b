"""``contact_sheet``: a data set at a glance, as a picture: a row an episode, moments of all its cameras."""

import textwrap
from collections.abc import Iterable
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

from groot_wrappers.errors import Gr00tError
from runners.datasets.metadata import Info, RecordedEpisode
from runners.datasets.reading import DatasetError, inside

__all__ = ["contact_sheet"]

THUMBNAILS = 12
"""Pictures in a row, over all cameras."""

MOST_MOMENTS = 6
HEIGHT, GAP, MARGIN, TEXT_WIDTH, TITLE_HEIGHT, TIME_HEIGHT = 120, 8, 16, 230, 44, 18
BACKGROUND, INK, FAINT = "#ffffff", "#1f2328", "#6e7781"
OUTCOMES = {True: ("succeeded", "#1a7f37"), False: ("failed", "#cf222e"), None: ("not judged", FAINT)}


def contact_sheet(folder: Path, info: Info, episodes: Iterable[RecordedEpisode], title: str, output: Path) -> None:
    """Draw the contact sheet of a data set.

    Args:
        folder: The data set.
        info: Its ``meta/info.json``.
        episodes: Those that are drawn, in this order.
        title: What stands above them.
        output: The picture, of the kind that its name ends with.

    Raises:
        Gr00tError: The picture cannot be written.
    """
    rows = [_row(folder, info, episode) for episode in episodes]
    width = max([row.width for row in rows], default=TEXT_WIDTH) + 2 * MARGIN
    sheet = Image.new("RGB", (width, TITLE_HEIGHT + MARGIN + sum(row.height + GAP for row in rows)), BACKGROUND)
    ImageDraw.Draw(sheet).text((MARGIN, MARGIN), title, INK, _font(18))
    top = TITLE_HEIGHT
    for row in rows:
        sheet.paste(row, (MARGIN, top))
        top += row.height + GAP
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(output)
    except (OSError, ValueError) as error:
        raise Gr00tError(f"The contact sheet {output} cannot be written: {error}. Name a .png by --output.") from error


def _row(folder: Path, info: Info, episode: RecordedEpisode) -> Image.Image:
    """Draw one episode: what is known of it, and its moments."""
    count = min(MOST_MOMENTS, max(2, THUMBNAILS // max(1, len(info.cameras))), episode.length)
    moments = [round(i * (episode.length - 1) / max(1, count - 1)) for i in range(count)]
    strips = [_frames(folder, info, episode, camera, moments) for camera in info.cameras]
    widths = [strip[0].width for strip in strips]
    moment_width = sum(widths) + 2 * max(0, len(widths) - 1)
    size = (TEXT_WIDTH + count * (moment_width + GAP), HEIGHT + TIME_HEIGHT)
    row = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(row)
    outcome, colour = OUTCOMES[episode.success]
    draw.text((0, 0), f"episode {episode.index}", INK, _font(16))
    draw.text((0, 22), outcome, colour, _font(14))
    draw.text((0, 42), f"{episode.length} frames, {episode.length / info.fps:.1f} s", FAINT, _font(13))
    draw.text((0, 62), textwrap.fill(" | ".join(episode.tasks), 30, max_lines=4, placeholder=" ..."), INK, _font(13))
    for position, moment in enumerate(moments):
        left = TEXT_WIDTH + position * (moment_width + GAP)
        draw.text((left, HEIGHT + 2), f"{moment / info.fps:.1f} s", FAINT, _font(12))
        for strip, width in zip(strips, widths, strict=True):
            row.paste(strip[position], (left, 0))
            left += width + 2
    return row


def _frames(folder: Path, info: Info, episode: RecordedEpisode, camera: str, moments: list[int]) -> list[Image.Image]:
    """Return the frames of a camera at the given rows, all of one size; grey ones where the video has none."""
    shape = info.features[camera]["shape"]
    size = (max(1, round(HEIGHT * shape[1] / shape[0])), HEIGHT)
    found: dict[int, Image.Image] = {}
    what = "no such frame"
    try:
        path = inside(folder, info.video_file(episode.index, camera))
        with av.open(str(path), options={"enable_drefs": "0"}) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number in moments:
                    found[number] = Image.fromarray(frame.to_ndarray(format="rgb24")).resize(
                        size, Image.Resampling.LANCZOS
                    )
                if number >= moments[-1]:
                    break
    except DatasetError as error:
        what = error.what
    except (av.FFmpegError, OSError, ValueError, IndexError):
        what = "damaged"
    missing = Image.new("RGB", size, "#d0d7de")
    ImageDraw.Draw(missing).text((6, 6), textwrap.fill(what, 16, max_lines=4), INK, _font(12))
    return [found.get(moment, missing) for moment in moments]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
