"""The shape of the project: who imports whom, how long things are, and that the papers agree with the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from investigator.exits import MEANING, Exit

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "investigator"

PIPELINE = ("sources", "formats", "casefile", "correlate", "views", "rulebook", "diagnosis", "planning", "report")
#: They string the parts together, each knowing those before it.
JOBS = ("config", "scan", "tickets")
PURE = frozenset({"capacity", "catalog"})
COMMON = frozenset({"", "errors", "exits", "resources", "sqltext", "tomltext", "yamltext"})
PRINTERS = frozenset({"cli", "__main__"})
TERMINAL_LIBRARIES = frozenset({"rich", "click", "rich_click"})

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_SQL_WORDS = 10
SQL_START = re.compile(
    r"(?:^|[\n(;])\s*(?:SELECT|WITH\s+\w+\s+AS|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET"
    r"|CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+|TEMPORARY\s+)?(?:TABLE|VIEW|MACRO|INDEX))\s"
)

MODULES = sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    """The part a module belongs to: its sub-package, or the stem of a top-level module ("" for the package itself)."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every dotted name a module imports, with its line; relative imports are resolved."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def allowed(part: str) -> frozenset[str]:
    """The parts that a part may import."""
    if part == "catalog":
        return frozenset({part, "yamltext"})
    if part in PURE or part in {"errors", "exits"}:
        return frozenset({part, "exits"}) if part == "errors" else frozenset({part})
    if part in PIPELINE:
        return COMMON | PURE | frozenset(PIPELINE[: PIPELINE.index(part) + 1])
    if part in JOBS:
        return COMMON | PURE | frozenset(PIPELINE) | top_level() | frozenset(JOBS[: JOBS.index(part) + 1])
    if part in PRINTERS:
        return COMMON | PURE | frozenset(PIPELINE) | top_level() | frozenset(JOBS) | PRINTERS
    if part in COMMON:
        return COMMON
    # Modules beside the parts (the library's entry points) string the parts together; no part may know them.
    return COMMON | PURE | frozenset(PIPELINE) | top_level()


def top_level() -> frozenset[str]:
    return frozenset(part_of(path) for path in PACKAGE.glob("*.py")) - {"__main__"}


def test_imports_go_one_way() -> None:
    known = set(PIPELINE) | PURE | set(JOBS) | {"cli", "__main__"} | top_level()
    wrong = []
    for path in MODULES:
        part = part_of(path)
        for line, name in imported(path):
            if name.split(".")[0] != "investigator":
                continue
            second = [*name.split("."), ""][1]
            target = second if second in known else ""
            if target not in allowed(part) | {part}:
                wrong.append(f"{relative(path)}:{line}: {part or 'investigator'} must not import {target}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_is_a_known_part() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == {*PIPELINE, *PURE, *JOBS, "cli"}


def test_only_the_command_line_prints() -> None:
    wrong = []
    for path in MODULES:
        if part_of(path) in PRINTERS:
            continue
        wrong += [
            f"{relative(path)}:{line}: imports {name}"
            for line, name in imported(path)
            if name.split(".")[0] in TERMINAL_LIBRARIES
        ]
        wrong += [
            f"{relative(path)}:{node.lineno}: prints"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.expr) and writes_to_terminal(node)
        ]
    assert not wrong, "\n".join(wrong)


