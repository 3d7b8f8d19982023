"""Pages of docs/: the generated ones are up to date; links and module paths exist."""

import re
from pathlib import Path

import pytest

from tools.docs import DOCS, PAGES

pytestmark = [pytest.mark.no_coverage, pytest.mark.short]
ROOT = Path(__file__).parents[1]
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
"""Every page that people read."""
RECORDS = DOCS / "decisions"
"""Records keep the names of their time; 0070 maps them to those of today."""


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_page_equals_what_the_code_says(name):
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "Run `make docs` and commit the difference."


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    local = [target for target in targets if not re.match(r"https?:|mailto:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    "page", [page for page in WRITTEN if RECORDS not in page.parents], ids=lambda page: str(page.relative_to(ROOT))
)
def test_named_modules_exist(page):
    """Paths under `app/`, `tests/` and `tools/`. `*` matches at least one file; a name in capitals is a placeholder."""
    named = set(re.findall(r"\b(?:app|tests|tools)/[\w./*-]*\w", page.read_text("utf-8")))
    assert [path for path in sorted(named) if not re.search(r"/[A-Z]{3,}", path) and not any(ROOT.glob(path))] == []
