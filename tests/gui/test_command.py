"""`ienfd review` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from ienfd.study.store import Store
from ienfd.study.verify import check_store

EDITING = """
import sys
from ienfd.review.start import open_review
from qtpy.QtCore import QTimer
import napari
panel = open_review(sys.argv[1], reader="A. Reader")
def edit():
    panel.reviewer.add_at(20.0, 20.0)
    print(panel.reviewer.sheet.last_seq, flush=True)
timer = QTimer()
timer.timeout.connect(edit)
timer.start(50)
napari.run()
"""


def test_without_napari_the_command_says_what_to_install(study: Path) -> None:
    code = (
        "import sys; sys.modules['napari'] = None; from ienfd.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "review", str(study)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "ienfd[gui]" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_that_is_no_study_is_said_before_a_window_opens(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "ienfd", "review", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_killed_review_loses_nothing_that_was_shown(study: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", EDITING, str(study)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        shown = [int(running.stdout.readline()) for _ in range(10)]
        time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        shown += [int(line) for line in running.stdout.read().split()]
    with Store(study) as store, store.reading() as session:
        kept = [entry.seq for entry in store.edits()]
        assert check_store(session) == []
    assert kept[: len(shown)] == shown
    assert len(kept) <= len(shown) + 1
