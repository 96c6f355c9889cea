"""What the README and the page about the format say is so."""

import doctest
import re
from pathlib import Path
from typing import Any

import nacc_event_model
from nacc_event_model import (
    EventFormat,
    VisitEvent,
    VisitEventV11,
    _codec,
    _failures,
    _rules,
    _syntax,
    json_schema,
)
from nacc_event_model._rules import field_rules
from tests.event_model.test_refusals import DOCUMENTS

ROOT = Path(__file__).parents[2]
README = ROOT / "packages" / "event-model" / "README.md"
EVENT_FORMAT = (ROOT / "docs" / "event-format.md").read_text(encoding="utf-8")


def test_the_examples_of_the_readme_are_real() -> None:
    """Each one runs, and prints what it is shown to print."""
    text = re.sub(r"^```.*$", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, README.name, str(README), 0)
    said: list[str] = []

    results = doctest.DocTestRunner().run(examples, out=said.append)

    assert [] == said
    assert results.failed == 0
    assert results.attempted > 5


def test_the_table_of_fields_is_the_codes() -> None:
    """Every field of both formats with its rule, word for word, and no other row."""
    rules, rules_v11 = field_rules(VisitEvent), field_rules(VisitEventV11)
    properties = json_schema(EventFormat.V1_1)["properties"]
    rows = [
        f"| `{name}` | {_meaning(properties[name])} | {rules.get(name, '-')} | "
        f"{rule if rule != rules.get(name) else 'as 1.0'} |"
        for name, rule in rules_v11.items()
    ]

    fields = EVENT_FORMAT.partition("\n## Fields\n")[2].partition("\n## ")[0]
    assert rows == re.findall(r"^\| `[a-z_]+` \|.*$", fields, re.MULTILINE)


def _meaning(field: dict[str, Any]) -> str:
    """Return what a field is, with its examples."""
    examples = " or ".join(", ".join(field.get("examples", [])).rsplit(", ", 1))
    return f"{field['title']}, such as {examples}" if examples else str(field["title"])


def test_the_sentences_about_documents_are_the_codes() -> None:
    """Those that name no field, the limits, and the example of a rule."""
    sentences = {rule for _, rule in DOCUMENTS.values()}
    sentences |= {_rules.MISSING, f"ptid: {field_rules(VisitEvent)['ptid']}"}
    others = [*_syntax.COMPRESSIONS.values(), "UTF-32"]
    documented = re.sub(" at byte [0-9]+", "", EVENT_FORMAT)

    assert [] == [
        sentence
        for sentence in sentences
        if f"`{re.sub(' at byte [0-9]+', '', sentence)}`" not in documented
        and not any(f"{other}" in sentence and f"{other}" in documented for other in others)
    ]
    assert f"at most {_codec.MAX_SIZE_BYTES:,} bytes" in EVENT_FORMAT
    assert f"at most {_failures.MAX_DEPTH} levels" in EVENT_FORMAT


def test_everything_that_is_offered_can_be_imported_and_is_explained() -> None:
    """`__all__` names what there is, and nothing in it is without a docstring."""
    for name in set(nacc_event_model.__all__) - {"__version__", "RULES_VERSION", "AnyVisitEvent"}:
        assert getattr(nacc_event_model, name).__doc__


def test_the_version_of_the_rules_is_a_text() -> None:
    """Consumers keep it beside what they refused, and compare."""
    assert nacc_event_model.RULES_VERSION == "2"
