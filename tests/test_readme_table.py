"""The README's table and docs/benchmarks.md are those of benchmarks/results."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tflbnn.errors import UserError

ROOT = Path(__file__).parent.parent
SOURCE = {"seed": 0, "cpu": "CPU", "versions": "x 1", "commit": "abc", "date": "2026-01-01", "command": "python x"}


@pytest.fixture
def readme_table(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import readme_table

    return readme_table


@pytest.fixture
def write(readme_table, monkeypatch, tmp_path):
    """Writes a result file into a folder of its own."""
    monkeypatch.setattr(readme_table.results, "RESULTS", tmp_path)

    def write_rows(name, *rows):
        readme_table.results.write(name, [row | SOURCE for row in rows])
        return tmp_path

    return write_rows


def whole(runtime, faster):
    columns = ("times_faster_than_lce_best", "times_faster_than_float")
    return {"network": "quicknet", "input": "8x8x3", "runtime": runtime, "median_ms": "2.5"} | dict.fromkeys(
        columns, faster
    )


def test_nothing_has_drifted():
    command = [sys.executable, ROOT / "benchmarks" / "readme_table.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_drift_is_noticed_and_mended(tmp_path):
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "converter.md", tmp_path / "docs")
    (tmp_path / "README.md").write_text((ROOT / "README.md").read_text().replace("QuickNet", "SlowNet"))
    command = [sys.executable, tmp_path / "benchmarks" / "readme_table.py"]
    drifted = subprocess.run([*command, "--check"], capture_output=True, text=True)
    assert drifted.returncode == 1
    assert "must show what is in benchmarks/results" in drifted.stderr
    assert subprocess.run(command).returncode == 0
    assert subprocess.run([*command, "--check"]).returncode == 0
    assert "| QuickNet |" in (tmp_path / "README.md").read_text()
    assert "QuickNet" in (tmp_path / "docs" / "benchmarks.md").read_text()


def test_the_best_kernel_and_the_second_thread(readme_table, write):
    write("whole_networks", whole("tflbnn avx512", "8.50"), whole("tflbnn avx2", "4.00"), whole("LCE, default", "0.1"))
    threads = {"network": "quicknet", "times_faster_with_2_threads": "1.90"}
    folder = write("delegate_threads", {"runtime": "tflbnn"} | threads, {"runtime": "LCE, best setting"} | threads)
    text = readme_table.generate(folder)
    assert "| QuickNet | 2.5 | 8.50 × | 8.50 × | 1.90 × |" in text
    assert "8 × 8 × 3, one thread, AVX-512, CPU" in text
    assert "4.00" not in text
    assert "2026-01-01, commit abc" in text


def test_parts_that_were_not_measured_have_no_line(readme_table, write):
    text = readme_table.generate(write("whole_networks", whole("tflbnn avx2", "4.00")))
    assert "| QuickNet | 2.5 | 4.00 × | 4.00 × |  |" in text
    assert "MAC/cycle" not in text
    assert "random networks" not in text


@pytest.mark.parametrize(("differs", "said"), [("0", "all bit for bit as Keras"), ("3", "3 differences from Keras")])
def test_agreement(readme_table, write, differs, said):
    write("whole_networks", whole("tflbnn avx2", "4.00"))
    rows = [("tflbnn avx2", differs, "7"), ("tflbnn each fusion alone", "0", "7"), ("LCE indirect", "2", "5")]
    columns = ("runtime", "differs", "equal")
    folder = write("agreement", *({"networks": "1000"} | dict(zip(columns, row, strict=True)) for row in rows))
    assert f"| 1,000 random networks, every kernel and fusion | {said} | LCE 5 |" in readme_table.generate(folder)


def test_the_page_names_constant_columns_once(readme_table, write):
    folder = write("mca", {"processor": "a", "tool": "x 9"}, {"processor": "b", "tool": "x 9"})
    text = readme_table.page(readme_table.read(folder))
    assert "| a |" in text
    assert "All rows: tool: x 9." in text
    assert "`python x`, 2026-01-01, commit abc, CPU. x 1." in text


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
    with pytest.raises(UserError, match="make benchmark-delegate"):
        readme_table.generate(tmp_path)
