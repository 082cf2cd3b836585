"""A track as web pages want it: alt text, and schema.org data for search engines.

https://schema.org/VideoObject, https://schema.org/ImageObject, https://schema.org/Clip
"""

from pathlib import Path
from typing import Any

from preprocess.stills import SUFFIXES
from video.track import Track


def alt_text(track: Track) -> str:
    """The sentence that is on screen for longest, of equals the first; "" without any."""
    times: dict[str, int] = {}
    for shot in track.shots:
        times[shot.caption] = times.get(shot.caption, 0) + shot.end_ms - shot.start_ms
    return max(times, key=lambda caption: times[caption], default="")


def schema_org(track: Track) -> dict[str, Any]:
    """JSON-LD: an ImageObject for a picture, else a VideoObject with a Clip a shot."""
    said = list(dict.fromkeys(shot.caption for shot in track.shots))
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "name": track.video,
        "description": ". ".join(said),
        "inLanguage": "ko",
    }
    if Path(track.video).suffix.lower() in SUFFIXES:
        return {**about, "@type": "ImageObject", "caption": alt_text(track)}
    clips = [
        {
            "@type": "Clip",
            "name": shot.caption,
            "startOffset": shot.start_ms / 1000,
            "endOffset": shot.end_ms / 1000,
        }
        for shot in track.shots
    ]
    length = f"PT{track.duration_ms / 1000:.3f}S"
    return {**about, "@type": "VideoObject", "duration": length, "hasPart": clips}
