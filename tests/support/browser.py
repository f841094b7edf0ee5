"""A real headless Chromium, driven over its DevTools protocol, as little of it as tests need."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRE = "TEXTCENTRIC_REQUIRE_BROWSER"
PATIENCE = 60.0  # seconds
FLAGS = """--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --remote-debugging-port=0""".split()


def chromium() -> str:
    """Return the browser on PATH; without one skip, or fail where `REQUIRE` is set to 1."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    told = f"no browser on PATH (looked for {', '.join(NAMES)})"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{told}, and {REQUIRE}=1 asks for one; install the package chromium")
    pytest.skip(told)


class Page:
    """One tab: what it shows, what it asked for, and what went wrong in it."""

    def __init__(self, connection: ClientConnection):
        self._connection = connection
        self._numbers = itertools.count(1)
        self._session = ""
        self.requests: list[str] = []  # addresses
        self.problems: list[str] = []  # errors and warnings of the console, uncaught exceptions
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")

    def open(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Open the file in a window of this size (CSS pixels) and wait until it has loaded."""
        self.go(path.as_uri(), width, height)

    def go(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Open an address in a window of this size (CSS pixels) and wait until it has loaded."""
        self.resize(width, height)
        answer = self._call("Page.navigate", url=address)
        assert "errorText" not in answer, answer["errorText"]
        until = time.monotonic() + PATIENCE
        while self.evaluate("document.readyState") != "complete":
            assert time.monotonic() < until, f"{address} did not load within {PATIENCE:.0f} s"
            time.sleep(0.02)

    def press(self, key: str, *, control: bool = False) -> None:
        """Press and release a key."""
        pressed: dict[str, Any] = {"key": key, "modifiers": 2 if control else 0}
        if (
            key == "Enter" and not control
        ):  # a button is pressed by the letter, which no other key here needs
            pressed |= {"text": "\r", "windowsVirtualKeyCode": 13}
        self._call(
            "Input.dispatchKeyEvent",
            type="keyDown" if "text" in pressed else "rawKeyDown",
            **pressed,
        )
        self._call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def prefer(self, scheme: str) -> None:
        """Show pages in `scheme`: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", features=[feature])

    def resize(self, width: int, height: int) -> None:
        """Make the window `width` x `height` CSS pixels; up to 500 wide it is a phone."""
        phone = width <= 500
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1}
        self._call("Emulation.setDeviceMetricsOverride", **size, mobile=phone)

    def evaluate(self, code: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self._call("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of the first element that fits."""
        x, y = self.evaluate(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " found.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const box = found.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self._call("Input.dispatchMouseEvent", type=kind, **place)

    def shown(self, selector: str) -> int:
        """Return how many elements that fit take room on the page."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return int(self.evaluate(f"{found}.filter((one) => one.getClientRects().length).length"))

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return int(self.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page; for looking at it, no test needs it."""
        picture = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._connection.send(json.dumps(message))
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        """Read one message and note what it tells."""
        message = dict(json.loads(self._connection.recv(timeout=PATIENCE)))
        event, about = message.get("method", ""), message.get("params", {})
        if event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(about["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.problems.append(json.dumps(about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.problems.append(about["entry"]["text"])
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Start a browser with an empty profile in `profile` and give one tab of it."""
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(profile, process), max_size=None, proxy=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the browser listens, as it writes it into its profile."""
    file = profile / "DevToolsActivePort"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        assert process.poll() is None, f"the browser ended with {process.returncode}"
        time.sleep(0.05)
    raise TimeoutError(f"the browser did not listen within {PATIENCE:.0f} s")
