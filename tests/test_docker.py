"""Dockerfile and compose file: parsed, and held to what docs/server.md promises."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from video.server.__main__ import _parser

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Container:
    """A folder that stands for a container, and what is elsewhere in it."""

    root: Path
    places: dict[str, str]

    @property
    def place(self) -> dict:
        """Where its processes run, with the variables that the Dockerfile sets."""
        text = " ".join(rest_of("ENV")).replace("/venv", f"{self.root}/venv")
        own = dict(word.split("=", 1) for word in shlex.split(text))
        path = own["PATH"].replace("$PATH", os.environ["PATH"])
        return {"cwd": self.root / "app", "env": {**own, "PATH": path, "LANG": "C.UTF-8"}}

    def here(self, words: Sequence[str]) -> list[str]:
        """A command of the Dockerfile, as it is in the folder."""
        found = [str(self.root / "venv" / "bin" / words[0])]
        for word in words[1:]:
            for there, here in self.places.items():
                word = word.replace(there, here)
            found.append(word)
        return found


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


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Container:
    """What the Dockerfile makes, made in a folder by its own commands."""
    root = tmp_path_factory.mktemp("container")
    for run in rest_of("RUN")[:1]:  # the other one makes the user
        command = run.replace("python -m venv", f"{shlex.quote(sys.executable)} -m venv")
        command = command.replace("/tmp/", f"{ROOT}/").replace("/venv", f"{root}/venv")
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    for copied in rest_of("COPY"):
        source, target = copied.split()[-2:]
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, root / "app" / target)
    (root / "data").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"0.0.0.0": "127.0.0.1", "/app/": f"{root}/app/", "/data": f"{root}/data"}
    return Container(root, {**places, "8000": str(port)})


@pytest.mark.web
def test_its_commands_start_the_service_in_an_empty_environment(container):
    before = {path for path in container.root.rglob("*") if "data" not in path.parts}
    words = yaml.safe_load(rest_of("ENTRYPOINT")[0]) + yaml.safe_load(rest_of("CMD")[0])
    check = yaml.safe_load(rest_of("HEALTHCHECK")[0].split("CMD", 1)[1])
    with (container.root / "data" / "log").open("w") as log:
        running = subprocess.Popen(container.here(words), **container.place, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 90
            while subprocess.run(
                container.here(check), **container.place, capture_output=True, check=False
            ).returncode:
                said = (container.root / "data" / "log").read_text("utf-8")
                assert running.poll() is None and time.monotonic() < deadline, said
                time.sleep(0.5)
        finally:
            running.terminate()
            running.wait(30)
    after = {path for path in container.root.rglob("*") if "data" not in path.parts}
    assert after == before  # the root of a container is read-only
