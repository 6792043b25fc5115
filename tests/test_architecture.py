"""The rules of the layout, proved: who imports whom, what a module may be called and how long.

The import contracts stand in pyproject.toml. The purity of `streaming.core` is shown here a second
time by other means, because everything else leans on it.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("server", "streaming", "offline", "loadtest", "clients/py")
MAX_LINES = 450

CORE_MAY_IMPORT = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "bisect",
        "collections",
        "dataclasses",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "math",
        "numpy",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
        "unicodedata",
    }
)
"""No clock, no randomness, nothing that reaches outside the process."""

CORE_MAY_NOT_CALL = frozenset({"__import__", "eval", "exec", "input", "open", "print"})

COMMANDS = frozenset(
    {
        "server/cli.py",
        "clients/py/trax_client/__main__.py",
        "clients/py/trax_client/cli.py",
    }
)
"""Modules whose output is read by people; loadtest, which consists of commands, comes on top."""

EMPTY_NAMES = frozenset(
    {
        "common",
        "data",
        "handle",
        "handler",
        "helper",
        "helpers",
        "manager",
        "misc",
        "process",
        "util",
        "utils",
    }
)
"""Names that say nothing about what is inside."""

MACHINE_PATH = re.compile(r"""(?<![\w./~:-])/(?:home|Users|root|work|tmp|mnt)/\w""")


def _modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if not {"build", "node_modules"} & set(path.parts))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=_name(path))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.ImportFrom():
                yield "." * node.level + (node.module or "")


def _called(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield name, node.lineno


@pytest.mark.slow
def test_imports_keep_to_the_contracts() -> None:
    # In a process of its own: import-linter configures logging, and so silences existing loggers.
    check = "from importlinter.cli import lint_imports as l; exit(l(no_cache=True, no_logo=True))"
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_every_package_is_under_the_contracts() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    shipped = configuration["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert set(shipped) < set(configuration["importlinter"]["root_packages"])


def test_core_imports_only_itself_numpy_and_harmless_parts_of_the_standard_library() -> None:
    strangers = {
        f"{_name(path)}: {module}"
        for path in _modules("streaming/core")
        for module in _imported(_tree(path))
        if module.split(".")[0] not in CORE_MAY_IMPORT
        and not module.startswith("streaming.core.")
        and module != "streaming.core"
    }

    assert not strangers


def test_core_calls_nothing_that_reaches_outside_the_process() -> None:
    calls = {
        f"{_name(path)}:{line}: {name}"
        for path in _modules("streaming/core")
        for name, line in _called(_tree(path))
        if name in CORE_MAY_NOT_CALL
    }
    randomness = {
        _name(path)
        for path in _modules("streaming/core")
        if re.search(r"\b(?:np|numpy)\.random\b", path.read_text(encoding="utf-8"))
    }

    assert not calls
    assert not randomness


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        _name(path) for path in _modules(*CODE, "tests") if not ast.get_docstring(_tree(path))
    ]

    assert not silent


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lines = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _modules(*CODE)
    }

    assert not {name: count for name, count in lines.items() if count > MAX_LINES}


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in _modules("server", "streaming", "offline", "tests")}

    assert not [_name(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_only_commands_print() -> None:
    printing = {
        f"{_name(path)}:{line}"
        for path in _modules("server", "streaming", "offline", "clients/py")
        if _name(path) not in COMMANDS
        for name, line in _called(_tree(path))
        if name == "print"
    }

    assert not printing


def test_module_names_say_what_is_inside() -> None:
    stems = {_name(path): path.stem for path in _modules(*CODE)}

    assert not [
        name
        for name, stem in stems.items()
        if stem in EMPTY_NAMES or stem.startswith("new_") or stem.endswith(("_impl", "_v2"))
    ]


def test_nothing_names_a_path_of_one_machine() -> None:
    files = [*_modules(*CODE, "tests"), *ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    files += [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "requirements").iterdir()]

    named = {
        f"{_name(path)}:{number}: {found[0]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := MACHINE_PATH.search(line))
    }

    assert not named
