import json

import pytest

from tflbnn import networks
from tflbnn.cli import main


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(["list", "networks", *arguments])
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_zoo_fits_the_terminal(capsys, monkeypatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = listed(capsys)
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out
    words = {word.rstrip("*") for word in out.split()}
    assert words >= set(networks.NAMES)


def test_what_is_counted_stands_beside_what_is_published(capsys) -> None:
    rows = {row["name"]: row for row in json.loads(listed(capsys, "--json"))["listings"]["networks"]}
    assert list(rows) == networks.NAMES
    row = rows["binary_densenet45"]
    assert (row["size"], row["published size"], row["published accuracy"]) == ("7.35 MiB", "7.4 MiB", "63.7 % ImageNet")
    assert row["operations"].endswith("\N{NO-BREAK SPACE}M")
    assert rows["resnet18"]["parameters"] == "11.7\N{NO-BREAK SPACE}M"
    assert all(row["parameters"] != "-" for row in rows.values())
