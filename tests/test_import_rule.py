"""The import rule: who may import whom, and a core without a world around it.

The rule is held twice. Reading the imports finds what any path through the code could use; importing
every module in a fresh interpreter finds what comes along with it.
"""

import ast
import functools
import importlib
import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# What each package may import besides itself and the standard library.
_EVENT_MODEL = {"msgspec"}
_FORMAT = _EVENT_MODEL | {"nacc_event_model", "polars"}
_QUERIES = _FORMAT | {"checkpoint_format"}
_CORE = _QUERIES | {"checkpoint_queries"}
_STORAGE = _FORMAT | {
    "checkpoint_core",
    "checkpoint_format",
    "boto3",
    "botocore",
    "mypy_boto3_s3",
    "pycurl",
    "urllib3",
}
ALLOWED = {
    # Only where Pydantic asks for it, which has loaded it then; a test of the event model shows that.
    "nacc_event_model": _EVENT_MODEL | {"pydantic_core"},
    "checkpoint_format": _FORMAT,
    "checkpoint_queries": _QUERIES,
    "checkpoint_core": _CORE,
    "checkpoint_storage": _STORAGE,
    "checkpoint_lambda": _CORE
    | {"checkpoint_core", "checkpoint_storage", "opentelemetry", "structlog"},
    "checkpoint_cli": _CORE
    | {"checkpoint_core", "checkpoint_storage", "duckdb", "rich", "typer"}
    | {"checkpoint_report"},
    "checkpoint_report": _CORE | {"jinja2", "markupsafe", "numpy", "scipy", "vl_convert"},
    "checkpoint_spark": _CORE | {"checkpoint_core", "checkpoint_storage", "pyspark"},
}
PACKAGES = list(ALLOWED)
PURE = ["nacc_event_model", "checkpoint_format", "checkpoint_queries", "checkpoint_core"]
FOLDERS = {
    name: ROOT / "packages" / name.removeprefix("nacc_").replace("_", "-") for name in PACKAGES
}

# Imported by some of our packages, and not for those that do not.
LIBRARIES = set().union(*ALLOWED.values()) - set(PACKAGES)

# What these import for themselves: the one where it is installed, the other its compiled part.
COMES_WITH = {
    "msgspec": {"typing_extensions"},
    "polars": {"_polars_runtime_32", "_polars_runtime_64", "_polars_runtime_compat"},
    "structlog": {"rich"},
}

# Standard modules that reach a clock, the network, a logger, chance, or another process.
IMPURE_MODULES = {
    "asyncio",
    "ftplib",
    "getpass",
    "http",
    "logging",
    "multiprocessing",
    "random",
    "secrets",
    "select",
    "selectors",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "time",
    "urllib",
    "uuid",
    "xmlrpc",
}
# Functions that do so, of modules that are otherwise pure.
IMPURE_NAMES = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "os": {"environ", "environb", "getenv", "getenvb", "getlogin", "urandom"},
}

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
before = set(sys.modules)
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
standard = set(sys.stdlib_module_names)
print(*sorted(root for root in roots - standard if not root.startswith("_sysconfigdata_")))
"""


def sources_of(package: str) -> list[Path]:
    """List a package's modules."""
    return sorted((FOLDERS[package] / "src" / package).rglob("*.py"))


def imported_roots(source: str) -> set[str]:
    """Name the top-level packages that a module imports absolutely, anywhere in it."""
    return {name.partition(".")[0] for name, _ in imports(ast.parse(source))}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Give each absolute import as (module, name), with an empty name for `import module`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, "") for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((module, alias.name) for alias in names)


def without_type_checking(tree: ast.Module) -> ast.Module:
    """Leave out what only a type checker reads: `if TYPE_CHECKING:` at the top, and all in it."""
    kept = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.Module(kept, type_ignores=[])


def impurities(source: str) -> set[str]:
    """Name what a module uses of the clock, the environment, the network, a logger or chance."""
    tree = ast.parse(source)
    found = set()
    for module, name in imports(tree):
        root = module.partition(".")[0]
        if root in IMPURE_MODULES or name in IMPURE_NAMES.get(root, ()):
            found.add(f"{module}.{name}".rstrip("."))
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(value=ast.Name(id=owner), attr=name)
                | ast.Attribute(value=ast.Attribute(attr=owner), attr=name)
            ) if name in IMPURE_NAMES.get(owner, ()):
                found.add(f"{owner}.{name}")
    return found


