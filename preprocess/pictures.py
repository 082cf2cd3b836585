"""Still pictures: reading them, and the one way any picture becomes the network's input."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.errors import DataError

Picture = npt.NDArray[np.uint8]


def read_picture(path: Path) -> Picture:
    """The picture as uint8 (H, W, 3) RGB, upright after its EXIF orientation, flat on white.

    Raises:
        DataError: the file is missing or is no picture OpenCV can decode.
    """
    return decoded(read_file(path), path)  # cv2.imread fails on some Unicode paths


def read_file(path: Path) -> bytes:
    """A picture's file as it is.

    Raises:
        DataError: it is missing or may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"사진 '{path}'을(를) 열 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
            f"cannot open picture '{path}' ({error.strerror}). Check the path.",
        ) from None


def decoded(data: bytes, path: Path) -> Picture:
    """What read_picture says, of a file that is read already.

    Raises:
        DataError: it is no picture OpenCV can decode.
    """
    pixels = np.frombuffer(data, np.uint8)
    try:
        found = cv2.imdecode(pixels, _read_as(data)) if data else None
        picture = None if found is None else on_white(found)
    except (cv2.error, MemoryError):  # a header that promises billions of pixels
        picture = None
    if picture is None:
        raise DataError(
            f"'{path}'은(는) 읽을 수 있는 사진이 아닙니다. 파일을 다시 받으세요.",
            f"'{path}' is not a readable picture. Fetch the file again.",
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _read_as(data: bytes) -> int:
    """How OpenCV is to decode a file: what hides behind transparency is not what is seen."""
    header = data[: data.find(b"IDAT")] if data.startswith(b"\x89PNG") else b""
    if header[25:26] in (b"\4", b"\6") or b"tRNS" in header:
        return cv2.IMREAD_UNCHANGED
    webp = data[:4] == b"RIFF" and data[8:15] == b"WEBPVP8" and len(data) > 20
    alpha = webp and (data[15:16] == b"L" or (data[15:16] == b"X" and data[20] & 0x10))
    return cv2.IMREAD_UNCHANGED if alpha else cv2.IMREAD_COLOR


def on_white(picture: npt.NDArray[Any]) -> Picture:
    """uint8 (H, W, 3) of integers (H, W), (H, W, 3) or, with how solid it is, (H, W, 4)."""
    if picture.dtype == np.uint8 and picture.shape[2:] == (3,):
        return picture
    flat = np.empty((*picture.shape[:2], 3), np.uint8)
    most = np.iinfo(picture.dtype).max
    for row, pixels in enumerate(np.atleast_3d(picture)):  # a whole picture of floats is large
        shares = pixels.astype(np.float32) / most
        alpha = shares[:, 3:] if shares.shape[1] == 4 else np.float32(1)
        flat[row] = (255 * (shares[:, :3] * alpha + 1 - alpha)).round()
    return flat


def nearer(picture: Picture, share: float = 0.85) -> Picture:
    """The middle of the picture, `share` of each side, in its own aspect: uint8 (H, W, 3)."""
    top, left = (int(side * (1 - share) / 2) for side in picture.shape[:2])
    height, width = picture.shape[:2]
    return picture[top : height - top, left : width - left]


def to_square(picture: Picture, side: int) -> Picture:
    """The whole picture squashed to uint8 (side, side, 3).

    Training and captioning both come through here: two ways of resizing would give the
    network two kinds of picture. The whole is kept, because what a crop cuts off cannot be told.
    """
    if picture.shape[:2] == (side, side):
        return picture
    shrinks = picture.shape[0] > side or picture.shape[1] > side
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=interpolation), np.uint8)


def shot(pictures: Sequence[Picture], side: int) -> npt.NDArray[np.uint8]:
    """Pictures as the frames of one shot: uint8 (n, H, W, 3); squares if their sizes differ."""
    if len({picture.shape for picture in pictures}) > 1:  # one array has one size
        pictures = [to_square(picture, side) for picture in pictures]
    return np.stack(pictures)
