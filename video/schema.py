"""A track as web pages want it: alt text, and schema.org data for search engines.

https://schema.org/VideoObject, https://schema.org/ImageObject, https://schema.org/Clip
"""

from collections.abc import Iterator
from typing import Any

from video.track import Track


def alt_text(track: Track) -> str:
    """The sentence that is on screen for longest, of equals the first; "" without any."""
    times: dict[str, int] = {}
    for caption, start_ms, end_ms in _shown(track):
        times[caption] = times.get(caption, 0) + max(0, end_ms - start_ms)
    return max(times, key=lambda caption: times[caption], default="")


def _shown(track: Track) -> Iterator[tuple[str, int, int]]:
    """Sentences on one line with their times; given captions can run past the film's end."""
    for shot in track.shots:
        yield " ".join(shot.caption.split()), shot.start_ms, min(shot.end_ms, track.duration_ms)


def schema_org(track: Track, is_picture: bool = False) -> dict[str, Any]:
    """JSON-LD: an ImageObject for a picture, else a VideoObject with a Clip a shot."""
    shown = [one for one in _shown(track) if one[1] < one[2]]
    said = list(dict.fromkeys(caption for caption, _, _ in shown))
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "name": track.video,
        "description": ". ".join(said),
        "inLanguage": "ko",
    }
    if is_picture:
        return {**about, "@type": "ImageObject", "caption": alt_text(track)}
    clips = [
        {
            "@type": "Clip",
            "name": caption,
            "startOffset": start_ms / 1000,
            "endOffset": end_ms / 1000,
        }
        for caption, start_ms, end_ms in shown
    ]
    length = f"PT{track.duration_ms / 1000:.3f}S"
    return {**about, "@type": "VideoObject", "duration": length, "hasPart": clips}
