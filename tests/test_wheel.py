"""The built wheel carries its data and works in another folder, in another environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "investigator"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def test_wheel_carries_all_data(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    data = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert not {path.relative_to(ROOT).as_posix() for path in data} - inside
    for source, target in (("rules", "rules"), ("fixtures/founding-incident", "fixtures/founding-incident")):
        files = [path.relative_to(ROOT / source).as_posix() for path in (ROOT / source).rglob("*") if path.is_file()]
        missing = [name for name in files if f"investigator/_data/{target}/{name}" not in inside]
        assert files and not [name for name in missing if "__pycache__" not in name]


def test_installed_wheel_finds_its_data(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "from investigator.resources import fixture_dir, rules_dir; print(rules_dir()); print(fixture_dir())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
    )
    assert [Path(line).is_relative_to(site) for line in done.stdout.split()] == [True, True]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin/` of a new environment with the wheel in it. The dependencies are borrowed, so no network is needed."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=True)
    subprocess.run(
        [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True
    )
    borrowed = sysconfig.get_path("purelib")
    site = next((home / "lib").glob("python*/site-packages"))
    # A path line alone: .pth files of the borrowed folder, the editable install among them, are not followed.
    (site / "borrowed.pth").write_text(borrowed + "\n", encoding="utf-8")
    return home / "bin"


@pytest.mark.slow
def test_installed_program_runs_its_demo_elsewhere(installed: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = [str(installed / "investigator"), "demo", "-o", str(report)]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "146,760" in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_installed_program_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import investigator; print(investigator.__file__)"
    done = subprocess.run([installed / "python", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)
