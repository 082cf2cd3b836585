"""Dockerfile and compose file: parsed, and held to what docs/server.md promises."""

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from video.server.__main__ import _parser

ROOT = Path(__file__).resolve().parents[1]


def instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) of the Dockerfile, continued lines joined, comments left out."""
    lines = [
        line
        for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(w[0].upper(), w[1]) for line in joined.splitlines() if (w := line.split(None, 1))]


def rest_of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


@pytest.fixture(scope="module")
def service() -> dict:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert list(services) == ["captions"]
    return services["captions"]


def test_images_have_versions_and_the_last_stage_is_not_root():
    assert all(re.search(r":\d+\.\d+-slim", image) for image in rest_of("FROM"))
    last = max(i for i, (name, _) in enumerate(instructions()) if name == "FROM")
    users = [rest for name, rest in instructions()[last:] if name == "USER"]
    assert users == ["10001:10001"]
    starts = [i for i, (name, _) in enumerate(instructions()) if name in ("ENTRYPOINT", "CMD")]
    user = next(i for i, (name, _) in enumerate(instructions()) if name == "USER")
    assert user < min(starts)


def test_commands_are_lists_and_nothing_is_fetched_by_hand():
    for name in ("ENTRYPOINT", "CMD", "VOLUME"):
        assert all(rest.startswith("[") for rest in rest_of(name))
    for run in rest_of("RUN"):
        assert not {"curl", "wget", "sudo", "chmod", "ADD"} & set(shlex.split(run))
        assert "pip install" not in run or "--no-cache-dir" in run
    assert rest_of("ADD") == [] and not [e for e in rest_of("ENV") if "SECRET" in e.upper()]


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    for copied in rest_of("COPY"):
        words = copied.split()
        if words[0].startswith("--from"):
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored
    assert ignored[0] == "*" and not any(fnmatch("data", name[1:]) for name in ignored[1:])


def test_the_program_knows_its_options(service):
    entry = yaml.safe_load(rest_of("ENTRYPOINT")[0])
    assert entry[:3] == ["python", "-m", "video.server"]
    for command in (yaml.safe_load(rest_of("CMD")[0]), service["command"]):
        args = _parser().parse_args([*entry[3:], *command])
        assert (args.host, args.port, str(args.data)) == ("0.0.0.0", 8000, "/data")
        assert (ROOT / str(args.model).removeprefix("/app/")).is_file()
    assert "8000/health" in rest_of("HEALTHCHECK")[0] and "--timeout" in rest_of("HEALTHCHECK")[0]


def test_the_container_can_do_little(service):
    assert service["user"] == "10001:10001" and service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] == service["memswap_limit"] == "2g" and service["pids_limit"] > 0
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    volumes = dict(volume.split(":", 1) for volume in service["volumes"])
    assert volumes["results"] == "/data" and volumes["./captioners"].endswith(":ro")
    assert service["tmpfs"][0].startswith("/tmp:")
    assert not {"privileged", "network_mode", "pid", "devices"} & set(service)


@pytest.mark.web
def test_hadolint_finds_nothing():
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [program, "--failure-threshold", "info", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
