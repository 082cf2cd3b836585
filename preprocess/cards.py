"""Pictures that hold nothing but letters, as titles, credits and slides do, drawn at random.

The letters are no language's: rows of Latin ones, and of strokes put together in squares as Hangul
is. What learns from them must not read, only see that there is writing and nothing else.
"""

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.pictures import Picture

SIZES = ((360, 640), (480, 640), (640, 360), (400, 960), (512, 512))  # height, width
GROUNDS = (0, 0, 0, 15, 30, 240, 255, 255)  # greys of plain grounds: most are black or white
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789   .,:-()"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_PLAIN,
)  # fmt: skip
LUMA = np.array([0.30, 0.59, 0.11])
CONTRAST = 70  # least difference of luma between letters and ground
Colour = tuple[int, ...]
Point = npt.NDArray[np.float64]  # (2,), x and y


def card(random: np.random.Generator) -> Picture:
    """Letters on a plain or shaded ground: uint8 (H, W, 3) RGB."""
    height, width = SIZES[random.integers(len(SIZES))]
    ground = random.integers(0, 256, 3) if random.random() < 0.5 else random.choice(GROUNDS)
    shade = random.uniform(0, 40) if random.random() < 0.3 else 0.0
    slope = np.float32(shade) * np.linspace(-1, 1, width, dtype=np.float32)
    across = np.float32(ground) + slope[:, None]
    plain = np.broadcast_to(across, (height, width, 3))
    if grain := random.choice([0, 0, 2, 5]):
        plain = plain + grain * random.standard_normal(plain.shape, np.float32)
    drawn = lettered(np.clip(plain, 0, 255).astype(np.uint8), random)
    if random.random() < 0.3:
        drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), random.uniform(0.3, 1.2)), np.uint8)
    return drawn


def pattern(random: np.random.Generator) -> Picture:
    """What is no scene and has no letters either: uint8 (H, W, 3) RGB.

    Grain of any size, shades, stripes, or a few plain shapes.
    """
    height, width = SIZES[random.integers(len(SIZES))]
    first, second = random.integers(0, 256, (2, 3)).astype(np.float32)
    turn, kind = random.uniform(0, np.pi), random.integers(4)
    if kind == 0:
        return _grain((height, width), random)
    if kind == 3:
        return _shapes(np.full((height, width, 3), first, np.uint8), random)
    down, across = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    aslant = across * np.cos(turn) + down * np.sin(turn)
    share = aslant if kind == 1 else np.sin(aslant * random.uniform(10, 200)) > 0
    return np.asarray(first + np.clip(share, 0, 1)[..., None] * (second - first), np.uint8)


def _grain(size: tuple[int, int], random: np.random.Generator) -> Picture:
    grain = random.integers(0, 256, (*size, random.choice([1, 3])), np.uint8)
    grain = cv2.GaussianBlur(grain, (0, 0), random.uniform(0.3, 12))
    grain = cv2.normalize(grain, None, 0, 255, cv2.NORM_MINMAX)
    return np.ascontiguousarray(np.broadcast_to(np.atleast_3d(grain), (*size, 3)))


