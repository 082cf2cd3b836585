"""A soft track: the captions arrive, and not a byte of picture or sound is changed."""

import hashlib
from pathlib import Path

import av
import pysubs2
import pytest
from PIL import Image

from preprocess.errors import SettingError
from preprocess.frames import frames, probe
from tests.clips import RED, colour_clip, ffmpeg, with_sound
from video.draw import BurnOptions
from video.fonts import hangul_font
from video.outputs import lost
from video.soft import add_track, check_soft
from video.track import CaptionedShot, Track

COPIED = ("-map", "0:v", "-map", "1:a", "-c", "copy")
TRACK = Track(
    "film",
    6000,
    "c",
    (
        CaptionedShot(0, 2000, "빨간 화면이다", -1),
        CaptionedShot(2500, 6000, "a < b & {초록}\n화면이다", -1),
    ),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("soft")
    return with_sound(colour_clip(folder / "a.mp4"), folder / "film.mp4")


def packets(path: Path) -> dict[str, list[tuple[float, str]]]:
    """Time after the first picture, and digest, of every packet of picture and sound."""
    with av.open(f"file:{path}") as container:
        found = {"video": [], "audio": []}
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if packet.size:
                digest = hashlib.sha256(bytes(packet)).hexdigest()
                found[packet.stream.type].append((float(packet.pts * packet.time_base), digest))
    start = min(time for time, _ in found["video"])
    return {kind: [(t - start, d) for t, d in found[kind]] for kind in found}


def untouched(target: Path, source: Path) -> bool:
    """The same packets at the same times; Matroska's are rounded to milliseconds."""
    ours, theirs = packets(target), packets(source)
    for kind in theirs:
        assert [d for _, d in ours[kind]] == [d for _, d in theirs[kind]]
        assert [t for t, _ in ours[kind]] == pytest.approx([t for t, _ in theirs[kind]], abs=2e-3)
    return True


def subtitles(path: Path, number: int = 0) -> list[tuple[int, int, str]]:
    out = path.with_suffix(f".{number}.srt")
    ffmpeg("-i", path, "-map", f"0:s:{number}", out)
    found = pysubs2.load(str(out))
    return [(round(e.start, -1), round(e.end, -1), e.plaintext) for e in found]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_captions_arrive_and_the_rest_stays(film, tmp_path, suffix):
    target = tmp_path / f"결과{suffix}"
    add_track(probe(film), TRACK, target)
    assert untouched(target, film)
    assert subtitles(target) == [
        (0, 2000, "빨간 화면이다"),
        (2500, 6000, "a ＜ b & ｛초록｝\n화면이다"),
    ]
    with av.open(f"file:{target}") as container:
        assert [s.metadata["language"] for s in container.streams.subtitles] == ["kor"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_webm_takes_a_webm(tmp_path):
    source = tmp_path / "a.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=3:s=64x48:r=5", "-c:v", "libvpx", source)
    add_track(probe(source), TRACK, tmp_path / "b.webm")
    assert untouched(tmp_path / "b.webm", source)
    assert subtitles(tmp_path / "b.webm")[0] == (0, 2000, "빨간 화면이다")


def test_an_old_film_that_leaves_times_out_is_copied(tmp_path):
    source = tmp_path / "a.mpg"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3", "-c:v", "mpeg1video", source)
    target = tmp_path / "b.mkv"
    add_track(probe(source), TRACK, target)
    assert subtitles(target)[0] == (0, 2000, "빨간 화면이다")
    assert len(list(frames(probe(target)))) == len(list(frames(probe(source))))


@pytest.mark.parametrize("before", [".mkv", ".mp4"])
@pytest.mark.parametrize("after", [".mkv", ".mp4"])
def test_the_films_own_subtitles_come_after(film, tmp_path, before, after):
    first, both = tmp_path / f"first{before}", tmp_path / f"both{after}"
    own = Track("film", 6000, "c", (CaptionedShot(1000, 3000, "안녕", -1),))
    add_track(probe(film), own, first)
    add_track(probe(first), TRACK, both)
    assert len(subtitles(both)) == 2 and subtitles(both, 1) == [(1000, 3000, "안녕")]


@pytest.fixture(scope="module")
def rich(film, tmp_path_factory) -> Path:
    """A film with two tracks of ASS, the first shown unasked, and their font."""
    folder = tmp_path_factory.mktemp("rich")
    own = folder / "own.ass"
    ass = pysubs2.SSAFile()
    ass.append(pysubs2.SSAEvent(1000, 3000, "안녕"))
    ass.save(str(own))
    font = ("-attach", hangul_font().path, "-metadata:s:t", "mimetype=font/otf")
    tracks = ("-map", "0", "-map", "1", "-map", "1", "-disposition:s:0", "default")
    told = ("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=jpn")
    ffmpeg("-i", film, "-i", own, *tracks, "-c", "copy", *told, *font, folder / "rich.mkv")
    return folder / "rich.mkv"


def streams(path: Path) -> list[tuple[str, str | None, bool]]:
    """Kind, language and whether it is shown unasked, of all that is no picture and no sound."""
    with av.open(f"file:{path}") as container:
        return [
            (s.codec.canonical_name if s.type == "subtitle" else s.type, s.language,
             bool(s.disposition & av.stream.Disposition.default))
            for s in container.streams if s.type not in ("video", "audio")
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "kinds"),
    [
        (".mkv", ("subrip", "ass", "attachment")),
        (".mp4", ("mov_text", "mov_text")),
        (".mov", ("mov_text", "mov_text")),
    ],
)
def test_the_films_own_text_goes_along_and_only_the_new_is_shown(rich, tmp_path, suffix, kinds):
    target = tmp_path / f"o{suffix}"
    assert lost(probe(rich), target, BurnOptions(soft=True)) is None
    add_track(probe(rich), TRACK, target)
    ours, own, *fonts = kinds
    tracks = [(ours, "kor", True), (own, "eng", False), (own, "jpn", False)]
    assert streams(target) == [*tracks, *((font, None, False) for font in fonts)]
    assert untouched(target, rich)
    assert subtitles(target, 1) == subtitles(target, 2) == [(1000, 3000, "안녕")]


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_own_text_goes_along_however_late_it_is(tmp_path, suffix):
    late, source = tmp_path / "late.srt", tmp_path / "long.mkv"
    late.write_text("1\n01:50:00,000 --> 01:50:02,000\n끝\n", "utf-8")
    still = ("-f", "lavfi", "-i", "color=d=7200:s=16x16:r=1/60")
    ffmpeg(*still, "-i", late, "-pix_fmt", "yuv420p", "-c:s", "srt", source)
    add_track(probe(source), TRACK, tmp_path / f"o{suffix}")
    assert subtitles(tmp_path / f"o{suffix}", 1) == [(6_600_000, 6_602_000, "끝")]


