"""``contact_sheet``: a data set at a glance, as a picture: a row an episode, moments of all its cameras."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from groot_wrappers.errors import Gr00tError
from runners.datasets.frames import VIDEO_ERRORS
from runners.datasets.layouts import Layout
from runners.datasets.metadata import Info
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode
from runners.utils.terminal import one_line

__all__ = ["contact_sheet"]

THUMBNAILS = 12
"""Pictures in a row, over all cameras."""

MOST_MOMENTS = 6
HEIGHT, GAP, MARGIN, TEXT_WIDTH, TITLE_HEIGHT, TIME_HEIGHT = 120, 8, 16, 230, 44, 18
ROW_HEIGHT = HEIGHT + TIME_HEIGHT
MAX_PIXELS = 2**26
"""Most pixels of the picture."""

BACKGROUND, INK, FAINT = "#ffffff", "#1f2328", "#6e7781"
OUTCOMES = {True: ("succeeded", "#1a7f37"), False: ("failed", "#cf222e"), None: ("not judged", FAINT)}


Bar: TypeAlias = Callable[[Sequence[RecordedEpisode]], Iterable[RecordedEpisode]]


def contact_sheet(
    layout: Layout, episodes: Sequence[RecordedEpisode], *, title: str, output: Path, bar: Bar = iter
) -> None:
    """Draw the contact sheet of a data set.

    Args:
        layout: The data set.
        episodes: Those that are drawn, in this order.
        title: What stands above them.
        output: The picture, of the kind that its name ends with.
        bar: Wraps the episodes as they are drawn.

    Raises:
        Gr00tError: The picture would be far too large, or is of a kind that cannot be written.
        OSError: The disk does not take it.
    """
    info = layout.info
    width = TEXT_WIDTH + _moments(info) * (sum(_widths(info).values()) + GAP) + 2 * MARGIN
    height = TITLE_HEIGHT + MARGIN + len(episodes) * (ROW_HEIGHT + GAP)
    if width * height > MAX_PIXELS:
        raise Gr00tError(
            f"A picture of {len(episodes)} episodes with {len(info.cameras)} videos each would be {width} x {height} "
            f"pixels. Set --episodes to {max(1, len(episodes) * MAX_PIXELS // (width * height))} or less."
        )
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    ImageDraw.Draw(sheet).text((MARGIN, MARGIN), one_line(title, 200), INK, _font(18))
    for place, episode in enumerate(bar(episodes)):
        sheet.paste(_row(layout, episode), (MARGIN, TITLE_HEIGHT + place * (ROW_HEIGHT + GAP)))
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        sheet.save(output)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's word, not Pillow's
            raise
        raise Gr00tError(f"The contact sheet {output} cannot be written: {error}. Name a .png by --output.") from error


def _moments(info: Info) -> int:
    """Return how many moments of an episode are shown."""
    return min(MOST_MOMENTS, max(2, THUMBNAILS // max(1, len(info.cameras))))


def _widths(info: Info) -> dict[str, int]:
    """Return how wide the thumbnails of each camera are, with the line after them."""
    shapes = {camera: info.features[camera].size for camera in info.cameras}
    return {
        camera: min(4 * HEIGHT, max(HEIGHT // 4, round(HEIGHT * width / height))) + 2
        for camera, (height, width) in shapes.items()
    }


def _row(layout: Layout, episode: RecordedEpisode) -> Image.Image:
    """Draw one episode: what is known of it, and its moments."""
    info = layout.info
    count = min(_moments(info), episode.length)
    moments = [round(i * (episode.length - 1) / max(1, count - 1)) for i in range(count)]
    widths = _widths(info)
    row = Image.new("RGB", (TEXT_WIDTH + count * (sum(widths.values()) + GAP), ROW_HEIGHT), BACKGROUND)
    draw = ImageDraw.Draw(row)
    outcome, colour = OUTCOMES[episode.success]
    draw.text((0, 0), f"episode {episode.index}", INK, _font(16))
    draw.text((0, 22), outcome, colour, _font(14))
    draw.text((0, 42), f"{episode.length} frames, {episode.length / info.fps:.1f} s", FAINT, _font(13))
    told = one_line(" | ".join(episode.tasks), 200)
    draw.text((0, 62), textwrap.fill(told, 30, max_lines=4, placeholder=" ..."), INK, _font(13))
    for position, moment in enumerate(moments):
        left = TEXT_WIDTH + position * (sum(widths.values()) + GAP)
        draw.text((left, HEIGHT + 2), f"{moment / info.fps:.1f} s", FAINT, _font(12))
    left = TEXT_WIDTH
    for camera, width in widths.items():
        for position, picture in enumerate(_frames(layout, episode, camera, moments, size=(width - 2, HEIGHT))):
            row.paste(picture, (left + position * (sum(widths.values()) + GAP), 0))
        left += width
    return row


def _frames(
    layout: Layout, episode: RecordedEpisode, camera: str, moments: list[int], *, size: tuple[int, int]
) -> list[Image.Image]:
    """Return the frames of a camera at the given rows, all of one size; grey ones where the video has none."""
    found: dict[int, Image.Image] = {}
    what = "no such frame"
    try:
        with layout.frames(episode.index, camera) as (_, frames):
            for number, (_, frame) in enumerate(frames):
                if number in moments:
                    picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
                    found[number] = picture.resize(size, Image.Resampling.LANCZOS)
                if number >= moments[-1]:
                    break
    except DatasetError as error:
        what = error.what
    except VIDEO_ERRORS:
        what = "damaged"
    missing = Image.new("RGB", size, "#d0d7de")
    ImageDraw.Draw(missing).text((6, 6), textwrap.fill(one_line(what), 16, max_lines=4), INK, _font(12))
    return [found.get(moment, missing) for moment in moments]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
