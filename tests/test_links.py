"""Every relative link of a document leads to a file, and to a heading of it where it names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("packages/*/README.md")]


def anchors(document: Path) -> set[str]:
    """Return the names that the headings of a document give it."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    """Those to other sites are not followed."""
    text = document.read_text(encoding="utf-8")
    lost = [
        (name, anchor)
        for name, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text)
        if not (target := document.parent / name if name else document).exists()
        or (anchor and anchor not in anchors(target))
    ]

    assert [] == lost


def test_there_are_links() -> None:
    """The test above does not pass by finding nothing."""
    assert len(DOCUMENTS) > 6
    assert sum("](" in document.read_text(encoding="utf-8") for document in DOCUMENTS) > 3