def test_drawn_subtitles_are_left_out_of_mp4_and_told(film, tmp_path):
    text, drawn = tmp_path / "text.mkv", tmp_path / "drawn.mkv"
    add_track(probe(film), TRACK, text)
    # the same length: a Matroska name may end in zeros
    drawn.write_bytes(text.read_bytes().replace(b"S_TEXT/UTF8", b"S_HDMV/PGS\0"))
    told = lost(probe(drawn), tmp_path / "o.mp4", BurnOptions(soft=True))
    assert told is not None and "cannot hold 1 of the subtitle tracks of 'drawn.mkv'" in str(told)
    add_track(probe(drawn), TRACK, tmp_path / "o.mp4")
    assert streams(tmp_path / "o.mp4") == [("mov_text", "kor", True)]
    assert lost(probe(drawn), tmp_path / "o.mkv", BurnOptions(soft=True)) is None
    add_track(probe(drawn), TRACK, tmp_path / "o.mkv")
    assert [kind for kind, _, _ in streams(tmp_path / "o.mkv")] == ["subrip", "hdmv_pgs_subtitle"]


def test_a_late_picture_keeps_its_captions_on_the_players_clock(film, tmp_path):
    late, target = tmp_path / "late.mkv", tmp_path / "out.mkv"
    ffmpeg("-itsoffset", "1", "-i", film, "-i", film, *COPIED, late)
    add_track(probe(late), TRACK, target)
    assert untouched(target, late)
    assert probe(target).start_ms == probe(late).start_ms == 1000
    assert subtitles(target)[0][:2] == (0, 2000)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_captions_an_hour_apart_and_long_ones_are_on_time(tmp_path, suffix):
    source = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=d=7200:s=16x16:r=1/60", "-pix_fmt", "yuv420p", source)
    times = [(1000, 2000), (3_600_000, 3_601_000), (3_700_000, 6_900_000)]
    shots = tuple(CaptionedShot(a, b, f"말 {a}", 0) for a, b in times)
    target = tmp_path / f"out{suffix}"
    add_track(probe(source), Track("long", 7_200_000, "c", shots), target)
    assert [cue[:2] for cue in subtitles(target)] == times


def test_captions_past_the_end_do_not_make_the_film_longer(film, tmp_path):
    times = [(5000, 9000), (3_600_000, 3_605_000)]
    shots = tuple(CaptionedShot(a, b, "말", 0) for a, b in times)
    add_track(probe(film), Track("film", 6000, "c", shots), tmp_path / "o.mkv")
    assert subtitles(tmp_path / "o.mkv") == [(5000, 6000, "말")]
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert container.duration < 6_500_000


def test_what_a_container_cannot_hold_is_told(film, tmp_path):
    with pytest.raises(SettingError, match=r"\.webm cannot hold"):
        add_track(probe(film), TRACK, tmp_path / "x.webm")
    assert list(tmp_path.iterdir()) == []


def test_advice_is_not_what_was_tried(tmp_path):
    source = tmp_path / "a.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=1", "-c:v", "qtrle", source)
    with pytest.raises(SettingError, match=r"\.mkv cannot hold.*Use -o NAME\.srt"):
        add_track(probe(source), TRACK, tmp_path / "x.mkv")


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_only_films_get_a_track(tmp_path, name):
    Image.new("RGB", (64, 48), RED).save(tmp_path / name)
    with pytest.raises(SettingError, match="--soft is for films"):
        check_soft(probe(tmp_path / name), ".mp4")


def test_what_was_cut_away_is_not_shown_again(film, tmp_path):
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.7", "-i", film, "-c", "copy", cut)
    media = probe(cut)
    assert media.hidden and not probe(film).hidden
    for suffix in (".mkv", ".webm"):
        with pytest.raises(SettingError, match="cut away"):
            check_soft(media, suffix)
    add_track(media, TRACK, tmp_path / "o.mp4")
    again = probe(tmp_path / "o.mp4")
    assert again.duration_ms == pytest.approx(media.duration_ms, abs=50)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_stream_without_times_is_copied_only_in_order(tmp_path, suffix):
    source = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", "-c:v", "libx264"]
    mixed, ordered, target = (tmp_path / name for name in ("b.h264", "o.h264", f"x{suffix}"))
    ffmpeg(*source, mixed)
    ffmpeg(*source, "-bf", 0, ordered)
    with pytest.raises(SettingError, match="-o"):
        add_track(probe(mixed), TRACK, target)
    assert sorted(tmp_path.iterdir()) == [mixed, ordered]
    add_track(probe(ordered), TRACK, target)
    with av.open(str(target)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([0.04 * i for i in range(50)], abs=2e-3)
