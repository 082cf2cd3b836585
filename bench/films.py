"""Films with known cuts, made on the spot, and the hand-marked cuts of real clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.captioning import X264, ffmpeg

SIZE, RATE = "640x360", 30
SHOT_S = 4
_NOISE = "noise=alls=4:allf=t"
# Sources of different texture; a hue of its own makes each use another picture.
_SOURCES = (
    f"testsrc2=s={SIZE}:r={RATE}",
    f"gradients=s={SIZE}:r={RATE}:n=4:speed=0.01:seed=7",
    f"smptehdbars=s={SIZE}:r={RATE}",
    f"mandelbrot=s={SIZE}:r={RATE}:maxiter=200:end_scale=0.2",
    f"testsrc=s={SIZE}:r={RATE}",
    f"cellauto=s={SIZE}:r={RATE}:rule=18",
)
FIXED = ("-g", "60", "-keyint_min", "60", "-sc_threshold", "0")
MARKS = Path(__file__).with_name("cuts.tsv")


@dataclass(frozen=True)
class Film:
    """A film and the spans in ms in which its cuts lie, both ends included."""

    name: str
    path: Path
    cuts: tuple[tuple[float, float], ...]
    most_cost: float  # of the cheaper peer's CPU


def made(folder: Path, shots: int) -> list[Film]:
    """All synthetic films, with this many shots each."""
    hard = tuple(2 * (1000.0 * SHOT_S * n,) for n in range(1, shots))
    slow = tuple((a - 1000, a) for a, _ in (_joint(n) for n in range(1, shots)))
    films = [
        Film("cuts at keyframes", folder / "keys.mp4", hard, 1 / 3),
        Film("fixed keyframes", folder / "fixed.mp4", hard, 0.8),
        Film("dissolves", folder / "dissolves.mp4", slow, 0.8),
        Film("fades", folder / "fades.mp4", slow, 0.8),
        Film("flashes", folder / "flashes.mp4", (), 0.8),
        Film("pan", folder / "pan.mp4", (), 0.8),
        Film("static", folder / "static.mp4", (), 0.8),
    ]
    joined = _concatenated(shots)
    _make(films[0].path, joined, ())
    _make(films[1].path, joined, FIXED)
    _make(films[2].path, _faded(shots, "fade"), FIXED)
    _make(films[3].path, _faded(shots, "fadeblack"), FIXED)
    length = SHOT_S * shots
    flash = "drawbox=t=fill:color=white:enable='lt(mod(n,90),2)*gt(n,2)'"
    _make(films[4].path, f"testsrc2=s={SIZE}:r={RATE}:d={length},{flash}", ())
    wide = f"mandelbrot=s=3840x720:r=1,trim=end_frame=1,loop=-1:1,fps={RATE},trim=end={length}"
    _make(films[5].path, f"{wide},crop=1280:720:x='2560*t/{length}':y=0,{_NOISE}", ())
    _make(films[6].path, f"smptehdbars=s={SIZE}:r={RATE}:d={length},{_NOISE}", ())
    return films


def real(folder: Path) -> list[Film]:
    """The clips of a folder that are marked; by one person, looking at every frame near a cut."""
    cuts: dict[str, list[tuple[float, float]]] = {}
    for line in MARKS.read_text(encoding="utf-8").splitlines()[1:]:
        name, first, last = line.split("\t")
        cuts.setdefault(name, [])
        if first:
            cuts[name].append((float(first), float(last)))
    found = [Film(name, folder / name, tuple(c), 0.8) for name, c in cuts.items()]
    return [film for film in found if film.path.exists()]


def _joint(number: int) -> tuple[float, float]:
    """Where the number-th transition of a second ends, and the next shot alone begins."""
    end = 1000.0 * (SHOT_S * number - (number - 1))
    return end, end


def _shot(number: int) -> str:
    source = _SOURCES[number % len(_SOURCES)]
    hue = f"hue=h={67 * number}:s={1 + 0.3 * (number % 3)}"
    return f"{source},trim=end={SHOT_S},{hue},{_NOISE},format=yuv420p,setsar=1,settb=1/{RATE}"


def _concatenated(shots: int) -> str:
    parts = "".join(f"{_shot(n)}[v{n}];" for n in range(shots))
    names = "".join(f"[v{n}]" for n in range(shots))
    return f"{parts}{names}concat=n={shots}:v=1:a=0"


def _faded(shots: int, kind: str) -> str:
    graph = "".join(f"{_shot(n)}[v{n}];" for n in range(shots))
    last = "[v0]"
    for n in range(1, shots):
        offset = (SHOT_S - 1) * n
        ending = f"[x{n}];" if n < shots - 1 else ""
        graph += f"{last}[v{n}]xfade=transition={kind}:duration=1:offset={offset}{ending}"
        last = f"[x{n}]"
    return graph


def _make(path: Path, graph: str, more: Sequence[str]) -> None:
    source = ["-filter_complex", f"{graph}[out]", "-map", "[out]"]
    ffmpeg([*source, *X264, "-pix_fmt", "yuv420p", *more, str(path)])
