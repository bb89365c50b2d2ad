"""Which files become rows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ienfd.batch.discover import Discovery, discover
from ienfd.errors import UsageError
from ienfd.study.config import create_study

SUFFIXES = (".tif", ".tiff", ".png", ".svs")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs what only POSIX file systems have")


def has_magic(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(4) == b"II*\0"


def put(folder: Path, *names: str, content: bytes = b"anything") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def found(images: Path, out: Path | None = None, named: tuple[str, ...] = ()) -> Discovery:
    return discover(
        images,
        out=out or images.parent / "out",
        is_image=has_magic,
        suffixes=SUFFIXES,
        is_named=lambda name: name in named,
    )


def names(discovery: Discovery) -> list[str]:
    return [file.name for file in discovery.files]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    put(folder, "b.tif", "A.TIF", "sub/deep/c.ome.tiff")
    return folder


def test_known_suffixes_in_all_folders_in_the_order_of_their_names(images: Path) -> None:
    assert names(found(images)) == ["A.TIF", "b.tif", "sub/deep/c.ome.tiff"]


def test_magic_makes_a_row_and_the_rest_is_counted(images: Path) -> None:
    put(images, "scan_without_suffix", "scan.dat", content=b"II*\0")
    put(images, "cases.csv", "truth/a.json", "notes.txt", "Thumbs.db")
    discovery = found(images)
    assert names(discovery) == ["A.TIF", "b.tif", "scan.dat", "scan_without_suffix", "sub/deep/c.ome.tiff"]
    assert discovery.skipped == 4


def test_a_file_of_the_case_table_is_a_row_whatever_it_is(images: Path) -> None:
    put(images, "odd.bin")
    assert "odd.bin" in names(found(images, named=("odd.bin",)))
    assert "odd.bin" not in names(found(images))


def test_hidden_files_and_folders_are_left_alone(images: Path) -> None:
    put(images, ".hidden.tif", "._b.tif", ".cache/d.tif")
    assert names(found(images)) == ["A.TIF", "b.tif", "sub/deep/c.ome.tiff"]


def test_no_study_is_ever_searched(images: Path) -> None:
    put(images, "results/overlays/b_12345678.png", "elsewhere/old/x.png")
    create_study(images / "elsewhere" / "old")
    assert names(found(images, out=images / "results")) == ["A.TIF", "b.tif", "sub/deep/c.ome.tiff"]


def test_the_study_may_not_be_the_image_folder_nor_hold_it(images: Path) -> None:
    for out in (images, images.parent):
        with pytest.raises(UsageError) as caught:
            found(images, out=out)
        assert caught.value.code == "out_inside_images"
    with pytest.raises(UsageError):
        found(images / "b.tif", out=images)


def test_a_single_file_is_a_row_of_its_folder(images: Path) -> None:
    put(images, "anything.xyz")
    discovery = found(images / "anything.xyz", out=images / "results")
    assert (names(discovery), discovery.root, discovery.scope) == (["anything.xyz"], images, "anything.xyz")


def test_nothing_to_do_is_a_usage_error(tmp_path: Path) -> None:
    put(tmp_path / "empty", "notes.txt")
    for images in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(UsageError) as caught:
            found(images, out=tmp_path / "out")
        assert caught.value.code == "no_images"


@posix
def test_a_loop_of_links_ends(images: Path) -> None:
    (images / "sub" / "loop").symlink_to(images, target_is_directory=True)
    (images / "again").symlink_to(images / "sub", target_is_directory=True)
    files = names(found(images))
    assert len(files) == 3  # each folder once, by whichever way comes first


@posix
def test_pipes_are_not_opened(images: Path) -> None:
    os.mkfifo(images / "pipe")
    os.mkfifo(images / "pipe.tif")
    assert len(names(found(images))) == 3


@posix
def test_a_dangling_link_with_a_suffix_is_a_row(images: Path) -> None:
    (images / "gone.tif").symlink_to(images / "nowhere.tif")
    (images / "gone.txt").symlink_to(images / "nowhere.txt")
    discovery = found(images)
    assert "gone.tif" in names(discovery)
    assert discovery.skipped == 1


@posix
def test_a_name_that_is_no_text_can_still_be_shown(images: Path) -> None:
    try:
        put(images, os.fsdecode(b"d\xff.tif"))
    except OSError:
        pytest.skip("this file system takes only text")
    assert "d\\udcff.tif" in names(found(images))
