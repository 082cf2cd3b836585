"""Sets of films: sentences with times (비디오 장면 설명문), one text a clip (71849, 58)."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from preprocess.captions import sentences
from preprocess.sets.labels import Document, Label, listed, milliseconds, named, records, text
from preprocess.tally import Tally


def timed(document: Document, tally: Tally) -> Iterator[Label]:
    """비디오 장면 설명문: {video_name, duration, domain_id, sentences: [{timestamps, ...}]}.

    Sentences with the same times are captions of one label.
    """
    film = text(document["video_name"])
    group, end = named(PurePosixPath(film).stem), milliseconds(document.get("duration"))
    spans: dict[tuple[int, int], list[object]] = {}
    for sentence in records(document["sentences"], tally):
        times = [milliseconds(t) for t in listed(sentence.get("timestamps"))]
        span = _span(times, end)
        if span:
            spans.setdefault(span, []).append(sentence.get("sentences_ko"))
        else:
            tally.drop("impossible times", f"{film}: {sentence.get('timestamps')}")
    for (start, stop), captions in sorted(spans.items()):
        identity = named(group, f"{start}-{stop}")
        topic = text(document.get("domain_id"))[:2]
        yield Label(
            identity, tuple(captions), group, films=(film,), span_ms=(start, stop), topic=topic
        )


def _span(times: list[int | None], end: int | None) -> tuple[int, int] | None:
    """Start and stop within the film; None where no time is left between them."""
    if len(times) != 2 or times[0] is None or times[1] is None:
        return None
    start, stop = times[0], min(times[1], end) if end else times[1]
    return (start, stop) if start < stop else None


def background(document: Document, tally: Tally, stem: str) -> Iterator[Label]:
    """대한민국 배경영상 상세묘사 (71849): {annotation: {description_kr}}, named as its film."""
    inner = document.get("annotation")
    places = [inner, document] if isinstance(inner, dict) else [document]
    keys = ("description_kr", "description_ko")
    told = next((p[key] for p in places for key in keys if key in p), None)
    yield Label(named(stem), sentences(told), named(stem), films=(stem,))


def situation(document: Document, tally: Tally, stem: str) -> Iterator[Label]:
    """멀티모달 영상 (58): {clip_id, nr_frame, situation, data}; its film is clip_N or 000N."""
    number = text(document["clip_id"]).removesuffix(".0")  # some numbers are floats
    films = (stem, f"clip_{number}", number.zfill(4))
    told = document.get("situation")
    if told is None:
        tally.drop("clip without a situation", stem)
        return
    group = named(f"clip_{number}" if number else stem)
    yield Label(group, sentences(told), group, films=films)
