"""The store of a study: one writer at a time, many readers, nothing that is written is lost.

Every public method is one transaction. `Store` knows tables and records; what a section is, and how
it is counted, it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import ienfd
from ienfd.correction.commands import CHANGING, Edit, LoggedEdit
from ienfd.errors import UsageError
from ienfd.norms import Norm
from ienfd.result import Findings, SectionResult
from ienfd.study import log, signing
from ienfd.study.account import account
from ienfd.study.analyses import load_findings, load_results, save_analysis, save_result
from ienfd.study.backup import back_up, default_target
from ienfd.study.config import create_study, read_config
from ienfd.study.database import connect, database_errors, lock_writer, upgrade
from ienfd.study.log import Head, Target
from ienfd.study.models import (
    AnalysisRow,
    BiopsyRow,
    CaseRow,
    FileRow,
    InfoRow,
    OutcomeRow,
    PlacementRow,
    ProtocolRow,
    ResultRow,
    RunRow,
    SectionRow,
)
from ienfd.study.norms import keep_norm, known_norms, load_norm_texts
from ienfd.study.place import NETWORK_ADVICE, is_on_network
from ienfd.study.recall import Recalled, recall
from ienfd.study.records import (
    Analyzed,
    BiopsyRecord,
    Facts,
    FileRecord,
    Outcome,
    Placement,
    ResultEnding,
    RunRecord,
    Standing,
)
from ienfd.study.runs import parts, save_biopsies, save_files, save_placements, save_sections
from ienfd.study.signing import SignOff, SignOffKind, signed_sections
from ienfd.study.validated import Validated

__all__ = ["Standing", "Store"]


class Store:
    """An open study.

    Parameters
    ----------
    folder : Path
        The study folder.
    create : bool
        Make it a study when it is none.
    shared : bool
        Let the group of a new folder use it, too.

    Raises
    ------
    UsageError
        If it is no study, or one of a newer version.
    EnvironmentProblem
        If folder or database cannot be used.
    """

    def __init__(self, folder: Path, *, create: bool = False, shared: bool = False) -> None:
        self.config = create_study(folder, shared=shared) if create else read_config(folder)
        self.folder = folder
        self._where = self.config.where
        self._engine = connect(self.config)
        try:
            upgrade(self._engine, self.config)
        except BaseException:
            self._engine.dispose()
            raise
        self._writer = self._engine.execution_options(immediate=True)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def advice(self) -> tuple[str, ...]:
        """What a person should know of where the study lies."""
        return (NETWORK_ADVICE,) if self.config.is_file and is_on_network(self.folder) else ()

    def back_up(self, target: Path | None = None) -> Path:
        """Copy the database into one file that is a complete database; see `ienfd.study.backup`.

        Raises
        ------
        EnvironmentProblem
            If the file exists already or cannot be written.
        """
        target = target or default_target(self.folder)
        back_up(self._engine, self._where, target)
        return target

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the study."""
        with database_errors(self._where), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the writer's lock of the study from its start."""
        with database_errors(self._where), Session(self._writer) as session, session.begin():
            lock_writer(session)
            yield session

    def known_analyses(self, wanted: Sequence[str]) -> set[str]:
        """Which of these analyses are in the store."""
        known: set[str] = set()
        with self.reading() as session:
            for part in parts(wanted):
                known.update(
                    session.scalars(select(AnalysisRow.analysis_id).where(AnalysisRow.analysis_id.in_(part)))
                )
        return known

    def begin_run(self, run: RunRecord, files: Sequence[FileRecord]) -> int:
        """Record what a run is about to do; the rows of these files await their outcome.

        Rows whose analysis is in the store already are done at once.

        Returns
        -------
        int
            Id of the run.
        """
        known = self.known_analyses([f.analysis_id for f in files if f.analysis_id is not None])
        with self.writing() as session:
            if session.get(InfoRow, "study_id") is None:
                session.add(InfoRow(key="study_id", value=str(uuid4())))
            if session.get(ProtocolRow, run.protocol_hash) is None:
                session.add(
                    ProtocolRow(
                        protocol_hash=run.protocol_hash,
                        protocol_id=run.protocol_id,
                        content=run.protocol_json,
                    )
                )
                session.flush()
            row = RunRow(
                started_at=_now(),
                state="running",
                root=run.root,
                protocol_hash=run.protocol_hash,
                protocol_id=run.protocol_id,
                rules_key=run.rules_key,
                algorithm_version=run.algorithm_version,
                software_version=run.software_version,
                options=dict(run.options),
            )
            session.add(row)
            session.flush()
            file_ids = save_files(session, run, files)
            save_biopsies(session, files)
            save_sections(session, files)
            save_placements(session, row.run_id, files, file_ids, known)
            return row.run_id

    def record(self, run_id: int, outcome: Outcome, analyzed: Analyzed | None = None) -> None:
        """Record how a section of a file ended: what was found, the ledger, its present row."""
        with self.writing() as session:
            if analyzed is not None:
                self._save(session, analyzed)
            root = session.scalars(select(RunRow.root).where(RunRow.run_id == run_id)).one()
            file_id = session.scalars(
                select(FileRow.file_id).where(FileRow.root == root, FileRow.path == outcome.path)
            ).one()
            ended = {
                "status": outcome.status,
                "reason": outcome.reason,
                "detail": outcome.detail,
                "analysis_id": outcome.analysis_id,
            }
            place = {"file_id": file_id, "scene": outcome.scene, "region": outcome.region}
            session.add(
                OutcomeRow(run_id=run_id, attempts=outcome.attempts, finished_at=_now(), **place, **ended)
            )
            present = session.get_one(PlacementRow, tuple(place.values()))
            if present.run_id == run_id:  # a later run over the same file has the last word
                for name, value in ended.items():
                    setattr(present, name, value)

    def add_result(self, analysis: str, rules_key: str, result: SectionResult) -> None:
        """Store what counting rules made of an analysis, once."""
        with self.writing() as session:
            save_result(session, analysis, rules_key, result)

    @staticmethod
    def _save(session: Session, analyzed: Analyzed) -> None:
        key = save_analysis(
            session,
            analyzed.result.findings,
            analyzed.objects,
            asdict(analyzed.facts),
            protocol_hash=analyzed.protocol_hash,
            algorithm_version=analyzed.algorithm_version,
            software_version=ienfd.__version__,
            created_at=_now(),
            seconds=analyzed.seconds,
        )
        save_result(session, key, analyzed.rules_key, analyzed.result)

    def end_run(self, run_id: int, state: str) -> None:
        """Close a run as `finished` or `interrupted`."""
        with self.writing() as session:
            session.execute(
                update(RunRow).where(RunRow.run_id == run_id).values(state=state, ended_at=_now())
            )

    def placements(self, case_id: str | None = None, *, controls: bool = False) -> list[Placement]:
        """All present rows of the study, or of one case, by path; those awaiting their outcome included.

        With `controls` those of other cases, too, that are controls: they speak for the whole run.
        """
        query = (
            select(  # columns, not objects: a study has many
                *PlacementRow.__table__.columns, FileRow.path, FileRow.root, FileRow.sha256,
                RunRow.protocol_id, RunRow.protocol_hash, RunRow.rules_key,
                func.coalesce(AnalysisRow.algorithm_version, RunRow.algorithm_version).label("algorithm"),
                AnalysisRow.facts,
            )
            .join(FileRow, FileRow.file_id == PlacementRow.file_id)
            .join(RunRow, RunRow.run_id == PlacementRow.run_id)
            .outerjoin(AnalysisRow, AnalysisRow.analysis_id == PlacementRow.analysis_id)
            .where(FileRow.present)
        )  # fmt: skip
        if case_id is not None:
            wanted = PlacementRow.case_id == case_id
            if controls:
                wanted |= PlacementRow.case["control"].as_string().is_not(None)
            query = query.where(wanted)
        with self.reading() as session:
            rows = [_placement(row) for row in session.execute(query)]
        return sorted(rows, key=lambda row: (row.path, row.scene, row.region, row.root))

    def standings(self) -> list[Standing]:
        """How every present row has ended, without what was found in it."""
        query = (
            select(
                FileRow.root, FileRow.path, PlacementRow.scene, PlacementRow.region,
                PlacementRow.case_id, PlacementRow.biopsy_id, PlacementRow.case,
                PlacementRow.section_id, PlacementRow.analysis_id, PlacementRow.status, PlacementRow.reason,
                ResultRow.status, ResultRow.reason, RunRow.rules_key,
            )
            .join(FileRow, FileRow.file_id == PlacementRow.file_id)
            .join(RunRow, RunRow.run_id == PlacementRow.run_id)
            .outerjoin(
                ResultRow,
                (ResultRow.analysis_id == PlacementRow.analysis_id)
                & (ResultRow.rules_key == RunRow.rules_key),
            )
            .where(FileRow.present)
        )  # fmt: skip
        with self.reading() as session:
            return [_standing(*row) for row in session.execute(query)]

    def biopsies(self) -> dict[tuple[str, str], BiopsyRecord]:
        """All biopsies of the study, by case and biopsy id."""
        query = select(BiopsyRow, CaseRow.patient_id).join(CaseRow, CaseRow.case_id == BiopsyRow.case_id)
        with self.reading() as session:
            return {
                (row.case_id, row.biopsy_id): BiopsyRecord(
                    case_id=row.case_id,
                    biopsy_id=row.biopsy_id,
                    site=row.site,
                    side=row.side,
                    collection_date=row.collection_date,
                    age_years=row.age_years,
                    sex=row.sex,
                    patient_id=patient_id,
                    extra=row.extra,
                )
                for row, patient_id in session.execute(query)
            }

    def endings(self, analyses: Sequence[str], rules_key: str) -> dict[str, ResultEnding]:
        """How these analyses ended under these rules; those not counted under them are left out."""
        endings: dict[str, ResultEnding] = {}
        with self.reading() as session:
            for part in parts(analyses):
                query = (
                    select(ResultRow.analysis_id, ResultRow.status, ResultRow.reason, AnalysisRow.facts)
                    .join(AnalysisRow, AnalysisRow.analysis_id == ResultRow.analysis_id)
                    .where(ResultRow.analysis_id.in_(part), ResultRow.rules_key == rules_key)
                )
                for key, status, reason, facts in session.execute(query):
                    endings[key] = ResultEnding(status, reason, _facts(facts).pictured)
        return endings

    def signed_endings(self, root: str) -> dict[tuple[str, int, int], ResultEnding]:
        """How the signed sections of an image folder ended, by path, scene and region."""
        query = (
            select(PlacementRow, FileRow.path, RunRow.rules_key)
            .join(FileRow, FileRow.file_id == PlacementRow.file_id)
            .join(RunRow, RunRow.run_id == PlacementRow.run_id)
            .where(FileRow.root == root, PlacementRow.analysis_id.is_not(None))
        )
        places: dict[tuple[str, int, int], tuple[str, str]] = {}
        with self.reading() as session:
            signed = signed_sections(session)
            for row, path, rules in session.execute(query) if signed else ():
                held = signed.get((row.case_id, row.biopsy_id, row.section_id or ""))
                if held is not None and (held.analysis_id, held.rules_key) == (row.analysis_id, rules):
                    places[path, row.scene, row.region] = rules, held.analysis_id
        endings = {
            rules: self.endings([key for of, key in places.values() if of == rules], rules)
            for rules in {rules for rules, _ in places.values()}
        }
        return {place: endings[rules][key] for place, (rules, key) in places.items() if key in endings[rules]}

    def pending_places(self, run_id: int) -> set[tuple[str, int, int]]:
        """Path, scene and region of the rows of a run that still await their outcome."""
        query = (
            select(FileRow.path, PlacementRow.scene, PlacementRow.region)
            .join(FileRow, FileRow.file_id == PlacementRow.file_id)
            .where(PlacementRow.run_id == run_id, PlacementRow.status == "pending")
        )
        with self.reading() as session:
            return {(path, scene, region) for path, scene, region in session.execute(query)}

    def facts(self, analysis: str) -> Facts:
        """What the file of an analysis says; raises KeyError for an unknown one."""
        with self.reading() as session:
            row = session.get(AnalysisRow, analysis)
            if row is None:
                raise KeyError(analysis)
            return _facts(row.facts)

    def findings(self, analysis: str) -> Findings:
        """What was found under an analysis; raises KeyError for an unknown one."""
        with self.reading() as session:
            return load_findings(session, analysis)

    def results(self, analyses: Sequence[str], rules_key: str) -> dict[str, SectionResult]:
        """The stored results of these analyses under these rules; missing ones are left out.

        Of their objects the findings carry the exclusions only: `findings` gives everything.
        """
        results: dict[str, SectionResult] = {}
        with self.reading() as session:
            for part in parts(analyses):
                results.update(load_results(session, part, rules_key))
        return results

    def protocol_json(self, protocol_hash: str) -> str:
        """The resolved values of a protocol that was used; raises KeyError for an unknown one."""
        with self.reading() as session:
            row = session.get(ProtocolRow, protocol_hash)
            if row is None:
                raise KeyError(protocol_hash)
            return row.content

    def keep_norm(self, norm: Norm, text: str) -> None:
        """Keep a copy of a laboratory's norm, whose file is `text`, before the study is called by it.

        Raises
        ------
        UsageError
            `norm_differs` if the study has been called with another norm of this id.
        """
        with self.writing() as session:
            keep_norm(session, norm, text)

    def norm_texts(self) -> dict[str, str]:
        """The files of the norms that were kept, by id."""
        with self.reading() as session:
            return load_norm_texts(session)

    def norms(self) -> tuple[Norm, ...]:
        """The norms that the study calls by: those that come with ienfd, and those that were kept."""
        return known_norms(list(self.norm_texts().values()))

    def recall(self, norm: Norm, text: str | None) -> Recalled:
        """Call all that is not signed by another norm, without counting anything; see `ienfd.study.recall`.

        Parameters
        ----------
        norm : Norm
            By which is called from now on.
        text : str or None
            Its file, which the study keeps; None for a norm that it has, or that comes with ienfd.

        Raises
        ------
        UsageError
            `norm_differs` if the study has been called with another norm of this id.
        """
        with self.writing() as session:
            if text is not None:
                keep_norm(session, norm, text)
            return recall(session, norm, _now())

    def append(self, edits: Sequence[Edit], target: Target, *, who: str, base_seq: int) -> list[LoggedEdit]:
        """Append entries about one section or biopsy to the log; either all of them or none.

        Parameters
        ----------
        edits : sequence of Edit
            What is done, in order.
        target : Target
            To what.
        who : str
            Name of the person.
        base_seq : int
            The last entry about this target that the person has seen; 0 for none.

        Raises
        ------
        ConflictError
            If somebody else has changed it since.
        UsageError
            If nobody is named, what it is about or is to be taken back is not there, or it is signed and
            no reason is given.
        """
        if not who.strip():
            raise UsageError("edit_invalid", "an edit needs the name of a person")
        with self.writing() as session:
            if target.section_id is None:
                _check_listed(session, target)
            elif session.get(SectionRow, target.section_id) is None:
                raise UsageError("edit_invalid", f"there is no section {target.section_id}")
            if target.analysis_id is not None and session.get(AnalysisRow, target.analysis_id) is None:
                raise UsageError("edit_invalid", f"there is no analysis {target.analysis_id}")
            if signing.is_signed(session, target):
                _check_reasons(edits)
            return log.append(session, edits, target, who=who.strip(), account=account(), base_seq=base_seq)

    def is_signed(self, target: Target) -> bool:
        """Whether a biopsy, or one that a section belongs to, is signed: a change then needs a reason."""
        with self.reading() as session:
            return signing.is_signed(session, target)

    def edits(self, target: Target | None = None) -> list[LoggedEdit]:
        """All entries of the log, or those about one section or biopsy, in order."""
        with self.reading() as session:
            return log.load_edits(session, target)

    def edits_of_case(self, case_id: str, sections: Sequence[str]) -> list[LoggedEdit]:
        """All entries about these sections, or about the biopsies of a case, in order."""
        with self.reading() as session:
            return log.load_edits_of_case(session, case_id, sections)

    def sign(
        self,
        target: Target,
        content: Mapping[str, Any],
        *,
        kind: SignOffKind,
        name: str,
        statement: str,
        protocol_hash: str,
        base_seq: int,
    ) -> SignOff:
        """Sign what `content` says of a biopsy; from then on its sections keep their analyses.

        Parameters
        ----------
        target : Target
            The biopsy.
        content : mapping
            Everything that is signed, in JSON's types.
        kind : {"final", "addendum", "correction", "withdrawal"}
            What the signature does.
        name : str
            Who signs.
        statement : str
            What is declared with it.
        protocol_hash : str
            The protocol of the content.
        base_seq : int
            Number of the head of the log when the content was gathered.

        Raises
        ------
        ConflictError
            If the biopsy, or one of its sections, was changed since.
        """
        with self.writing() as session:
            _check_listed(session, target)
            return signing.sign(
                session, target, content, kind=kind, name=name, account=account(), statement=statement,
                protocol_hash=protocol_hash, base_seq=base_seq,
            )  # fmt: skip

    def sign_offs(self, target: Target | None = None) -> list[SignOff]:
        """All sign-offs, or those of one biopsy, in the order of their signing."""
        with self.reading() as session:
            return signing.load_sign_offs(session, target)

    def head(self) -> Head:
        """Number and hash of the last entry of the log."""
        with self.reading() as session:
            return log.read_head(session)

    def study_id(self) -> str:
        """The id of the study; empty before its first run."""
        with self.reading() as session:
            row = session.get(InfoRow, "study_id")
            return row.value if row else ""

    def last_run(self) -> Mapping[str, Any] | None:
        """When the last run began and ended, and how; None before the first."""
        with self.reading() as session:
            row = session.scalars(select(RunRow).order_by(RunRow.run_id.desc()).limit(1)).first()
            if row is None:
                return None
            return {c.name: getattr(row, c.name) for c in RunRow.__table__.columns}

    def validated(self) -> Validated | None:
        """What the laboratory had validated when the study was last run; None where nothing was pinned.

        A run from an account without a pin takes none back.
        """
        with self.reading() as session:
            for options in session.scalars(select(RunRow.options).order_by(RunRow.run_id.desc())):
                if options.get("validated"):
                    return Validated(**options["validated"])
        return None


