"""Photos of tiles, as telephones take them: HEIC and AVIF (ISO/IEC 23008-12, section 6.6.2.3)."""

import struct
from collections.abc import Sequence
from pathlib import Path

from tests.clips import ffmpeg

SIDE = 64  # of a tile
KINDS = {
    "heic": (b"hvc1", b"hvcC", ("-c:v", "libx265", "-x265-params", "log-level=0"), "mp4"),
    "avif": (b"av01", b"av1C", ("-c:v", "libaom-av1", "-still-picture", "1"), "avif"),
}


def tiled(path: Path, colours: Sequence[Sequence[str]], quarters: int = 0, large: int = 0) -> Path:
    """Writes a photo whose tiles have these colours, row by row, turned anti-clockwise.

    Args:
        path: its suffix says what it is.
        colours: names that ffmpeg knows.
        quarters: of a turn.
        large: pixels a side that it says it has.
    """
    item = KINDS[path.suffix[1:]][0]
    tiles = [tile(path, colour, f"{i}") for i, row in enumerate(colours) for colour in row]
    rows, columns = len(colours), len(colours[0])
    ids = range(2, 2 + len(tiles))
    shown = [large or count * SIDE for count in (columns, rows)]
    sizes = [full(b"ispe", struct.pack(">II", *size)) for size in (shown, (SIDE, SIDE))]
    turn = box(b"irot", bytes([quarters]))
    mine = struct.pack(">HBBB", 1, 2, 1, 0x84)  # item 1: size and turn
    theirs = [struct.pack(">HBBB", i, 2, 2, 0x83) for i in ids]
    linked = full(b"ipma", struct.pack(">I", 1 + len(tiles)), mine, *theirs)
    looks = box(b"iprp", box(b"ipco", *sizes, tiles[0][0], turn), linked)
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *shown)
    named = [entry(1, b"grid", 0), *(entry(i, item, 1) for i in ids)]
    info = full(b"iinf", struct.pack(">H", len(named)), *named)
    made_of = box(b"dimg", struct.pack(f">HH{len(ids)}H", 1, len(ids), *ids))
    parts = [info, full(b"iref", made_of), looks, box(b"idat", grid)]
    kind = box(b"ftyp", path.suffix[1:].encode(), bytes(4), b"mif1")
    start = len(kind) + len(meta(parts, places(grid, tiles, 0))) + 8
    data = [kind, meta(parts, places(grid, tiles, start)), box(b"mdat", *(t[1] for t in tiles))]
    path.write_bytes(b"".join(data))
    return path


def tile(path: Path, colour: str, name: str) -> tuple[bytes, bytes]:
    """The decoder's settings and one coded picture."""
    _, setting, codec, suffix = KINDS[path.suffix[1:]]
    film = path.with_name(f"tile{name}{colour}.{suffix}")
    source = ("-f", "lavfi", "-i", f"color={colour}:s={SIDE}x{SIDE}", "-frames:v", "1")
    ffmpeg(*source, "-pix_fmt", "yuv420p", *codec, film)
    data = film.read_bytes()
    settings = inside(data, setting)
    return box(setting, settings), inside(data, b"mdat")


def inside(data: bytes, kind: bytes) -> bytes:
    """What the first box of a kind holds."""
    at = data.index(kind)
    return data[at + 4 : at - 4 + struct.unpack(">I", data[at - 4 : at])[0]]


def places(grid: bytes, tiles: Sequence[tuple[bytes, bytes]], start: int) -> bytes:
    """Where every item's bytes are: the grid's in the head, the tiles' from `start` on."""
    entries = struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(grid))
    for number, (_, coded) in enumerate(tiles, 2):
        entries += struct.pack(">HHHHII", number, 0, 0, 1, start, len(coded))
        start += len(coded)
    return full(b"iloc", struct.pack(">BBH", 0x44, 0, 1 + len(tiles)), entries, version=1)


def meta(parts: Sequence[bytes], where: bytes) -> bytes:
    handler = full(b"hdlr", bytes(4), b"pict", bytes(13))
    return full(b"meta", handler, full(b"pitm", struct.pack(">H", 1)), where, *parts)


def entry(number: int, kind: bytes, hidden: int) -> bytes:
    return full(b"infe", struct.pack(">HH", number, 0), kind, bytes(1), version=2, flags=hidden)


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)
