"""Downloads of the shapes that AI Hub's sets have, made on the spot; nothing is AI Hub's."""

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

from tests.clips import BLUE, GREEN, RED, colour_clip


def picture(path: Path, seed: int = 0) -> Path:
    """A picture that is like no other of another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture_bytes(seed, path.suffix))
    return path


def picture_bytes(seed: int = 0, suffix: str = ".jpg") -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    large = cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(suffix, large)[1].tobytes()


def written(path: Path, value: object, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding))
    return path


def lines(path: Path, rows: list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def mscoco(root: Path, count: int = 8) -> Path:
    """261: a list, its pictures in train2014 and val2014."""
    records = []
    for number in range(1, count + 1):
        split = "train2014" if number <= count // 2 else "val2014"
        name = f"{split}/COCO_{split}_{number:012d}.jpg"
        picture(root / name, number)
        records.append({
            "file_path": name, "id": number, "captions": ["A dog sleeps on a rack. "],
            "caption_ko": [f"개 {number}마리가 신발장 위에서 잔다.", "",
                           f"작은 개 {number}마리가 누워 있다"],
        })  # fmt: skip
    written(root / "MSCOCO_train_val_Korean.json", records)
    return root


def karpathy(path: Path, split_of: dict[int, str]) -> Path:
    """dataset_coco.json."""
    images = [
        {"cocoid": i, "split": split, "filename": f"COCO_val2014_{i:012d}.jpg", "imgid": n,
         "filepath": "val2014", "sentences": []}
        for n, (i, split) in enumerate(split_of.items())
    ]  # fmt: skip
    return written(path, {"images": images, "dataset": "coco"})


DESCRIPTIONS = (
    ["여자가 책상에 있다", "여자는 컵을 들고있다", "여자는 긴 머리이다", "책상 위에 컵이 있다",
     "여자는 앞을 보고있다"],
    ["여자가 일어선다", "여자는 컵을 놓는다", "여자는 긴 머리이다", "책상 위에 컵이 있다",
     "여자는 문을 보고있다"],
    ["여자가 문에 있다", "여자는 손잡이를 잡는다", "여자는 긴 머리이다", "문이 열려 있다",
     "여자는 웃고있다"],
)  # fmt: skip


def frame(number: int, texts: list[str], place: str = "office") -> dict:
    person = {"person_id": "박영희", "person_info": {"gender": "female"}, "related_objects": []}
    return {"image_id": f"KM_{number:010d}.jpg", "frame_id": number, "place": place,
            "persons": [person], "objects": [], "image_descs": texts}  # fmt: skip


def drama_shot(name: str, first: int, texts=DESCRIPTIONS, each: int = 4) -> dict:
    """`each` frames of every description in turn; between, order and spaces of the five change."""
    frames = [
        frame(
            first + turn * each + i,
            five if i % 2 == 0 else [text.replace("고있다", "고 있다") for text in five[::-1]],
        )
        for turn, five in enumerate(texts)
        for i in range(each)
    ]
    return {"image_folder": name, "visual_infos": frames}


def drama(root: Path, number: int = 12, shots: int = 2, missing: tuple[int, ...] = ()) -> Path:
    """KETI: a clip's folder, in it a folder of the same name with the shots' frames."""
    clip = f"KETI_MULTIMODAL_{number:010d}"
    folder = root / "멀티모달_Part_01" / clip
    infos = [
        drama_shot(f"KETI_SHOT_{145747 + s:010d}", 9 + 13 * s, tuple(
            [text.replace("여자", f"여자 {number} {s}") for text in five] for five in DESCRIPTIONS))
        for s in range(shots)
    ]  # fmt: skip
    for info in infos:
        for f in info["visual_infos"]:
            if f["frame_id"] not in missing:
                path = folder / clip / info["image_folder"] / f["image_id"]
                picture(path, number * 1000 + f["frame_id"])
    about = {"shot_folder": clip, "video_file": f"{clip}.mp4", "file_id": clip, "frame_size": 30,
             "clip_descs": ["박영희가 사무실에 앉아 있다.", "여자가 컵을 놓고 일어선다.",
                            "여자가 문으로 간다."]}  # fmt: skip
    written(folder / f"{clip}_interpolation.json", {
        "common_info": about, "shot_infos": infos[::-1],
        "dialogue_infos": [{"start_time": "00:00:14.950", "end_time": "00:00:14.950",
                            "speaker_id": "박영희", "dialogue_id": 1, "utterance": "네"}],
    })  # fmt: skip
    return root


def film(path: Path, lengths: tuple[int, int, int] = (2000, 2000, 2000)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return colour_clip(path, tuple(zip((RED, GREEN, BLUE), lengths, strict=True)), fps=10)


def timed(root: Path, splits=("Training", "Validation"), count: int = 2) -> Path:
    """비디오 장면 설명문 생성: films and, one JSON each (with a BOM), their timed sentences."""
    top = root / "003.비디오 장면 설명문 생성 데이터" / "01-1.정식개방데이터"
    for split in splits:
        letter = split[0]
        for number in range(1, count + 1):
            stem = f"D3_DR_0816_{number + 100 * (letter == 'V'):06d}"
            film(top / split / "01.원천데이터" / f"{letter}S_드라마_220816" / f"{stem}.mp4")
            written(
                top / split / "02.라벨링데이터" / f"{letter}L_D3_드라마" / f"{stem}.json",
                {"video_name": f"{stem}.mp4", "duration": "6.0", "domain_id": "DR01", "sentences": [
                    sentence("00:00.00000", "00:02.00000", "빨간 화면이 보인다."),
                    sentence("00:04.00000", "00:09.00000", "파란 화면이 보인다."),
                    sentence("00:04.00000", "00:09.00000", "화면이 파랗게 바뀐다."),
                    sentence("00:07.00000", "00:09.00000", "영상이 끝난 뒤이다."),
                    sentence("00:03.00000", "00:03.00000", "시간이 없다."),
                ]},
                "utf-8-sig",
            )  # fmt: skip
    return root


def sentence(start: str, end: str, text: str) -> dict:
    return {"timestamps": [start, end], "sentences_ko": text, "sentences_en": "A screen."}


def situations(root: Path) -> Path:
    """58: one JSON a clip, some in CP949, films called by the zero-padded number."""
    for number, encoding in ((13, "utf-8"), (226, "cp949")):
        cells = {"text": {"script": "안녕", "script_start": "1", "script_end": 5.0}}
        value = {"clip_id": str(number), "nr_frame": "60",
                 "situation": "두 사람이 이야기한다. 한 사람이 웃는다.",
                 "data": {"1": {"1": cells}, "2": {}}}  # fmt: skip
        written(root / "라벨데이터" / f"clip_{number}.json", value, encoding)
        film(root / "원천데이터" / f"{number:04d}.MP4")
    return root


def background(root: Path) -> Path:
    """71849: the label is named as its film."""
    told = "강변의 산책로를 따라 사람들이 걷고 있다. 뒤로 고층 건물이 보인다. ### 간판이 있다."
    for number, value in enumerate(
        ({"annotation": {"description_kr": told}}, {"description_ko": told})
    ):
        written(root / "labels" / f"bg_{number}.json", value)
        film(root / "videos" / f"bg_{number}.mp4")
    return root


def vision(root: Path, count: int = 2) -> Path:
    """71454: a JSON a picture; the same set's detection labels have boxes instead."""
    for number in range(count):
        name = f"IMG_{number:07d}_cup(cup).jpg"
        picture(root / "원천데이터" / name, number)
        annotations = [{"korean": f"탁자 위에 컵 {number}개가 있다.", "english": "A cup."},
                       {"korean": "컵이 놓여 있다.", "english": "A cup."}]  # fmt: skip
        written(root / "라벨링데이터" / f"{number}.json", {
            "info": {"description": "x", "data_year": "2021", "main_category": "주방"},
            "images": [{"id": number, "file_name": name, "width": 64, "height": 48}],
            "annotations": annotations,
            "categories": [{"supercategory": "kitchen", "id": 3, "name": "cup"}],
        })  # fmt: skip
    boxes = {"info": {"year": "2021"}, "images": [{"id": 9, "file_name": "box.jpg"}],
             "annotations": [{"bbox": [0, 0, 3, 3]}]}  # fmt: skip
    written(root / "라벨링데이터" / "box.json", boxes)
    return root


