"""Downloads as they came: parts, tars, zips and what is refused in them."""

import io
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import members
from preprocess.archives import Archives
from preprocess.data_folder import data_folder, undone
from preprocess.errors import DataError, OutputError
from preprocess.files import check_room
from preprocess.members import decoded_name, inside
from preprocess.parts import Joined, in_order, part_of
from preprocess.tally import Tally
from tests import downloads
from tests.test_sets import by_name, gather

ROOT = Path(__file__).resolve().parents[1]


def listed(path, tmp_path):
    """Contents by name, and what was dropped."""
    tally = Tally()
    with Archives(tmp_path / "cache", tmp_path / "out") as archives:
        found = {}
        for member in list(archives.members(path, tally)):
            with member.open() as file:
                found[member.name] = file.read()
            assert len(found[member.name]) == member.size
    return found, dict(tally.dropped)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 40), st.data())
def test_joined_parts_are_the_whole_wherever_one_reads(data, size, draw):
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    files = [partial(io.BytesIO, piece) for piece in pieces]
    joined = Joined(files, [len(piece) for piece in pieces])
    whole, buffered = io.BytesIO(data), io.BufferedReader(joined)
    assert buffered.read() == data
    for _ in range(5):
        at = draw.draw(st.integers(0, len(data) + 5))
        count = draw.draw(st.integers(0, len(data)))
        whence = draw.draw(st.sampled_from([io.SEEK_SET, io.SEEK_END]))
        offset = at if whence == io.SEEK_SET else at - len(data) - 5
        if whence == io.SEEK_END and len(data) + offset < 0:
            continue
        assert buffered.seek(offset, whence) == whole.seek(offset, whence)
        assert buffered.read(count) == whole.read(count)


@given(st.integers(1, 30), st.integers(0, 1), st.integers(1, 100), st.randoms())
def test_parts_follow_each_other_by_number(count, first, size, random):
    numbers = list(range(first, first + count))
    shuffled = random.sample(numbers, count)
    sizes = {n: size if n < numbers[-1] else random.randint(1, size) for n in shuffled}
    assert in_order("x.zip", sizes) == numbers


def test_parts_numbered_by_where_they_begin():
    assert in_order("x", {2147483648: 5, 0: 2**30, 1073741824: 2**30}) == [
        0, 1073741824, 2147483648,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({0: 9, 2: 9, 10: 3}, "part1 is missing"),
        ({2: 9, 3: 9}, "part1 is missing"),
        ({0: 9, 1: 8, 2: 9}, "part1 has 8 bytes, not 9"),
        ({0: 9, 1: 10}, "part1 is longer"),
    ],
)
def test_parts_that_are_not_complete_are_refused(sizes, said):
    with pytest.raises(DataError, match=said):
        in_order("x.zip", sizes)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("TL02.zip.part0", ("TL02.zip", 0)),
        ("a/x.json.part10", ("a/x.json", 10)),
        ("X.ZIP.PART00", ("X.ZIP", 0)),
        ("part1", None),
        ("x.zip.part", None),
    ],
)
def test_names_of_parts(name, part):
    assert part_of(name) == part


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=20))
def test_hangul_names_are_read_in_utf8_and_as_windows_writes_them(name):
    assert decoded_name(name.encode()) == name
    try:
        raw = name.encode("cp949")
    except UnicodeEncodeError:
        return
    assert decoded_name(raw) == name or _is_utf8(raw)


def _is_utf8(raw):
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=30))
def test_no_name_leads_outside(raw):
    found = inside(decoded_name(raw), "x.zip")
    assert found == "" or (found.startswith("x.zip/") and ".." not in found.split("/"))


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/../a", "C:/a", "C:\\a", "..\\a", "/", ""])
def test_names_that_lead_outside_are_refused(name):
    assert inside(name, "x.zip") == ""


def test_absolute_names_are_put_below_their_archive():
    assert inside("/원천데이터/a.jpg", "x.zip") == "x.zip/원천데이터/a.jpg"


@pytest.mark.parametrize(
    ("encoding", "flag"), [("utf-8", True), ("utf-8", False), ("cp949", False)]
)
def test_names_in_zips_are_what_was_meant(tmp_path, encoding, flag):
    path = downloads.zipped(tmp_path / "x.zip", {"한글/사진 1.jpg": b"1"}, encoding, flag)
    assert listed(path, tmp_path) == ({"x.zip/한글/사진 1.jpg": b"1"}, {})


