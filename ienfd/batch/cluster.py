"""The executor on a Dask cluster: the same jobs, carried out on other machines.

Every machine of the cluster must see the images under the same paths and have the same version of
ienfd. Results come back as they are ready; a job whose worker dies is done again by another one.
"""

from __future__ import annotations

import ipaddress
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ienfd
from ienfd.batch.jobs import Ending, Failure, Job
from ienfd.errors import EnvironmentProblem, MissingExtraError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskPool", "check_address"]

_CONNECT_S = 20.0
_AHEAD = 2  # jobs under way for each thread of the cluster, so that none waits for the next
_ATTEMPTS = 3


def check_address(address: str, *, insecure: bool = False) -> None:
    """Refuse to send sections unencrypted over a network.

    Parameters
    ----------
    address : str
        `tcp://host:port` or `tls://host:port`.
    insecure : bool
        Allow it all the same.

    Raises
    ------
    UsageError
        If the address is none, or not encrypted and not on this machine.
    """
    try:
        parts = urlsplit(address)
        complete = parts.scheme in ("tcp", "tls") and bool(parts.hostname and parts.port)
    except ValueError:  # a port that is none
        complete = False
    if not complete or parts.hostname is None:
        raise UsageError("option_invalid", f"--scheduler {address}: it looks like tls://host:8786")
    if parts.scheme == "tls" or insecure or _is_loopback(parts.hostname):
        return
    raise UsageError("scheduler_insecure", address)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class DaskPool:
    """Carry out jobs on a Dask cluster.

    Parameters
    ----------
    address : str
        Of its scheduler; see `check_address`.
    time_limit_s : float
        A job that takes longer is ended as `time_limit`, and its worker is started anew.

    Raises
    ------
    MissingExtraError
        If the extra `distributed` is not installed.
    EnvironmentProblem
        If the scheduler cannot be reached, or has no worker.
    UsageError
        If a worker has another version of ienfd.
    """

    def __init__(self, address: str, *, time_limit_s: float = 600.0) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MissingExtraError("extra_missing", "pip install 'ienfd[distributed]'") from error
        self.time_limit_s = time_limit_s
        try:
            self._client: Client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise EnvironmentProblem("scheduler_unavailable", f"{address}: {error}") from error
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT_S)
            versions: dict[str, Any] = self._client.run(_version)
        except (OSError, TimeoutError) as error:
            self.close()
            raise EnvironmentProblem("scheduler_unavailable", f"{address} has no worker") from error
        others = sorted({f"{worker}: {v}" for worker, v in versions.items() if v != ienfd.__version__})
        if others:
            self.close()
            raise UsageError("scheduler_other_version", f"here {ienfd.__version__}; {', '.join(others[:5])}")

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close()

    def run(self, jobs: Iterable[Job]) -> Generator[Ending, None, None]:
        """Carry out `jobs`; see `ienfd.batch.jobs.Executor.run`.

        Raises
        ------
        EnvironmentProblem
            If the cluster is gone.
        """
        from distributed import as_completed

        source = iter(jobs)
        under_way: dict[Future[Any], Job] = {}
        ready = as_completed(loop=self._client.loop)
        try:
            self._hand_out(source, under_way, ready)
            for future in ready if under_way else ():
                job = under_way.pop(future)
                ending = self._ending(job, future)
                future.release()
                self._hand_out(source, under_way, ready)
                yield ending
        except (OSError, TimeoutError) as error:
            raise EnvironmentProblem("scheduler_unavailable", str(error)) from error
        finally:
            if under_way and self._client.status == "running":
                self._client.cancel(list(under_way), force=True)

    def _hand_out(self, source: Iterator[Job], under_way: dict[Future[Any], Job], ready: Any) -> None:
        threads = sum(self._client.nthreads().values())
        while len(under_way) < max(1, _AHEAD * threads):
            job = next(source, None)
            if job is None:
                return
            future = self._client.submit(
                _carried_out, job.function, job.argument, self.time_limit_s, pure=False
            )
            under_way[future] = job
            ready.add(future)

    def _ending(self, job: Job, future: Future[Any]) -> Ending:
        from distributed import KilledWorker

        if future.status in ("lost", "cancelled"):
            raise EnvironmentProblem("scheduler_unavailable", f"it lost {job.key}")
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Ending(job.key, failure=Failure("worker_died", str(error)), attempts=_ATTEMPTS)
        if error is not None:
            return Ending(job.key, failure=Failure("internal_error", f"{type(error).__name__}: {error}"))
        worker, value, failure = future.result()
        if failure is not None and failure.code == "time_limit":
            with suppress(KeyError, ValueError):  # it is still at it, unless it has left, or has no nanny
                self._client.restart_workers([worker], raise_for_error=False)
        return Ending(job.key, value=value, failure=failure)


def _version() -> str:
    return ienfd.__version__


def _carried_out(function: Any, argument: Any, time_limit_s: float) -> tuple[str, Any, Failure | None]:
    """On a worker: its address, and what the function returns or why it returns nothing."""
    from distributed import get_worker

    value: list[Any] = []
    failures: list[Failure] = []

    def work() -> None:
        try:
            value.append(function(argument))
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            failures.append(Failure("internal_error", f"{type(error).__name__}: {error}", trace))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(time_limit_s)
    worker = get_worker().address
    if thread.is_alive():
        return worker, None, Failure("time_limit", f"{time_limit_s:g} s")
    return worker, value[0] if value else None, failures[0] if failures else None
