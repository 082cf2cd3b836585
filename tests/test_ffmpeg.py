import os
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


def test_ffmpeg_ends_where_there_are_no_process_groups(monkeypatch):
    monkeypatch.delattr(os, "killpg")  # as on Windows
    before = children()
    with pytest.raises(VideoError, match="did not finish"):
        ffmpeg.run(ENDLESS, timeout_s=0.3)
    assert children() == before


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
