"""Stills that look like film frames: cropped, squashed, letterboxed, blurred, compressed.

A film frame squashed to a square is narrower than a photo, its subject is seldom whole, and codecs
have been at it. A decoder that met only clean, whole photos names the wrong thing with confidence.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.pictures import Picture, to_square


@dataclass(frozen=True)
class FilmOptions:
    """How often, and how far, a still is changed.

    Attributes:
        crop: chance of a crop of at least `least` of the area, of another aspect.
        least: smallest share of the area that is kept; below half, captions lose their subject.
        stretch: widest change of the aspect, up to this factor and down to its inverse.
        letterbox: chance of black bars, as wide films carry on narrower frames.
        afar: chance of being set smaller into a plain or blurred frame; photos show their subject
            large, a fixed camera shows it small.
        tilt: chance of a turn by up to `degrees`, as of a camera held by hand.
        degrees: largest turn either way.
        colour: widest change of brightness, contrast and saturation, as a share.
        soft: chance of being blurred, and again of being compressed.
    """

    crop: float = 0.8
    least: float = 0.5
    stretch: float = 1.4
    letterbox: float = 0.08
    afar: float = 0.2
    tilt: float = 0.2
    degrees: float = 20.0
    colour: float = 0.25
    soft: float = 0.2


FILM = FilmOptions()


def film_frame(
    picture: Picture, side: int, random: np.random.Generator, options: FilmOptions = FILM
) -> Picture:
    """A view of a still as a film might show it: uint8 RGB (H, W, 3) -> (side, side, 3).

    Left stays left and colours keep their names, so the captions stay true of what is left in.
    """
    if random.random() < options.tilt:
        picture = tilted(picture, random.uniform(-options.degrees, options.degrees))
    if random.random() < options.crop:
        picture = _cropped(picture, random, options)
    frame = to_square(picture, side)
    if random.random() < options.letterbox:
        frame = _letterboxed(frame, random)
    if random.random() < options.afar:
        frame = _set_back(frame, random)
    frame = _coloured(frame, random, options.colour)
    if random.random() < options.soft:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), random.uniform(0.5, 1.8)), np.uint8)
    return _compressed(frame, random) if random.random() < options.soft else frame


def _cropped(picture: Picture, random: np.random.Generator, options: FilmOptions) -> Picture:
    """A window of another aspect; resizing it to the square squashes what is in it."""
    height, width = picture.shape[:2]
    area, stretch = random.uniform(options.least, 1), np.log(options.stretch)
    aspect = np.exp(random.uniform(-stretch, stretch))
    tall = min(1.0, np.sqrt(area / aspect))
    wide = min(1.0, np.sqrt(area * aspect))
    h, w = max(1, round(height * tall)), max(1, round(width * wide))
    top, left = (int(random.integers(n + 1)) for n in (height - h, width - w))
    return picture[top : top + h, left : left + w]


def tilted(picture: Picture, degrees: float) -> Picture:
    """Turned about its middle, uint8 (H, W, 3); corners show the nearest that was there."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _set_back(frame: Picture, random: np.random.Generator) -> Picture:
    """The whole frame, smaller, somewhere on its own blur or on the mean colour of its edge."""
    side, inner = len(frame), round(len(frame) * random.uniform(0.45, 0.9))
    if random.random() < 0.5:
        ground = np.asarray(cv2.GaussianBlur(frame, (0, 0), side / 12), np.uint8)
    else:
        edge = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        ground = np.full_like(frame, edge.mean(0).round())
    top, left = random.integers(side - inner + 1, size=2)
    ground[top : top + inner, left : left + inner] = to_square(frame, inner)
    return ground


def _letterboxed(frame: Picture, random: np.random.Generator) -> Picture:
    """Black bars above and below, or at the sides; the whole picture stays between them."""
    side = len(frame)
    bar = round(side * random.uniform(0.06, 0.2))
    boxed = np.zeros_like(frame)
    if random.random() < 0.7:
        boxed[bar : side - bar] = cv2.resize(frame, (side, side - 2 * bar))
    else:
        boxed[:, bar : side - bar] = cv2.resize(frame, (side - 2 * bar, side))
    return boxed


def _coloured(frame: Picture, random: np.random.Generator, share: float) -> Picture:
    """Other brightness, contrast and saturation; no other hue, for captions name colours."""
    light, contrast, saturation = random.uniform(1 - share, 1 + share, 3)
    numbers = frame.astype(np.float32) * light
    grey = numbers.mean(-1, keepdims=True)
    numbers = grey + (numbers - grey) * saturation
    middle = numbers.mean()
    changed: Picture = np.clip(middle + (numbers - middle) * contrast, 0, 255).astype(np.uint8)
    return changed


def _compressed(frame: Picture, random: np.random.Generator) -> Picture:
    """JPEG's blocks stand for a codec's."""
    quality = int(random.integers(15, 60))
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
