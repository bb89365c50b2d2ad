"""A plan carried out with the stand-ins, and the state of the study afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from batch_standins import ENGINE

from ienfd.analysis_key import rules_key
from ienfd.batch.discover import discover
from ienfd.batch.execute import Progress, execute
from ienfd.batch.files import study_log
from ienfd.batch.jobs import Executor
from ienfd.batch.plan import BatchOptions, FileCase, Plan, make_plan
from ienfd.protocol import Protocol, canonical_json
from ienfd.study.records import BiopsyRecord, RunRecord
from ienfd.study.store import Store


def case_of(name: str) -> FileCase:
    return FileCase(BiopsyRecord(f"case {name}", name, age_years=50.0))


def planned(images: Path, out: Path, pool: Executor, **options: object) -> Plan:
    asked = BatchOptions(images, out, **{"engine": ENGINE, **options})  # type: ignore[arg-type]
    found = discover(images, out=out, is_image=lambda path: False, suffixes=(".tif",))
    return make_plan(asked, found, case_of, pool)


def carried_out(plan: Plan, pool: Executor, on_progress: Callable[[Progress], None] | None = None) -> int:
    """Carry out a plan as `ienfd run` does; returns the number of sections analyzed."""
    protocol = plan.options.protocol
    run = RunRecord(
        str(plan.discovery.root), plan.discovery.scope, protocol.id, protocol.hash, canonical_json({}),
        plan.rules_key, plan.algorithm_version, "test",
    )  # fmt: skip
    with Store(plan.options.out, create=True) as store, study_log(plan.options.out) as logger:
        run_id = store.begin_run(run, [item.record for item in plan.items])
        done = execute(plan, store, run_id, pool, logger=logger, on_progress=on_progress or (lambda p: None))
        store.end_run(run_id, "finished")
    return done.analyzed


def rows(out: Path) -> dict[str, tuple[str, str | None]]:
    with Store(out) as store:
        return {p.path: (p.status, p.reason) for p in store.placements()}


def state(out: Path, protocol: Protocol) -> object:
    """Everything that the derived tables are made from, and the bytes of all overlays."""
    with Store(out) as store:
        placements = store.placements()
        results = store.results(
            [str(p.analysis_id) for p in placements if p.analysis_id], rules_key(protocol)
        )
    figures = {
        key: (r.status, r.reason, r.crossings, r.lengths, r.density_per_mm, r.findings.measures)
        for key, r in results.items()
    }
    overlays = {path.name: path.read_bytes() for path in sorted((out / "overlays").glob("*"))}
    return [(p.path, p.status, p.analysis_id) for p in placements], figures, overlays
