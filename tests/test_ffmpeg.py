import os
import stat
import time
from pathlib import Path

import clips
import pytest

from preprocess import ffmpeg
from preprocess.errors import OutputError, VideoError

ENDLESS = ["-f", "lavfi", "-i", "testsrc2=s=64x64", "-f", "null", "-"]


def children():
    """Process ids of this process' children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_run_reports_progress_in_milliseconds(tmp_path):
    clip = clips.colour_clip(tmp_path / "a.mp4")
    seen = []
    ffmpeg.run([*ffmpeg.input_arguments(clip), str(tmp_path / "b.mp4")], on_progress=seen.append)
    assert seen == sorted(seen) and 5900 <= seen[-1] <= 6000
    assert (tmp_path / "b.mp4").stat().st_size > 0


def test_failure_is_one_line_with_ffmpegs_reason(tmp_path):
    (tmp_path / "a.mp4").write_text("no film" * 100)
    with pytest.raises(VideoError, match="Invalid data") as caught:
        ffmpeg.run([*ffmpeg.input_arguments(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")])
    assert "\n" not in str(caught.value)


def test_full_disk_is_an_output_error():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    source = ["-f", "lavfi", "-t", "1", "-i", "testsrc2=s=640x360"]
    with pytest.raises(OutputError, match="No space left"):
        ffmpeg.run([*source, "-f", "rawvideo", "file:/dev/full"])


def test_time_limit_and_interrupt_end_ffmpeg():
    before = children()
    with pytest.raises(VideoError, match=r"0\.3 s"):
        ffmpeg.run(ENDLESS, timeout_s=0.3)

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ffmpeg.run(ENDLESS, on_progress=interrupt)
    time.sleep(0.1)
    assert children() == before


def test_playlist_opens_no_other_file(tmp_path):
    clip = clips.colour_clip(tmp_path / "secret.mp4")
    (tmp_path / "x.mp4").write_text(f"ffconcat version 1.0\nfile '{clip}'\n")
    with pytest.raises(VideoError):
        ffmpeg.run([*ffmpeg.input_arguments(tmp_path / "x.mp4"), "-f", "null", "-"])


def test_whole_file_appears_whole_with_usual_rights(tmp_path):
    target = tmp_path / ("가" * 80 + ".srt")
    with ffmpeg.whole_file(target) as temporary:
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
        with ffmpeg.whole_file(target) as temporary:
            temporary.write_text("half")
            raise error
    assert target.read_text() == "old" and names(tmp_path) == ["a.mp4"]


def test_whole_file_refuses_what_cannot_be_written(tmp_path):
    for target in (tmp_path / "no" / "a.mp4", tmp_path, tmp_path / "empty.mp4"):
        with pytest.raises(OutputError), ffmpeg.whole_file(target):
            pass
    assert names(tmp_path) == []