def test_names_in_tars_are_what_was_meant(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="cp949") as archive:
        archive.addfile(tarfile.TarInfo("한글/사진.jpg"))
    assert listed(path, tmp_path) == ({"x.tar/한글/사진.jpg": b""}, {})


def test_everything_in_everything(tmp_path):
    """A tar with a zip in parts, in which there is a zip with a zip: as aihubshell may leave it."""
    inner = downloads.zip_bytes({"a.txt": b"a" * 1000})
    middle = downloads.zip_bytes({"/안/inner.zip": inner, "b.txt": b"b"}, "cp949", flag=False)
    outer = downloads.zip_bytes({"middle.zip": middle})
    size = len(outer) // 11
    pieces = {f"데이터/o.zip.part{i}": outer[i * size : (i + 1) * size] for i in range(12)}
    pieces = {name: data for name, data in pieces.items() if data}
    path = downloads.tarred(tmp_path / "download.tar", dict(reversed(pieces.items())))
    base = "download.tar/데이터/o.zip/middle.zip"
    assert listed(path, tmp_path) == (
        {f"{base}/안/inner.zip/a.txt": b"a" * 1000, f"{base}/b.txt": b"b"}, {},
    )  # fmt: skip
    again = downloads.tarred(tmp_path / "download.tar.gz", {"x.zip": inner})
    assert listed(again, tmp_path)[0] == {"download.tar.gz/x.zip/a.txt": b"a" * 1000}


def test_links_devices_and_names_outside_are_refused(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("../../evil.json"))
        archive.addfile(tarfile.TarInfo("good.txt"))
    found, drops = listed(path, tmp_path)
    assert list(found) == ["x.tar/good.txt"]
    assert drops == {"link or device in an archive": 3, "name leads outside": 1}
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a/../../evil.json", "{}")
        archive.writestr("__MACOSX/._a.json", "x")
        archive.writestr("good.txt", "")
    found, drops = listed(path, tmp_path)
    assert list(found) == ["x.zip/good.txt"]
    assert drops == {"link or device in an archive": 1, "name leads outside": 1}


def test_bombs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "SWELLS_FROM", 2**16)
    noise = downloads.picture_bytes() * 3000
    bomb = downloads.zip_bytes({"bomb.json": bytes(2**22)})
    path = downloads.zipped(tmp_path / "x.zip", {"a.json": bytes(2**17), "b.jpg": noise})
    assert listed(path, tmp_path)[1] == {"member that swells": 1}
    path.write_bytes(bomb)
    assert listed(path, tmp_path) == ({}, {"archive that swells": 1})
    gz = downloads.tarred(tmp_path / "y.tar.gz", {"a.json": bytes(2**22)})
    assert listed(gz, tmp_path) == ({}, {"archive that swells": 1})


def test_archives_without_end_are_refused(tmp_path):
    data = downloads.zip_bytes({"a.txt": b"a"})
    for _ in range(8):
        data = downloads.zip_bytes({"x.zip": data})
    (tmp_path / "x.zip").write_bytes(data)
    assert listed(tmp_path / "x.zip", tmp_path) == ({}, {"archive nested too deep": 1})


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_a_damaged_archive_is_one_clear_error(tmp_path, name, cut):
    files = {f"{n}.jpg": downloads.picture_bytes(n) for n in range(8)}
    path = tmp_path / name
    if name == "x.zip":
        downloads.zipped(path, files)
    else:
        downloads.tarred(path, files)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])
    if name == "x.tar" and cut == 0.9:  # its end is padding
        path.write_bytes(data[:3000])
    with pytest.raises(DataError, match="is damaged"):
        listed(path, tmp_path)


