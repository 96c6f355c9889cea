"""The sections of a report: of each its finding, its charts, its tables and its definitions."""

from msgspec import Struct

from checkpoint_report._charts.drawing import Chart
from checkpoint_report._sections.sheets import Sheet

__all__ = ["Picture", "Section", "capital", "joined", "of_things"]


class Picture(Struct, frozen=True, kw_only=True):
    """A chart with its name as a file, and what it shows, in words."""

    name: str
    shows: str
    chart: Chart


class Section(Struct, frozen=True, kw_only=True):
    """One question and its answer; without a chart where there is nothing to draw.

    A definition is in the words of the page; what stands between backticks is code. The `questions`
    are those of `checkpoint_queries` that define exactly what is counted.
    """

    anchor: str
    title: str
    finding: str
    pictures: tuple[Picture, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    definitions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def explanations(self) -> tuple[str, ...]:
        """The definitions, and where the exact ones are."""
        asked = [f"`nacc-checkpoint query {name}`" for name in self.questions]
        if not asked:
            return self.definitions
        are = "definition is that" if len(asked) == 1 else "definitions are those"
        return (*self.definitions, f"The exact {are} of {joined(asked)}.")


def capital(text: str) -> str:
    """Return the text as it begins a sentence."""
    return text[:1].upper() + text[1:]


def joined(parts: list[str]) -> str:
    """Return the parts as a sentence lists them."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def of_things(words: str, one: str, many: str) -> str:
    """Return a number in words with what it is of."""
    return f"{words} {one if words == '1' else many}"