def writes_to_terminal(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "print"
    return (
        isinstance(node, ast.Attribute)
        and node.attr in {"stdout", "stderr"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def docstrings(module: ast.Module) -> set[int]:
    """Identities of the constants that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    }


def strings(module: ast.Module) -> Iterator[tuple[int, str]]:
    """String literals with their lines; an f-string is one literal with `_` for each value."""
    skip = docstrings(module)
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "_" for part in node.values]
            skip |= {id(part) for part in node.values}
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            yield node.lineno, node.value


def is_long_sql(text: str) -> bool:
    """SQL of more than a few words of its own. What a compiler puts into an f-string does not count."""
    own_words = [word for word in text.split() if word.strip("_,()")]
    return bool(SQL_START.search(text)) and len(own_words) > MAX_SQL_WORDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM frame", False),
        ("SELECT a, b, c, d FROM attempts WHERE a > 1 AND b < 2 ORDER BY c", True),
        ("INSERT INTO prompt_timing SELECT a, b, c FROM staged WHERE chunk = 1 AND d > 2", True),
        ("judged_ AS (SELECT *, CAST(_ AS BOOLEAN) AS _ FROM _)", False),
        ("SELECT _, _ AS after FROM attempts WHERE list_contains($ids, attempt_id) ORDER BY after LIMIT 1", True),
        ("only one SELECT is allowed here, and it must read from a declared view", False),
        ("the rule file has no key `with`, did you mean `where`? See the reference", False),
    ],
)
def test_the_heuristic_for_sql_knows_sql(text: str, expected: bool) -> None:
    assert is_long_sql(text) is expected


def test_sql_lives_in_sql_files() -> None:
    wrong = [
        f"{relative(path)}:{line}: SQL in a Python string: {text[:60]!r}"
        for path in MODULES
        for line, text in strings(tree(path))
        if is_long_sql(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_modules_stay_short() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert not {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES}


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end; the docstring does not count."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_functions_stay_short() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    wrong = [
        f"{relative(path)}:{node.lineno}: {node.name} has {function_lines(node)} lines"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, functions) and function_lines(node) > MAX_FUNCTION_LINES
    ]
    assert not wrong, "\n".join(wrong)


def test_importing_the_library_is_free() -> None:
    heavy = ["polars", "duckdb", "jinja2", "pydantic", "numpy", "rich", "click", "msgspec", "ruamel.yaml"]
    code = f"import sys, investigator; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_public_names_resolve() -> None:
    import investigator

    for name in investigator.__all__:
        assert getattr(investigator, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = investigator.nonsense


@pytest.mark.parametrize("code", list(Exit))
def test_readme_documents_exit_code(code: Exit) -> None:
    row = re.compile(rf"^\| {int(code)} \| {re.escape(MEANING[code])} \|$", re.MULTILINE)
    assert row.search((ROOT / "README.md").read_text(encoding="utf-8")), f"README's table lacks exit code {int(code)}"


def test_readme_mentions_every_command() -> None:
    click = pytest.importorskip("click")
    from investigator import cli

    if not (PACKAGE / "cli" / "__init__.py").read_text(encoding="utf-8"):
        pytest.skip("no command is written yet")
    group = getattr(cli, "main", None)
    if not isinstance(group, click.Group):
        group = next((value for value in vars(cli).values() if isinstance(value, click.Group)), None)
    assert group is not None, "investigator.cli offers no click group"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = group.list_commands(click.Context(group))
    assert commands
    assert not [name for name in commands if not re.search(rf"`(?:investigator )?{re.escape(name)}\b", readme)]


def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, object] = tomllib.load(file)["project"]
    return table


def test_version_is_the_same_everywhere() -> None:
    import investigator

    assert project()["version"] == investigator.__version__


def test_lock_names_every_dependency_and_no_server() -> None:
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    table = project()
    extras = table["optional-dependencies"]
    assert isinstance(extras, dict) and isinstance(table["dependencies"], list)
    wanted = [*table["dependencies"], *(item for items in extras.values() for item in items)]
    names = {re.split(r"[<>=!~\[ ;]", item, maxsplit=1)[0].lower().replace(".", "-") for item in wanted}
    assert names <= {name.lower().replace(".", "-") for name in pinned}
    assert not re.search(r"https?://|^--", lock, re.MULTILINE)


def test_no_file_names_the_machine_it_was_made_on() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=False, cwd=ROOT)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    wrong = [relative(path) for path in files if path.is_file() and str(ROOT).encode() + b"/" in path.read_bytes()]
    assert not wrong
