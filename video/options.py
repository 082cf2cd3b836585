"""The options of caption_video.py as a table: flags, Korean help, English help, and their kind.

Defaults are those of the option classes, where they are written once.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.beam import BeamOptions
from model.gist import HedgeOptions
from preprocess.media import Limits
from video.draw import BurnOptions
from video.pipeline import PipelineOptions
from video.shots import ShotOptions
from video.style import PRESETS, StyleOptions
from video.values import moment, number, seconds, whole, words

DEFAULT_MODEL = Path(__file__).resolve().parents[1] / "model" / "default.kcap"


@dataclass(frozen=True)
class Row:
    """One option: its flags, its help in two languages, what argparse needs beside."""

    flags: tuple[str, ...]
    ko: str
    en: str
    more: dict[str, Any] = field(default_factory=dict)
    milliseconds: bool = False  # kept in them, told in seconds


def _row(flags: str, ko: str, en: str, **more: Any) -> Row:
    return Row(tuple(flags.split()), ko, en, more)


def _switch(flags: str, ko: str, en: str, **more: Any) -> Row:
    return _row(flags, ko, en, action="store_true", **more)


def _of(options: Any, name: str, ko: str, en: str, **more: Any) -> Row:
    """An option named like its field, with the field's default."""
    seconds = name.endswith("_ms")
    flag = "--" + name.removesuffix("_ms").replace("_", "-")
    return Row((flag,), ko, en, {"dest": name, "default": getattr(options, name), **more}, seconds)


def _bound(flag: str, ko: str, en: str, most: float) -> Row:
    ko, en = f"{ko}은 거절함 (기본: {most:.0f})", f"{en} are refused (default: {most:.0f})"
    return _row(flag, ko, en, type=number(0, 1000), default=most, metavar="N")