def _shapes(picture: Picture, random: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    for _ in range(random.integers(1, 6)):
        colour = tuple(int(part) for part in random.integers(0, 256, 3))
        centre = int(random.integers(width)), int(random.integers(height))
        axes = tuple(int(part) for part in random.uniform(0.05, 0.3, 2) * height)
        if random.random() < 0.5:
            cv2.ellipse(picture, centre, axes, random.uniform(0, 180), 0, 360, colour, -1)
        else:
            corner = centre[0] + 2 * axes[0], centre[1] + 2 * axes[1]
            cv2.rectangle(picture, centre, corner, colour, -1)
    return picture


def lettered(picture: Picture, random: np.random.Generator, most: int = 99) -> Picture:
    """A copy of the picture with at most so many rows of letters over it."""
    drawn = np.ascontiguousarray(picture).copy()
    height, width = drawn.shape[:2]
    size = max(6, int(height * np.exp(random.uniform(np.log(0.03), np.log(0.2)))))
    rows = min(most, int(random.integers(1, max(2, int(0.9 * height / (1.5 * size))) + 1)))
    colour, thick = _colour(drawn, random), max(1, int(size * random.uniform(0.06, 0.14)))
    free = max(0.06, 0.95 - 1.5 * rows * size / height)
    top, is_left = height * random.uniform(0.05, free), random.random() < 0.5
    left = int(width * random.uniform(0.03, 0.25))
    row = _latin if random.random() < 0.5 else _strokes
    for number in range(rows):
        count = int(random.integers(2, max(3, int(0.9 * width / size))))
        place = (left if is_left else -1, int(top + 1.5 * number * size))
        row(drawn, place, size, count, (colour, thick), random)
    return drawn


def _colour(picture: Picture, random: np.random.Generator) -> Colour:
    """One that stands out from the picture's mean."""
    mean = float(cv2.mean(picture)[:3] @ LUMA)
    drawn = (
        random.integers(0, 256, 3) if random.random() < 0.5 else random.choice([0, 20, 235, 255])
    )
    colour = np.broadcast_to(drawn, 3)
    if abs(float(colour @ LUMA) - mean) < CONTRAST:
        colour = np.broadcast_to(255 if mean < 128 else 0, 3)
    return tuple(int(part) for part in colour)


def _latin(
    picture: Picture, place: tuple[int, int], size: int, count: int, pen: tuple[Colour, int],
    random: np.random.Generator,
) -> None:  # fmt: skip
    text = "".join(random.choice(list(LATIN), count))
    font, (colour, thick) = FONTS[random.integers(len(FONTS))], pen
    wide = cv2.getTextSize(text, font, size / 30, thick)[0][0]
    x = place[0] if place[0] >= 0 else max(0, (picture.shape[1] - wide) // 2)
    cv2.putText(picture, text, (x, place[1] + size), font, size / 30, colour, thick, cv2.LINE_AA)


def _strokes(
    picture: Picture, place: tuple[int, int], size: int, count: int, pen: tuple[Colour, int],
    random: np.random.Generator,
) -> None:  # fmt: skip
    step = 0.95 * size
    x = place[0] if place[0] >= 0 else max(0, (picture.shape[1] - int(count * step)) // 2)
    for number in range(count):
        if random.random() < 0.85:  # the others are spaces
            corner = np.array([x + number * step, place[1]])
            for _ in range(random.integers(2, 6)):
                _stroke(picture, corner, size, pen, random)


def _stroke(
    picture: Picture, corner: Point, size: int,
    pen: tuple[Colour, int], random: np.random.Generator,
) -> None:  # fmt: skip
    """A line across, down or aslant, a ring or a box within a square."""
    (colour, thick), kind = pen, random.integers(5)
    (a, b), (c, d) = random.random((2, 2))
    ends = {0: ((0.3 * a, b), (0.7 + 0.2 * c, b)), 1: ((a, 0.3 * b), (a, 0.6 + 0.3 * d)),
            2: ((a, 0.5 * b), (c, 0.8)), 4: ((0.4 * a, 0.4 * b), (0.75, 0.75))}  # fmt: skip
    if kind == 3:
        centre = corner + size * np.array([0.25 + 0.5 * a, 0.25 + 0.5 * b])
        cv2.circle(picture, _whole(centre), max(1, int(0.18 * size)), colour, thick, cv2.LINE_AA)
        return
    first, last = (_whole(corner + size * np.array(end)) for end in ends[int(kind)])
    draw = cv2.rectangle if kind == 4 else cv2.line
    draw(picture, first, last, colour, thick, cv2.LINE_AA)


def _whole(point: Point) -> tuple[int, int]:
    return int(point[0]), int(point[1])