def questions(root: Path, count: int = 2) -> Path:
    """71357: one large JSON."""
    rows = []
    for number in range(1, count + 1):
        picture(root / "원천데이터" / f"{number:06d}.jpg", number)
        rows.append({"IMAGE_ID": str(number), "IMAGE_NAME": f"{number:06d}.jpg", "SCENE": "거실",
                     "CAPTION": f"아이가 탁자 {number}개 앞에 앉아 있다.",
                     "questions": []})  # fmt: skip
    written(root / "라벨링데이터" / "VQA" / "all.json", {"annotations": rows})
    return root


def nikl(root: Path, count: int = 2) -> Path:
    rows = []
    for number in range(count):
        picture(root / "img" / f"K0A{number:04d}.png", number)
        rows.append({"id": f"n-{number}", "input": f"K0A{number:04d}",
                     "output": [f"나무 {number}그루가 서 있다.", "길이 보인다."]})  # fmt: skip
    lines(root / "nikluge-2022-image-train.jsonl", rows)
    return root


def timelines(root: Path) -> Path:
    """616: class codes and no sentence."""
    written(root / "news_0001_a01.json", {
        "metadata": {"file_name": "news_0001", "class_code": 3, "annotator_id": "a01"},
        "timelines": [{"id": 1, "start": 12, "end": 25, "attributes": {"place": 4, "action": 17}}],
    })  # fmt: skip
    return root


def zipped(path: Path, files: dict[str, bytes], encoding: str = "utf-8", flag: bool = True) -> Path:
    """A zip whose names are written in an encoding, with the UTF-8 flag or without."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(files, encoding, flag))
    return path


def zip_bytes(files: dict[str, bytes], encoding: str = "utf-8", flag: bool = True) -> bytes:
    held, names = io.BytesIO(), {}
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(files.items()):
            raw = name.encode(encoding)
            stand_in = f"\x02{number:x}".ljust(len(raw), "\x03")
            names[stand_in.encode()] = raw
            archive.writestr(stand_in, data)
    data = held.getvalue()
    for stand_in, raw in sorted(names.items(), reverse=True):  # the longer of like ones first
        data = data.replace(stand_in, raw)
    return _flagged(data, names.values()) if flag else data


def _flagged(data: bytes, names) -> bytes:
    """Sets bit 11 (names are UTF-8) in every header of a name that is not ASCII."""
    changed = bytearray(data)
    for raw in names:
        at = -1
        while not raw.isascii() and (at := data.find(raw, at + 1)) >= 0:
            offset = at - 30 + 6 if data[at - 30 : at - 26] == b"PK\3\4" else at - 46 + 8
            bits = struct.unpack_from("<H", changed, offset)[0]
            struct.pack_into("<H", changed, offset, bits | 0x800)
    return bytes(changed)


def folder_files(root: Path) -> dict[str, bytes]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


def parts(path: Path, data: bytes, size: int, first: int = 0) -> list[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = []
    for number, start in enumerate(range(0, len(data), size), first):
        found.append(path.with_name(f"{path.name}.part{number}"))
        found[-1].write_bytes(data[start : start + size])
    return found


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
