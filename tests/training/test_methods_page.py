"""The page of methods says what is run, and each method's docstring where it comes from."""

import ast
import re
from pathlib import Path

import pytest

from training.adaptation import METHODS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
SOURCES = (
    *("adabn", "adda", "advent", "anil", "class_mix", "coral", "dann", "discriminators", "fda", "few_shot"),
    *("groupdro", "irm", "maml", "moments", "priors", "rare_classes", "self_training", "style", "tent"),
)
"""Files that follow a paper; the others are what they share."""


def rows():
    """Cells of the table of methods, by name."""
    lines = [line for line in PAGE.splitlines() if re.match(r"\| `\w+` \| [\d.]+ \|", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].strip("`"): cell[1:4] for cell in cells}


def test_the_page_has_each_method_as_it_is_run():
    told = {
        name: [f"{entry.weight:g}", f"{entry.alpha:g}", "yes" if entry.is_candidate else ""]
        for name, entry in METHODS.items()
    }
    assert rows() == told


@pytest.mark.parametrize("name", SOURCES)
def test_each_method_tells_its_paper(name):
    tree = ast.parse((ROOT / "training" / "adaptation" / f"{name}.py").read_text(encoding="utf-8"))
    docstrings = [
        ast.get_docstring(node) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    ]
    sources = [text.split("Source:")[1] for text in docstrings if "Source:" in text]
    assert sources
    assert all(re.search(r"(19|20)\d\d", source) for source in sources), "a paper has a year"


def test_papers_of_the_page_are_those_of_the_docstrings():
    files = (ROOT / "training" / "adaptation").glob("*.py")
    cited = set(re.findall(r"arXiv:(\d{4}\.\d{5})", "".join(each.read_text("utf-8") for each in files)))
    assert set(re.findall(r"arxiv\.org/abs/(\d{4}\.\d{5})", PAGE)) == cited - {
        "1511.06434"
    }  # DCGAN's network
