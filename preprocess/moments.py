"""Stills out of films: the pictures of labelled moments, each film read once."""

from collections.abc import Mapping
from pathlib import Path

import cv2

from preprocess.files import make_folder, whole_file
from preprocess.frames import frames
from preprocess.media import MediaInfo
from preprocess.pictures import Picture
from preprocess.records import middle_first
from preprocess.sets.labels import Label

LOOKS = (0.5, 0.2, 0.8)  # where in a span, the middle first: training looks at the first picture
NEAR_MS = 200  # a film's last frame stands for moments so shortly after it


def times_ms(label: Label, media: MediaInfo) -> list[int]:
    """The moments that show a label, in ms from the film's first frame; none past its end."""
    if label.frames:
        times = [frame * 1000 / media.frame_rate for frame in middle_first(label.frames)]
    else:
        start, end = label.span_ms or (0, media.duration_ms)
        end = min(end, media.duration_ms)
        times = [start + (end - start) * at for at in LOOKS] if start < end else []
    return [round(t) for t in times if t < media.duration_ms]


def take(media: MediaInfo, wanted: Mapping[Path, int]) -> None:
    """Writes the frame at each file's time (ms) to it as a JPEG, shorter side 256 at most.

    Files that are there already are kept. Moments that a film cut short does not reach get no file.

    Raises:
        VideoError: the film cannot be opened.
        OutputError: a file cannot be written.
    """
    missing = sorted((t, path) for path, t in wanted.items() if not path.exists())
    half_ms = 500 / media.frame_rate
    last: tuple[int, Picture] | None = None
    for frame in frames(media) if missing else ():
        while missing and frame.time_ms >= missing[0][0] - half_ms:
            _write(missing.pop(0)[1], frame.picture())
        if not missing:
            return
        if frame.time_ms >= missing[0][0] - NEAR_MS:
            last = (frame.time_ms, frame.picture())
    for time_ms, path in missing:
        if last and time_ms - last[0] <= NEAR_MS:
            _write(path, last[1])


def _write(path: Path, picture: Picture) -> None:
    make_folder(path.parent)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    with whole_file(path) as temporary:
        temporary.write_bytes(data.tobytes())
