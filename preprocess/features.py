"""The feature cache: every picture through the frozen CNN once, ever.

Row i is float16 (V, R, D): the picture and its mirror image, and if asked for both again from
nearer; the odd views are mirrored. Rows are kept in shards (preprocess/shards.py): an interrupted
run goes on with the shards that are missing, and a damaged one is made again alone.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from preprocess.cluster import cluster_crew
from preprocess.crew import in_order
from preprocess.errors import SettingError
from preprocess.files import check_room
from preprocess.graph import Graph, picture_graph, running, seeing
from preprocess.hands import apart
from preprocess.pictures import Picture, decoded, nearer, read_file, to_square
from preprocess.records import Sample
from preprocess.shards import Features, Plan, begin, missing, old_features, useless, write_shard

if TYPE_CHECKING:
    import keras

BATCH = 16  # pictures at a time
AHEAD = 4  # batches a worker of a cluster may be ahead of the slowest
TRIED, FEW = 8, 500  # pictures that the time is estimated from; fewer need no estimate
Files = Sequence[str]  # of some pictures
Encode = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
Spread = Callable[[Sequence[Files]], Iterator[npt.NDArray[np.float16]]]


@dataclass(frozen=True)
class EncoderOptions:
    """Which CNN looks at the pictures, how large they are made, and from where.

    Attributes:
        encoder: its name.
        side: of the squares that it sees, in pixels.
        nearer: True adds the middle of each picture and its mirror image, as captioning looks at
            it too; the cache is then twice as large.
    """

    encoder: str = "lite2"
    side: int = 224
    nearer: bool = False

    @property
    def views(self) -> int:
        """How often each picture is in the cache."""
        return 4 if self.nearer else 2


def check_encoder(options: EncoderOptions) -> None:
    """Refuses an encoder or a side that nothing can be seen with, before hours of reading.

    Raises:
        MissingExtra: the package that carries the weights is not installed.
        SettingError: there is no such encoder, it cannot be had for this side, or the side is not
            between 16 and 1024.
    """
    check_side(options.side)
    if options.encoder != EncoderOptions().encoder:  # asking imports TensorFlow
        apart(_built, options)


def check_side(side: int) -> None:
    """Refuses a side that no picture is made to.

    Raises:
        SettingError: it is not between 16 and 1024.
    """
    if not 16 <= side <= 1024:
        raise SettingError(
            f"--side {side}: 16부터 1024까지의 픽셀 수입니다.",
            f"--side {side}: give 16 to 1024 pixels.",
        )


def _built(options: EncoderOptions) -> None:
    from preprocess.encoder import check_built

    check_built(options.encoder, options.side)


@contextmanager
def encoding(
    options: EncoderOptions, cluster: str | None = None
) -> Iterator[tuple[Encode, Spread | None]]:
    """The frozen encoder, float32 (B, S, S, 3) 0-255 -> float32 (B, R, D); on a cluster, spread.

    Pictures' files go to the cluster and rows come back: its machines need no TensorFlow and see
    no folder of ours.

    Raises:
        MissingExtra: Ray is not installed.
        SettingError: there is no such encoder or cluster.
    """
    graph = apart(exported, options)
    encode = running(graph) if graph else seeing(_network(options))
    if cluster is None:
        yield encode, None
        return
    make = partial(looker, graph or picture_graph(_network(options)), options)
    with cluster_crew(cluster, make) as crew:
        ahead = AHEAD * max(1, crew.room())
        yield encode, lambda pieces: in_order(crew.share(pieces, ahead, read_files))


def exported(options: EncoderOptions) -> Graph | None:
    """The encoder's graph; None where Keras runs on another backend than TensorFlow.

    For a process of its own: importing TensorFlow and exporting a CNN take 1.2 GB.
    """
    import keras

    return picture_graph(_network(options)) if keras.backend.backend() == "tensorflow" else None


def _network(options: EncoderOptions) -> "keras.Model":
    from preprocess.encoder import build_encoder

    return build_encoder(options.encoder, options.side)


@dataclass(frozen=True)
class Looker:
    """What turns pictures into rows: (name, file) of each -> float16 (B, V, R, D)."""

    encode: Encode
    options: EncoderOptions

    def __call__(self, files: Sequence[tuple[str, bytes]]) -> npt.NDArray[np.float16]:
        """The rows.

        Raises:
            DataError: a file is no picture.
        """
        # one picture at a time: more at once take no less time and far more memory
        views = (_views(decoded(data, Path(name)), self.options) for name, data in files)
        return np.stack([self.encode(v.astype(np.float32)).astype(np.float16) for v in views])


def looker(graph: Graph, options: EncoderOptions) -> Looker:
    """A Looker on a machine of its own: one thread, for as many of them as it has CPUs."""
    return Looker(running(graph, threads=1), options)


def read_files(files: Files) -> list[tuple[str, bytes]]:
    """The pictures as they are on the disk, with their names.

    Raises:
        DataError: one cannot be read.
    """
    return [(name, read_file(Path(name))) for name in files]


def cache_features(
    folder: Path,
    samples: Sequence[Sample],
    options: EncoderOptions,
    encode: Encode,
    on_progress: Callable[[int], object] = lambda done: None,
    *,
    spread: Spread | None = None,
    verify: bool = False,
    say: Callable[[str], object] = lambda line: None,
) -> Features:
    """The cache for these samples, made or completed.

    Args:
        folder: of the cache.
        samples: the pictures; of each the first.
        options: what is seen of them.
        encode: the encoder.
        on_progress: told how many pictures are done, those of earlier runs first.
        spread: encodes elsewhere, in order; encode then only tells the shape of a row.
        verify: reads every shard that is there and compares it with its SHA-256.
        say: told what will be needed, before anything is begun.

    Raises:
        DataError: a picture cannot be read.
        OutputError: the disk has too little room.
    """
    look = Looker(encode, options)
    probe = encode(np.zeros((1, options.side, options.side, 3), np.float32))
    pictures = [sample.pictures[0] for sample in samples]
    about = {"encoder": options.encoder, "side": options.side}
    about |= {"nearer": True} if options.nearer else {}
    shape, stamps = (options.views, *probe.shape[1:]), [_stamp(Path(p)) for p in pictures]
    plan = Plan([s.key for s in samples], pictures, shape, about, stamps)
    if old := old_features(folder, plan, pictures):
        if verify:
            say(f"'{folder}/features.npy'에는 견줄 합이 없습니다 (has no checksum to compare with)")
        return old
    wanted = missing(folder, plan, verify)
    rows = [plan.shards[number] for number in wanted]
    left = [pictures[row] for shard in rows for row in shard]
    check_room(folder, plan.row_bytes * len(left) - _freed(folder, plan))
    if len(left) > FEW:
        say(_needed(plan, left, look))
    begin(folder, plan)
    on_progress(len(samples) - len(left))
    pieces = [[pictures[r] for r in piece] for shard in rows for piece in _cut(shard)]
    found = _told(spread(pieces) if spread else map(look, map(read_files, pieces)), on_progress)
    for number, shard in zip(wanted, rows, strict=True):
        write_shard(folder, plan, number, islice(found, len(_cut(shard))))
    return Features.of(folder, plan)


def _stamp(picture: Path) -> str:
    """Size and time of a picture's file: another one for another picture under its name."""
    try:
        seen = picture.stat()
    except OSError:
        return ""
    return f"{seen.st_size} {seen.st_mtime_ns}"


