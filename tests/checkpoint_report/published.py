"""What a report publishes: the numbers of its files."""

from csv import DictReader
from io import StringIO
from pathlib import Path
from typing import NamedTuple

Key = tuple[str, ...]
"""A file, what a line of it is about, and the measure."""


class Number(NamedTuple):
    """The least and the most of a number that is published, and what it is."""

    least: float | None
    most: float | None
    flag: str


class Published:
    """The numbers of the files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Read them."""
        self.numbers: dict[Key, Number] = {}
        for file in sorted(folder.glob("*.csv")):
            for line in DictReader(StringIO(file.read_text(encoding="utf-8"))):
                measure, keys = line["measure"], [*line]
                about = [line[key] for key in keys[: keys.index("measure")] if key != "center"]
                least, most = (float(line[end]) if line[end] else None for end in ("least", "most"))
                key = (file.stem, *about, measure)
                assert key not in self.numbers
                self.numbers[key] = Number(least, most, line["flag"])

    def of(self, file: str, measure: str) -> dict[Key, Number]:
        """Return the numbers of a measure in a file, by what they are about."""
        return {
            key[3:-1] if file not in {"trend", "events", "rejects"} else key[1:-1]: number
            for key, number in self.numbers.items()
            if key[0] == file and key[-1] == measure
        }

    def keys(self, file: str, measure: str) -> list[Key]:
        """Return the keys of a measure in a file."""
        return [key for key in self.numbers if key[0] == file and key[-1] == measure]


def check_truth(told: Number, true: Number) -> None:
    """What is told holds the truth; exact is the truth itself, days in whole ones."""
    (least, most, flag), (number, end, kind) = told, true
    if flag in {"suppressed", "none"} and least is None:
        return
    assert kind == "interval" or number == end
    assert flag in {"exact", "suppressed", "bounded", "interval"}
    if number is None or end is None:
        # There may be no share, where it is not told whether there is anything to have one of.
        assert kind == "none"
    else:
        assert least is None or least <= number + 0.5 * (flag == "exact") + 1e-6
        assert most is None or end <= most + 0.5 * (flag == "exact") + 1e-6
