"""Chromium without a window, spoken to over two pipes in the language of its developer tools."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_S = 60.0
# the browser reads from descriptor 3 and writes to 4
_LAUNCH = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium() -> str:
    """The program; `.ci/run` installs it, and then it must be there. POSIX only: pipes are handed on."""
    path = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    if path is None or os.name != "posix":
        if "IENFD_REQUIRE_CHROMIUM" in os.environ:
            pytest.fail("chromium is not there")
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    return path


class Page:
    """A page in a browser of its own, with all that it asks of the network and complains of.

    Parameters
    ----------
    profile : Path
        An empty folder for the browser's files.
    """

    def __init__(self, profile: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._number, self._buffer, self._session = 0, b"", ""
        reading, their_output = os.pipe()
        their_input, self._writing = os.pipe()
        self._reading = reading
        options = [
            "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,1000", f"--user-data-dir={profile}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # it does not start as root otherwise
            "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(their_input), str(their_output), find_chromium(), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(their_input, their_output), start_new_session=True,
        )  # fmt: skip
        os.close(their_input)
        os.close(their_output)

    def __enter__(self) -> Page:
        try:
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.ask(f"{domain}.enable")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        os.killpg(self._process.pid, signal.SIGKILL)  # with its own helpers, and nobody else
        self._process.wait()
        os.close(self._reading)
        os.close(self._writing)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have something done, and wait for the answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer}"
                return dict(answer["result"])
            self._heard(answer)

    def open(self, path: Path) -> None:
        """Open a file, and wait until it is there with all its pictures."""
        self._events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._heard(self._read())

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse on the first element of a selector, as a person does."""
        x, y = self.middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drag(self, selector: str, right: float, down: float) -> None:
        """Drag from the middle of an element."""
        x, y = self.middle(selector)
        self.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x + right, y=y + down, button="left")
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x + right, y=y + down, button="left")

    def wheel(self, selector: str, down: float) -> None:
        """Turn the wheel over an element."""
        x, y = self.middle(selector)
        self.ask("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=down)

    def middle(self, selector: str) -> tuple[float, float]:
        """Where an element is on the screen, after it was scrolled to."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        return float(box[0]), float(box[1])

    def _heard(self, message: dict[str, Any]) -> None:
        """Keep what the page asks for, and what it complains of."""
        said, method = message.get("params", {}), message.get("method", "")
        self._events.append({"method": method})
        if method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"][:100])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(said["entry"]))

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._reading, 1 << 16) if ready else b""
            assert data, "the browser says nothing"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))