def _freed(folder: Path, plan: Plan) -> int:
    """Bytes on the disk that will be given back before the first shard is written."""
    return sum(path.stat().st_size for path in useless(folder, plan))


def _needed(plan: Plan, left: Sequence[str], look: Looker) -> str:
    """Room and time for what is left, in words; the time is that of a few of the pictures."""
    some = [left[i] for i in np.linspace(0, len(left) - 1, min(TRIED, len(left))).astype(int)]
    started = time.monotonic()
    for name in some:
        look(read_files([name]))
    seconds = (time.monotonic() - started) / len(some) * len(left)
    length = f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
    size = plan.row_bytes * len(left)
    return (
        f"CNN: 사진 {len(left):,}장, 디스크 {size / 1e9:.1f} GB, 이 컴퓨터에서 {length}쯤 "
        f"({len(left):,} pictures, {size / 1e9:.1f} GB on disk, about {length} on this machine)"
    )


def _cut(shard: range) -> list[range]:
    """The rows of a shard, BATCH at a time."""
    return [shard[start : start + BATCH] for start in range(0, len(shard), BATCH)]


def _told(
    pieces: Iterable[npt.NDArray[np.float16]], on_progress: Callable[[int], object]
) -> Iterator[npt.NDArray[np.float16]]:
    for piece in pieces:
        on_progress(len(piece))
        yield piece


def _views(picture: Picture, options: EncoderOptions) -> Picture:
    """The picture, its mirror image, perhaps both from nearer: uint8 (V, S, S, 3)."""
    looks = (picture, nearer(picture)) if options.nearer else (picture,)
    squares = [to_square(look, options.side) for look in looks]
    return np.stack([view for square in squares for view in (square, square[:, ::-1])])