def test_parts_joined_in_a_wrong_order_are_told(tmp_path):
    data = downloads.zip_bytes({f"{n}.jpg": downloads.picture_bytes(n) for n in range(30)})
    pieces = downloads.parts(tmp_path / "set/x.zip", data, len(data) // 11)
    listed_right = listed(tmp_path / "set", tmp_path)
    assert len(listed_right[0]) == 30
    assert listed(pieces[3], tmp_path)[0].keys() == {f"x.zip/{n}.jpg" for n in range(30)}
    joined = b"".join(p.read_bytes() for p in sorted(pieces))  # part10 before part2
    (tmp_path / "set/x.zip").write_bytes(joined)
    assert listed(tmp_path / "set", tmp_path) == listed_right  # the parts win
    for piece in pieces:
        piece.unlink()
    with pytest.raises(DataError, match="joined in a wrong order"):
        listed(tmp_path / "set", tmp_path)


def test_a_damaged_member_costs_itself_alone(tmp_path):
    root = downloads.nikl(tmp_path / "nikl", 6)
    files = downloads.folder_files(root)
    data = bytearray(downloads.zip_bytes(files))
    at = data.find(b"K0A0003.png") + 40
    data[at : at + 20] = bytes(20)
    (tmp_path / "nikl.zip").write_bytes(data)
    found = gather(tmp_path / "out", tmp_path / "nikl.zip")
    assert len(found.samples) == 5
    assert dict(found.tallies["nikl"].dropped) == {"picture damaged in its archive": 1}


MANY = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (40, int(sys.argv[3])))
from preprocess.archives import Archives
from preprocess.errors import CaptioningError
from preprocess.tally import Tally
with Archives(Path(sys.argv[2]) / "cache", Path(sys.argv[2]) / "out") as archives:
    try:
        print(len(list(archives.members(Path(sys.argv[1]), Tally()))))
    except CaptioningError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of open files")
@pytest.mark.parametrize(("most", "said"), [(400, "120"), (60, "too many archives: .*ulimit -n")])
def test_a_set_may_come_in_more_archives_than_files_may_be_open_at_first(tmp_path, most, said):
    for number in range(120):
        downloads.zipped(tmp_path / f"set/{number}.zip", {"a.txt": b"a"})
    program = [sys.executable, "-c", MANY, str(tmp_path / "set"), str(tmp_path), str(most)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.match(said, done.stdout), done


SETS = {
    "mscoco": downloads.mscoco, "drama": downloads.drama, "timed": downloads.timed,
    "situations": downloads.situations, "background": downloads.background,
    "vision": downloads.vision, "questions": downloads.questions, "nikl": downloads.nikl,
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_packed_is_read_as_unpacked(tmp_path, name):
    root = SETS[name](tmp_path / "set")
    whole = gather(tmp_path / "a", root)
    data = downloads.zip_bytes(downloads.folder_files(root), "cp949", flag=False)
    downloads.parts(tmp_path / "packed/set.zip", data, len(data) // 3 + 1)
    packed = gather(tmp_path / "b", tmp_path / "packed")
    assert by_name(packed) == by_name(whole)
    assert [s.split for s in packed.samples] == [s.split for s in whole.samples]
    assert (packed.hashes == whole.hashes).all()
    out = {p.relative_to(tmp_path / "b").parts[0] for p in (tmp_path / "b").rglob("*.*")}
    assert out <= {"pictures", "frames"}
    assert not list((tmp_path / "b").rglob("*.mp4"))  # films are taken out for a while only


def test_only_what_is_used_is_unpacked_and_only_once(tmp_path, monkeypatch):
    root = downloads.timed(downloads.drama(tmp_path / "set"), ("Training",), 1)
    downloads.zipped(tmp_path / "d.zip", downloads.folder_files(root))
    first = gather(tmp_path / "out", tmp_path / "d.zip")
    assert len(list((tmp_path / "out/pictures").rglob("*.jpg"))) == 6
    assert len(list((tmp_path / "out/frames").rglob("*.jpg"))) == 6
    monkeypatch.setattr("preprocess.unpacking.copy", None)
    again = gather(tmp_path / "out", tmp_path / "d.zip")
    assert again.samples == first.samples


def test_the_output_folder_is_no_part_of_the_download(tmp_path):
    root = downloads.nikl(tmp_path / "set")
    gather(root / "out", root)
    downloads.picture(root / "out/pictures/K0A0000.png", 7)
    found = gather(root / "out", root)
    assert [s.pictures[0].count("/out/") for s in found.samples] == [0, 0]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match=r"needs 1000000000\.0 GB"):
        check_room(tmp_path / "not/yet", 10**18)
    files = downloads.folder_files(downloads.nikl(tmp_path / "nikl"))
    path = downloads.zipped(tmp_path / "x.zip", files)
    monkeypatch.setattr("preprocess.unpacking._needed", lambda out, matches: 10**18)
    with (
        pytest.raises(OutputError),
        data_folder(tmp_path / "out", [path]),
        undone(tmp_path / "out"),
    ):
        gather(tmp_path / "out", path)
    assert not (tmp_path / "out").exists()