def project_of(package: str) -> dict[str, Any]:
    """Read the project table of a package's pyproject.toml."""
    text = (FOLDERS[package] / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


@functools.cache
def providers() -> Mapping[str, list[str]]:
    """Name the distributions of each import name; looking at all of them takes long."""
    return importlib.metadata.packages_distributions()


def distributions_of(root: str) -> set[str]:
    """Name the distributions that may provide an import name, in their canonical form."""
    if root in FOLDERS:
        return {project_of(root)["name"]}
    names = providers().get(root, [])
    return {canonicalize_name(name) for name in names}


@functools.cache
def third_party_after_importing(package: str) -> frozenset[str]:
    """Import all of a package in a fresh interpreter and name what else is loaded then."""
    completed = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_EVERYTHING, package],
        capture_output=True,
        check=False,
        text=True,
    )
    assert completed.returncode == 0, completed.stderr
    return frozenset(completed.stdout.split()) - {package}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_modules_to_look_at(package: str) -> None:
    """The tests below do not pass by finding nothing."""
    assert len(sources_of(package)) > 1


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    """Nobody imports what stands beside or above it; the core has no AWS client and no logger."""
    allowed = ALLOWED[package] | {package} | set(sys.stdlib_module_names)

    forbidden = {
        path.name: outside
        for path in sources_of(package)
        if (outside := imported_roots(path.read_text(encoding="utf-8")) - allowed)
    }

    assert {} == forbidden


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_reaches_no_clock_environment_network_or_chance(
    package: str,
) -> None:
    """What it needs of the world is passed in, so a test can decide it."""
    impure = {
        path.name: found
        for path in sources_of(package)
        if (found := impurities(path.read_text(encoding="utf-8")))
    }

    assert {} == impure


@pytest.mark.parametrize(
    "source",
    [
        "import logging",
        "import logging.config",
        "from urllib import request",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\nx = datetime.datetime.now",
        "import datetime\ndatetime.date.today()",
        "import os\nos.environ['X']",
        "import os\nos.urandom(8)",
        "from os import environ",
        "def f():\n    import time",
        "import uuid",
        "import random",
        "import secrets",
        "import socket",
    ],
)
def test_a_module_that_reaches_for_the_world_is_noticed(source: str) -> None:
    """The reading of the imports sees each way of reaching a clock, a logger and so on."""
    assert impurities(source)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime, time, timedelta\ndatetime.fromtimestamp(0, UTC)",
        "import os\nos.fspath(path)",
        "from . import time",
        "self.clock.now()",
    ],
)
def test_a_module_that_is_given_what_it_needs_is_pure(source: str) -> None:
    """The reading of the imports does not cry wolf."""
    assert set() == impurities(source)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_brings_along_nothing_else(package: str) -> None:
    """In a fresh interpreter, every module imported: no sibling that is not needed, in no way.

    Libraries bring along their own, which for the pure packages are known by name.
    """
    loaded = third_party_after_importing(package)
    siblings = ALLOWED[package] & ALLOWED.keys()
    allowed = ALLOWED[package].union(*(ALLOWED[sibling] for sibling in siblings))
    allowed |= set().union(*(COMES_WITH.get(name, ()) for name in allowed))

    assert loaded & (set(PACKAGES) | LIBRARIES) <= allowed
    if package in PURE:
        assert loaded <= allowed


def test_importing_the_function_brings_along_what_it_is_made_of() -> None:
    """The look into a fresh interpreter does see what is imported."""
    assert third_party_after_importing("checkpoint_lambda") >= {
        "botocore",
        "checkpoint_core",
        "checkpoint_format",
        "checkpoint_queries",
        "checkpoint_storage",
        "nacc_event_model",
        "structlog",
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_uses_only_what_is_public_in_another(package: str) -> None:
    """No name and no module that begins with an underscore crosses from one package to another."""
    private = {
        f"{path.name}: {module}.{name}"
        for path in sources_of(package)
        for module, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if module.partition(".")[0] in FOLDERS.keys() - {package}
        and any(
            part.startswith("_") and not part.startswith("__")
            for part in f"{module}.{name}".split(".")
        )
    }

    assert set() == private


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_declares_each_distribution_that_it_imports(package: str) -> None:
    """Nothing is used that only happens to be installed by somebody else's dependency."""
    project = project_of(package)
    extras = project.get("optional-dependencies", {}).values()
    requirements = chain(project["dependencies"], *extras)
    declared = {canonicalize_name(Requirement(requirement).name) for requirement in requirements}
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in sources_of(package))
    roots = {
        name.partition(".")[0] for tree in trees for name, _ in imports(without_type_checking(tree))
    }

    undeclared = {
        root
        for root in roots - {package} - set(sys.stdlib_module_names)
        if not declared & distributions_of(root)
    }

    assert set() == undeclared


def test_the_infrastructure_imports_no_package() -> None:
    """infra/ refers to built artifacts by path, so that it deploys what was built."""
    imported = {
        path.name: roots
        for path in (ROOT / "infra").rglob("*.py")
        if (roots := imported_roots(path.read_text(encoding="utf-8")) & FOLDERS.keys())
    }

    assert {} == imported


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "checkpoint_cli"])
def test_a_library_says_in_its_init_what_it_is_and_what_it_offers(package: str) -> None:
    """`__init__` has a docstring and a static `__all__`, and runs nothing.

    It may leave names to be loaded when they are asked for; a type checker has them at once.
    """
    path = FOLDERS[package] / "src" / package / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)
    offers = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(offers) == 1
    assert offers[0]
    assert [] == [name for name in offers[0] if not hasattr(importlib.import_module(package), name)]
    runs = [
        ast.unparse(node)
        for node in tree.body[1:]
        if not isinstance(node, ast.Assign | ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    assert [] == runs