def _placement(row: Any) -> Placement:
    return Placement(
        path=row.path,
        root=row.root,
        sha256=row.sha256,
        scene=row.scene,
        region=row.region,
        section_id=row.section_id,
        case_id=row.case_id,
        biopsy_id=row.biopsy_id,
        case=row.case,
        calibration=row.calibration,
        status=row.status,
        reason=row.reason,
        detail=row.detail,
        analysis_id=row.analysis_id,
        facts=_facts(row.facts or {}),
        protocol_id=row.protocol_id,
        protocol_hash=row.protocol_hash,
        rules_key=row.rules_key,
        algorithm_version=row.algorithm,
    )


def _check_listed(session: Session, target: Target) -> None:
    """Refuse to speak of a biopsy that no case table names: another file of that name would be the same one.

    Raises
    ------
    UsageError
        If there is no such biopsy, or its files have no row in a case table.
    """
    query = select(PlacementRow.case).where(
        PlacementRow.case_id == target.case_id, PlacementRow.biopsy_id == target.biopsy_id
    )
    rows = list(session.scalars(query))
    if not rows or not all(case.get("case_id") for case in rows):
        raise UsageError(
            "edit_invalid",
            f"{target.case_id}, {target.biopsy_id}: give its files a row in the case table first",
        )


def _check_reasons(edits: Sequence[Edit]) -> None:
    """Refuse to change what is signed without a reason.

    Raises
    ------
    UsageError
        If there is none.
    """
    if any(edit.command in CHANGING and not edit.why.strip() for edit in edits):
        raise UsageError("edit_invalid", "it is signed: say why it is changed, for the amendment")


def _standing(
    root: str, path: str, scene: int, region: int, case_id: str, biopsy_id: str, case: Mapping[str, Any],
    section_id: str | None, analysis: str | None, state: str, failure: str | None, status: str | None,
    reason: str | None, rules_key: str,
) -> Standing:  # fmt: skip
    control = case.get("control")
    if state == "failed":
        status, reason = "failed", failure
    elif status is None:
        status, reason = "pending", None
    elif control == "negative":
        status, reason = "refused", reason or "negative_control"
    return Standing(
        root,
        path,
        scene,
        region,
        case_id,
        biopsy_id,
        bool(case.get("case_id")),
        control,
        section_id,
        analysis,
        status,
        reason,
        rules_key,
    )


def _facts(stored: Mapping[str, Any]) -> Facts:
    return Facts(**{**stored, "channels": tuple(stored.get("channels", ()))})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
