"""docs/robustness.md names tests that exist; a case without its proof would go stale."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "robustness.md").read_text("utf-8")


def functions(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / name).read_text("utf-8"), name)
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_case_names_a_test_that_exists():
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and "| test |" not in line]
    proofs = [re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row) for row in rows]
    assert len(rows) > 40 and all(proofs)
    assert not [proof[2] for proof in proofs if proof and proof[2] not in functions(proof[1])]


def test_every_odd_case_that_is_tested_is_told():
    told = set(re.findall(r"::(test_\w+)`", TEXT))
    aside = {
        "test_a_reference_to_another_file_inside_a_film_is_not_followed",
        "test_a_bug_in_captioning_keeps_its_traceback",
    }
    tested = {
        f
        for name in ("test_robust.py", "test_hostile.py")
        for f in functions(name)
        if f.startswith("test_")
    }
    assert tested - told == aside
