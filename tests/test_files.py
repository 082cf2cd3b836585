"""Output files: whole or not at all, and never over one that is there unasked."""

import os
import stat

import pytest

from preprocess import files
from preprocess.errors import OutputError, VideoError


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_whole_file_appears_whole_with_usual_rights(tmp_path):
    target = tmp_path / ("가" * 80 + ".srt")
    with files.whole_file(target) as temporary:
        assert temporary.suffix == ".srt" and temporary.name.startswith(".")
        temporary.write_text("자막")
        assert not target.exists()
    assert target.read_text() == "자막" and names(tmp_path) == [target.name]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, VideoError("a", "b")])
def test_whole_file_leaves_nothing_and_keeps_the_old_on_failure(tmp_path, error):
    target = tmp_path / "a.mp4"
    target.write_text("old")
    with pytest.raises((ValueError, KeyboardInterrupt, VideoError)):  # noqa: SIM117
        with files.whole_file(target) as temporary:
            temporary.write_text("half")
            raise error
    assert target.read_text() == "old" and names(tmp_path) == ["a.mp4"]


def test_whole_file_refuses_what_cannot_be_written(tmp_path):
    for target in (tmp_path / "no" / "a.mp4", tmp_path, tmp_path / "empty.mp4"):
        with pytest.raises(OutputError), files.whole_file(target):
            pass
    assert names(tmp_path) == []


def test_a_path_that_is_taken_is_refused_unless_asked(tmp_path):
    there, link, free = (tmp_path / name for name in ("there", "link", "free"))
    there.write_text("x")
    link.symlink_to(tmp_path / "nowhere")
    for taken in (there, link, tmp_path):
        with pytest.raises(OutputError, match="exists already"):
            files.check_free(taken, overwrite=False)
        files.check_free(taken, overwrite=True)
    files.check_free(free, overwrite=False)
