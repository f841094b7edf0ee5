"""Whoever trusts a folder is shown every host, variable, path and model that it names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textcentric.errors import RunError, TrustError
from textcentric.security.brought import brought, trust_folder
from textcentric.security.trust import is_trusted, need_word

ADDRESS = "http://collector.example:8000/v1"
SENT = "sends the environment variable PRIVATE_KEY"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "received").mkdir()
    return tmp_path / "received"


@pytest.mark.parametrize(
    "text",
    [
        f"engine_settings:\n  base_url: {ADDRESS}\n  headers: {{X-A: $PRIVATE_KEY}}\n",
        f"--- {{base_url: '{ADDRESS}', engine_settings: {{headers: {{X-A: '${{PRIVATE_KEY}}'}}}}}}",
        f"engine_settings:\n  headers:\n    X-A: >-\n      a $PRIVATE_KEY\n  base_url: {ADDRESS}",
        f"? base_url\n: {ADDRESS}\n? engine_settings\n: ? headers\n  : {{X-A: $PRIVATE_KEY}}",
        f'"base\\u005furl": {ADDRESS}\n"engine_settings": {{"headers": {{"X-A": "$PRIVATE_KEY"}}}}',
    ],
)
def test_addresses_and_variables_are_shown_however_they_are_written(
    folder: Path, text: str
) -> None:
    (folder / "run.yaml").write_text(text)
    said = brought(folder)
    assert any("base_url = " in line and ADDRESS in line for line in said)
    assert any(line.endswith(SENT) for line in said)


def test_each_value_has_a_line_of_its_own(folder: Path) -> None:
    values = {"model": "owner/a\nrun.yaml: nothing", "data_dir": "/home", "limit": 3, "reuse": None}
    (folder / "run.yaml").write_text(json.dumps({**values, "image_expert": ["./a", "owner/b"]}))
    assert brought(folder) == [
        "run.yaml: model = owner/a[U+000A]run.yaml: nothing",
        "run.yaml: data_dir = /home",
        "run.yaml: image_expert.0 = ./a",
        "run.yaml: image_expert.1 = owner/b",
    ]


@pytest.mark.parametrize(
    "address",
    [
        f"http://{'a' * 300}@collector.example:8000/{'b' * 300}",
        f"{' ' * 200}collector.example:8000/v1{'/' * 300}",
        f"{'.' * 200}/v1 http://collector.example:8000 {'/' * 300}",
    ],
)
def test_no_padding_hides_a_host_or_a_variable(folder: Path, address: str) -> None:
    headers = {"X-A": f"{'x' * 300} $PRIVATE_KEY {'x' * 300}"}
    said = {"base_url": address, "engine_settings": {"headers": headers}}
    (folder / "run.yaml").write_text(json.dumps(said))
    with pytest.raises(TrustError) as refused:
        need_word(folder, said)
    for lines in (brought(folder), str(refused.value).split("\n")):
        assert any("host collector.example:8000)" in line for line in lines)
        assert any(line.endswith(SENT) for line in lines)
        assert max(map(len, lines)) < 300


def test_hosts_come_before_whatever_else_is_said(folder: Path) -> None:
    many = {f"a{n}_model": "owner/name" for n in range(500)}
    (folder / "config.json").write_text(json.dumps({**many, "x": {"y": [{"z": ADDRESS}]}}))
    said = brought(folder)
    assert said[0] == f"config.json: x.y.0.z = {ADDRESS}"
    assert said[-1] == "config.json: and 400 more"


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100 + "]" * 100, "\udcff", json.dumps([f"http://{n}.example" for n in range(101)])],
)
@pytest.mark.parametrize("name", ["run.yaml", "config.json"])
def test_what_nobody_can_look_at_is_not_trusted(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(TrustError, match=rf"{name}: it .*, so nobody can see what it brings"):
        trust_folder(folder)
    assert not is_trusted(folder)


def test_a_folder_is_trusted_once_it_was_shown(folder: Path) -> None:
    (folder / "run.yaml").write_text(f"base_url: {ADDRESS}\n")
    (folder / "modeling.py").write_text("import os\n")
    assert trust_folder(folder) == [
        f"{folder} is trusted as it stands",
        "  modeling.py: code, which runs where a model needs it",
        f"  run.yaml: base_url = {ADDRESS}",
    ]
    assert is_trusted(folder)
    (folder / "link").symlink_to("/")
    with pytest.raises(RunError, match="is a link"):
        trust_folder(folder)
