"""Where a study lies: on a disk of this machine, or on one that is shared over a network.

SQLite's write-ahead log needs memory that all its users share, which no network file system has.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["NETWORK_ADVICE", "file_system", "is_on_network"]

NETWORK_ADVICE = (
    "the study lies in a network folder, where only one program at a time can use its database;"
    " for several people, name a PostgreSQL server in study.toml"
)
_NETWORK = frozenset(
    {
        "9p", "afpfs", "afs", "ceph", "cifs", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone",
        "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3",
        "smbfs", "webdav",
    }
)  # fmt: skip


def file_system(folder: Path) -> str:
    """Kind of the file system that a folder lies on, as the operating system calls it; "" if unknown."""
    import psutil

    where = folder.resolve()
    best, kind = -1, ""
    for mount in psutil.disk_partitions(all=True):
        point = Path(mount.mountpoint)
        if (where == point or point in where.parents) and len(point.parts) > best:
            best, kind = len(point.parts), "remote" if "remote" in mount.opts.split(",") else mount.fstype
    return kind.lower()


def is_on_network(folder: Path) -> bool:
    """Whether a folder is shared over a network (on Windows also by its name, `\\\\server\\share`)."""
    if str(folder.resolve()).startswith("\\\\"):
        return True
    kind = file_system(folder)
    return kind == "remote" or kind in _NETWORK