_SHARE = {"type": number(0, 1), "metavar": "0..1"}
_SECONDS = {"type": seconds, "metavar": "SECONDS"}
_FEW, _MANY = ({"type": whole(low, 63 + low), "metavar": "N"} for low in (0, 1))
_FILES = (
    _row("inputs", "영상, GIF, 사진", "videos, GIFs, pictures", nargs="*", metavar="INPUT"),
    _row(
        "-o --output",
        "결과 파일. 끝이 형식을 정합니다:\n"
        "  그려 넣기  .mp4 .mkv .mov .webm .gif\n"
        "  글로만     .srt .vtt .ass .json .txt\n"
        "  웹 페이지  .html (영상을 틀고 화면 해설을 소리로 읽음)\n"
        "입력이 여럿이면 있는 폴더, 또는 형식만 (.srt, 폴더/.srt)\n"
        "여러 번 주면 한 번 보고 모두 만듦\n"
        "(없으면 입력 옆에: film.captioned.mp4 .gif .jpg)",
        "result file; its ending decides:\n"
        "  drawn into the picture  .mp4 .mkv .mov .webm .gif\n"
        "  text only               .srt .vtt .ass .json .txt\n"
        "  a web page              .html (plays the film, speaks its captions)\n"
        "for several inputs an existing folder or only a format (.srt, folder/.srt)\n"
        "may be given several times: looked at once, written in every form\n"
        "(default: beside the input: film.captioned.mp4 .gif .jpg)",
        action="append",
        metavar="OUTPUT",
    ),
    _row(
        "--captions",
        "영상을 보는 대신 이 자막을 씀 (.srt .vtt .ass .json)",
        "these captions instead of looking (.srt .vtt .ass .json)",
        type=Path,
        metavar="FILE",
    ),
    _row(
        "--camera",
        "파일 대신 카메라 (0이 첫째); 보이는 대로 문장을 출력, Ctrl-C로 끝냄",
        "a camera instead of files (0: the first); prints sentences, Ctrl-C ends it",
        type=whole(0, 99),
        metavar="N",
    ),
    _row(
        "--stream",
        "파이프로 들어오는 영상; 늦으면 그림을 건너뜀",
        "a film from a pipe; late pictures are dropped",
        choices=("-",),
    ),
    _row(
        "--alert",
        "문장에 이 말이 있으면 JSON 한 줄로 알림: --alert 사람 차",
        "tells by a line of JSON when a sentence has such a word: --alert 사람 차",
        nargs="+",
        action="extend",
        default=[],
        type=words,
        metavar="WORD",
    ),
    _switch(
        "--overwrite",
        "이미 있는 결과를 덮어쓰기 (입력은 결코 덮어쓰지 않음)",
        "replace an existing result (never the input)",
    ),
    _row(
        "--model",
        "캡션 모델 파일 (기본: model/default.kcap)",
        "captioner file (default: model/default.kcap)",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.kcap",
    ),
)
_S = ShotOptions()
_SHOTS = (
    _of(_S, "min_shot_ms", "가장 짧은 장면", "shortest shot", **_SECONDS),
    Row(
        ("--max-shot", "--every"),
        "가장 긴 장면; 더 길면 바뀌는 데서 나누어 다시 봄",
        "longest shot; a longer one is split where it changes",
        {"dest": "max_shot_ms", "default": _S.max_shot_ms, **_SECONDS},
        milliseconds=True,
    ),
    _row(
        "--frames",
        "장면마다 함께 볼 그림의 수",
        "pictures of a shot looked at together",
        dest="frames_per_shot",
        default=_S.frames_per_shot,
        **_MANY,
    ),
    _of(_S, "sensitivity", "클수록 장면을 더 잘게 나눔", "higher finds more cuts", **_SHARE),
)
_SENTENCES = (
    _of(
        BeamOptions(),
        "beam",
        "함께 견주는 문장의 수; 1이 가장 빠름",
        "sentences weighed side by side; 1 is fastest",
        **_MANY,
    ),
    _of(
        PipelineOptions(),
        "alternatives",
        "JSON에 함께 적을 다른 문장의 수; 많아야 --beam만큼",
        "other sentences to tell in JSON; at most --beam",
        **_FEW,
    ),
    _of(
        HedgeOptions(),
        "min_confidence",
        '확신이 이보다 낮으면 넓은 말로 ("동물이 보인다"); 0이면 늘 자세히',
        "when less sure, say it in general words; 0: never",
        **_SHARE,
    ),
    _of(
        HedgeOptions(),
        "min_support",
        "수, 색, 장소, 동작, 누구인지는 짐작들이 이만큼 같을 때만 말함; 0이면 모두",
        "say details and actions so many guesses share; 0: all",
        **_SHARE,
    ),
)
_B = BurnOptions()
_DRAWING = (
    _switch(
        "--soft",
        "그려 넣지 않고 끌 수 있는 자막으로 (다시 인코딩하지 않아 빠름)",
        "a track to switch off instead of drawing (fast: nothing is encoded again)",
        default=_B.soft,
    ),
    _of(
        _B,
        "quality",
        f"x264 {_B.preset}의 CRF: 작을수록 좋고 큼",
        f"CRF of x264 {_B.preset}: lower is better, bigger",
        type=whole(0, 51),
        metavar="CRF",
    ),
    _of(
        _B,
        "engine",
        "그리는 도구; moviepy는 4배쯤 느림",
        "what draws; moviepy is about 4 times slower",
        choices=("ffmpeg", "moviepy"),
    ),
    _of(
        _B,
        "gif_rate",
        "영상으로 만드는 GIF의 초당 그림 수",
        "pictures a second of a GIF made from a film",
        type=number(0.1, 50),
        metavar="N",
    ),
    _of(
        _B,
        "gif_width",
        "영상으로 만드는 GIF의 최대 너비",
        "greatest width of a GIF made from a film",
        type=whole(16, 4096),
        metavar="N",
    ),
    _row(
        "--gif-max-mb",
        "GIF의 최대 크기; 맞을 때까지 줄임 (기본: 없음)",
        "most megabytes of a GIF; it is made smaller until it fits (default: any)",
        default=_B.gif_max_mb,
        type=number(0.01, 1e4),
        metavar="MB",
    ),
)
_L = StyleOptions()
_LOOK = (
    _row(
        "--preview",
        "영상 대신 그때의 그림 한 장에 그려 봄 (film.preview.png)",
        "only one frame, of that moment, as a picture (film.preview.png)",
        type=moment,
        metavar="TIME",
    ),
    _of(
        _L,
        "style",
        "film 외곽선, box 굵은 글자와 상자, top 위쪽 상자",
        "film: outlined, box: bold in a box, top: boxed at the top",
        choices=tuple(PRESETS),
    ),
    _switch(
        "--show-confidence",
        "문장 뒤에 확신을 백분율로 적음",
        "write after every sentence how sure it is",
        default=_B.show_confidence,
    ),
    _switch("--show-attention", "본 곳을 그려 넣음", "lay over it where was looked"),
    _of(
        _B,
        "font",
        "한글 글꼴 파일 (기본: Noto Sans KR)",
        "Hangul font (default: Noto Sans KR)",
        type=Path,
        metavar="FILE",
    ),
    _of(
        _L,
        "size",
        "글자 크기, 화면 높이의 백분율 (film은 5.2)",
        "of the text, in percent of the picture's height (film: 5.2)",
        type=number(0.5, 50),
        metavar="PERCENT",
    ),
    _of(
        _L,
        "colour",
        "글자 색: '#ffd400'이나 yellow",
        "of the letters: '#ffd400' or yellow",
        metavar="COLOUR",
    ),
    _of(
        _L,
        "position",
        "글자의 자리",
        "where the text stands",
        choices=("bottom", "middle", "top"),
    ),
    _of(
        _L,
        "box",
        "글자 밑에 상자를 깔거나 없앰",
        "lay a box under the text, or none",
        action=argparse.BooleanOptionalAction,
    ),
)
_M = Limits()
BOUNDS = (
    _bound("--max-hours", "더 긴 영상", "longer films", _M.duration_ms / 3_600_000),
    _bound("--max-megapixels", "더 큰 화면", "larger pictures", _M.pixels / 1e6),
)
_OTHER = (
    *BOUNDS,
    _switch("-q --quiet", "결과 경로만 출력", "print only result paths"),
    _row("--lang", "안내 말", "language of messages", choices=("ko", "en"), default="ko"),
    _switch("--about", "캡션 모델의 출처와 이용 조건", "the captioner's sources and terms"),
    _row("-h --help", "이 도움말", "this help", action="help"),
)
GROUPS = (
    ("입력과 출력", "input and output", _FILES),
    ("장면 나누기", "shots", _SHOTS),
    ("문장", "sentences", _SENTENCES),
    ("그려 넣기", "drawing", _DRAWING),
    ("자막의 모양", "look of the text", _LOOK),
    ("그 밖", "other", _OTHER),
)
