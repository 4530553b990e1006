"""The README's tables are those of benchmarks/results."""

import subprocess
import sys
from pathlib import Path

import pytest

from tflbnn.errors import UserError

ROOT = Path(__file__).parent.parent
SOURCE = {"seed": 0, "cpu": "a CPU", "versions": "", "commit": "abc", "date": "2026-01-01", "command": "python x"}


@pytest.fixture
def readme_table(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import readme_table

    return readme_table


def test_the_readme_has_not_drifted():
    command = [sys.executable, ROOT / "benchmarks" / "readme_table.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_agreement_counts(readme_table, monkeypatch, tmp_path):
    monkeypatch.setattr(readme_table.results, "RESULTS", tmp_path)
    verdicts = [("equal", ""), ("differs", "dilation"), ("differs", "dilation"), ("refused", "groups")]
    readme_table.results.write(
        "agreement", [{"LCE default": verdict, "LCE default: cause": why} | SOURCE for verdict, why in verdicts]
    )
    text = readme_table.generate(tmp_path)
    assert "| LCE default | 1 | 2 | 1 | 2 × dilation; 1 × groups |" in text
    assert "4 random networks" in text
    assert "`python x`, 2026-01-01, commit abc" in text


def test_only_what_is_between_the_markers_changes(readme_table):
    readme = f"above\n{readme_table.BEGIN}\nold\n{readme_table.END}\nbelow\n"
    new = readme_table.replaced(readme, "new")
    assert new == f"above\n{readme_table.BEGIN}\nnew\n{readme_table.END}\nbelow\n"
    assert readme_table.replaced(new, "new") == new


@pytest.mark.parametrize("readme", ["", "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"])
def test_markers_are_needed(readme_table, readme):
    with pytest.raises(UserError, match="must have the lines"):
        readme_table.replaced(readme, "new")


def test_results_are_needed(readme_table, tmp_path):
    with pytest.raises(UserError, match="make benchmark"):
        readme_table.generate(tmp_path)
