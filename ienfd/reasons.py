"""Every stable code that a table, an overlay or a message can show, with its sentence and remedy.

The codes are part of the contract: other programs match on them. A sentence says what was found,
in words a technician understands; a remedy says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["REASONS", "Effect", "Reason"]


class Effect(StrEnum):
    """What a reason does."""

    FAILED = "failed"  # the file could not be read: a row with status `failed`
    REFUSED = "refused"  # no density can honestly be given: a row with status `refused`
    WITHHELD = "withheld"  # density yes, call no
    FLAGGED = "flagged"  # said beside the result, changes nothing
    LEFT_OUT = "left out"  # why something is not part of a comparison
    CANDIDATE = "candidate"  # why one candidate crossing was counted or not
    USAGE = "usage"  # the command cannot be carried out as given
    ENVIRONMENT = "environment"  # the machine stands in the way


@dataclass(frozen=True)
class Reason:
    """One code with its effect, its sentence and its remedy."""

    code: str
    effect: Effect
    text: str
    remedy: str = ""


def _table(*reasons: Reason) -> dict[str, Reason]:
    table = {reason.code: reason for reason in reasons}
    if len(table) != len(reasons):
        raise ValueError("a reason code stands twice in the table")
    return table


_F, _R, _W, _Q = Effect.FAILED, Effect.REFUSED, Effect.WITHHELD, Effect.FLAGGED
_C, _U, _E, _L = Effect.CANDIDATE, Effect.USAGE, Effect.ENVIRONMENT, Effect.LEFT_OUT

REASONS: dict[str, Reason] = _table(
    # files
    Reason("empty_file", _F, "The file is empty.", "Export it again from the scanner or microscope."),
    Reason(
        "not_an_image",
        _F,
        "There is no readable image in this file.",
        "Check that the right file was copied.",
    ),
    Reason(
        "unsupported_format",
        _F,
        "This image format is not one that ienfd reads.",
        "Export the image as OME-TIFF.",
    ),
    Reason(
        "truncated",
        _F,
        "The file ends before its image does.",
        "Copy the file again; compare its size with the original.",
    ),
    Reason(
        "corrupt", _F, "The file is damaged.", "Copy the file again, or export it again from the scanner."
    ),
    Reason(
        "header_beyond_file",
        _F,
        "The header promises more pixels than the file holds.",
        "Export it again from the scanner or microscope.",
    ),
    Reason(
        "too_large",
        _F,
        "The image does not fit into the memory limit.",
        "Export the region of interest, or run on a machine with more memory.",
    ),
    Reason(
        "parts_elsewhere",
        _F,
        "Part of this image lies in other files.",
        "Export it as one OME-TIFF file.",
    ),
    Reason(
        "time_limit", _F, "The section took longer than the time limit.", "Run it alone, or raise the limit."
    ),
    Reason(
        "internal_error",
        _F,
        "The analysis of this section stopped with an error of the program.",
        "Please report it with the file; the other sections are not affected.",
    ),
    Reason(
        "worker_died",
        _F,
        "The process that analyzed this section was killed, most likely for lack of memory.",
        "Run it alone, or with fewer workers.",
    ),
    Reason(
        "file_vanished", _F, "The file could not be opened.", "Check that it is still there and may be read."
    ),
    Reason(
        "file_changed",
        _F,
        "The file changed while it was being read.",
        "Run again when it has been written completely.",
    ),
    # sections
    Reason(
        "uncalibrated",
        _R,
        "The file does not say how large a pixel is.",
        "Give pixel_size_um in the case table, or --pixel-size-um.",
    ),
    Reason(
        "calibration_default_dpi",
        _R,
        "The resolution in the file is a screen or printer default, not a calibration.",
        "Give pixel_size_um in the case table, or --pixel-size-um.",
    ),
    Reason(
        "calibration_unit",
        _R,
        "The resolution in the file has no physical unit.",
        "Give pixel_size_um in the case table, or --pixel-size-um.",
    ),
    Reason(
        "calibration_anisotropic",
        _R,
        "The pixel size differs between x and y.",
        "Check the calibration of the microscope; give pixel_size_um in the case table if it is known.",
    ),
    Reason(
        "calibration_range",
        _R,
        "The pixel size lies outside 0.05 to 2.5 um.",
        "Check the unit of the calibration; give pixel_size_um in the case table if it is known.",
    ),
    Reason(
        "too_coarse",
        _R,
        "At this pixel size nerve fibers cannot be seen.",
        "Scan at 0.65 um per pixel or finer.",
    ),
    Reason(
        "axes_unknown",
        _R,
        "The file does not say which of its axes are focal planes and which are channels.",
        "Give --axes, for example --axes ZCYX.",
    ),
    Reason(
        "channels_unknown",
        _R,
        "It is not known which channel shows the nerves.",
        "Name the channels in the file, or say so in the protocol: nerve_channel.",
    ),
    Reason("blank", _R, "The image is blank: it has no contrast.", "Check the exposure and the file."),
    Reason("not_finite", _R, "The image has no finite pixels.", "Export it again from the microscope."),
    Reason(
        "too_small", _R, "The image is too small to hold an epidermis.", "Scan a field of at least 100 um."
    ),
    Reason(
        "no_tissue", _R, "No tissue was found in the image.", "Check the field, the focus and the exposure."
    ),
    Reason(
        "no_epidermis",
        _R,
        "No epidermis was found along the edge of the tissue.",
        "Check the field; a section that shows no epidermis cannot be counted.",
    ),
    Reason(
        "all_excluded",
        _R,
        "A reviewer has excluded all of its epidermis.",
        "Take a stretch in again, or leave the section out of the case.",
    ),
    Reason(
        "junction_uncertain",
        _R,
        "The junction of epidermis and dermis could not be located with confidence.",
        "Use a section with a well-defined basement membrane, or draw the junction in the review.",
    ),
    Reason(
        "no_nerve_stain",
        _R,
        "No nerve is stained anywhere, not even in the dermis: a stain failure is not a density of 0.",
        "Check the staining and the positive control.",
    ),
    Reason(
        "no_nerve_signal",
        _R,
        "The image holds no nerve stain: its colors are those of a counterstain alone.",
        "Check that this is a section stained for PGP 9.5. If nothing but the nerves was stained, in blue or"
        ' purple, say so in the protocol: counterstain = "none" under [image].',
    ),
    Reason(
        "grey_bright_field",
        _R,
        "A grey image looks like bright-field, whose stain is known by its color alone.",
        "Scan it in color. If it is a fluorescence image that is much too bright, scan it again with a"
        " shorter exposure, and give stain in the case table.",
    ),
    Reason(
        "out_of_focus", _R, "The image is out of focus beyond the bounds of the protocol.", "Scan it again."
    ),
    Reason("saturated", _R, "Too much of the tissue is saturated.", "Scan it again with a shorter exposure."),
    Reason("negative_control", _R, "This is a negative control: it is checked, not counted."),
    # candidates
    Reason("crosses", _C, "The fiber is seen on both sides of the junction."),
    Reason("approaching", _C, "The fiber comes up to the junction but is not seen inside the epidermis."),
    Reason("fragment", _C, "A piece of nerve inside the epidermis that is not seen to cross the junction."),
    Reason("same_fiber", _C, "The same fiber was already counted where it first crosses."),
    Reason("junction_branch", _C, "The branches part within the junction band and count as one."),
    Reason(
        "dendritic_cell",
        _C,
        "A process of a dendritic cell (Langerhans cell or melanocyte), not a nerve fiber.",
    ),
    Reason(
        "depth_mismatch", _C, "The pieces above and below the junction lie at different depths: two fibers."
    ),
    Reason("too_faint", _C, "Too little is seen of the fiber, or of the junction there, to be sure enough."),
    Reason("appendage", _C, "The entry is through a hair follicle or sweat duct."),
    Reason("excluded_stretch", _C, "The crossing lies in an excluded stretch; its length is excluded too."),
    Reason("cut_edge", _C, "The crossing lies at the cut end of the epidermis; that length is excluded too."),
    Reason(
        "junction_low_confidence",
        _C,
        "The junction is not certain here; this stretch is excluded with its length.",
    ),
    Reason("reviewer_added", _C, "A reviewer saw the fiber cross here."),
    Reason("reviewer_counted", _C, "A reviewer counts this candidate."),
    Reason("reviewer_rejected", _C, "A reviewer does not count this candidate."),
    Reason("reviewer_removed", _C, "A reviewer found no crossing here."),
    Reason("section_refused", _C, "The section was refused, so nothing in it is counted."),
    # calls
    Reason("age_missing", _W, "The age at collection is not given.", "Add age_years to the case table."),
    Reason("sex_missing", _W, "The sex is not given.", "Add sex (F or M) to the case table."),
    Reason(
        "age_outside_norm",
        _W,
        "The age lies outside the range of the norm.",
        "Use a norm that covers this age.",
    ),
    Reason("sex_outside_norm", _W, "The norm has limits for F and M only.", "Give sex as F or M."),
    Reason("site_missing", _W, "The site of the biopsy is not given.", "Add site to the case table."),
    Reason("site_outside_norm", _W, "The norm does not hold for this site.", "Use a norm for this site."),
    Reason("stain_missing", _W, "The stain of a section is not known.", "Add stain to the case table."),
    Reason("stain_outside_norm", _W, "The norm does not hold for this stain.", "Use a norm for this stain."),
    Reason(
        "section_um_missing",
        _W,
        "The thickness of the sections is not given.",
        "Add section_um to the case table.",
    ),
    Reason(
        "section_um_outside_norm",
        _W,
        "The sections are thinner or thicker than those of the norm.",
        "Use a norm for this thickness.",
    ),
    Reason(
        "length_line_outside_norm",
        _W,
        "The norm counts per mm of another line than the protocol.",
        "Set length_line in the protocol to that of the norm.",
    ),
    Reason(
        "length_line_inconsistent",
        _W,
        "The sections of this biopsy are measured on different lines.",
        "Run again, so that one protocol holds for all of them.",
    ),
    Reason("no_norm", _W, "No norm is set for this stain.", "Choose a norm in the protocol."),
    Reason(
        "too_few_sections",
        _W,
        "Fewer sections could be evaluated than the protocol asks for.",
        "Stain and scan further sections of this biopsy.",
    ),
    Reason(
        "too_short",
        _W,
        "The epidermis evaluated in all is shorter than the protocol asks for.",
        "Stain and scan further sections of this biopsy.",
    ),
    Reason(
        "no_evaluable_section",
        _W,
        "No section of this biopsy could be evaluated.",
        "See the reasons of its sections.",
    ),
    Reason(
        "calibration_inconsistent",
        _W,
        "The pixel size differs between sections in a way that suggests a wrong calibration.",
        "Check the calibration of each file of this biopsy.",
    ),
    Reason(
        "stain_inconsistent",
        _W,
        "The sections of this biopsy are of different stains.",
        "Give each stain its own biopsy_id.",
    ),
    Reason(
        "single_plane",
        _W,
        "Single planes of a section thicker than 10 um show only part of its fibers.",
        "Scan a stack or an extended-focus image.",
    ),
    Reason(
        "duplicate_field",
        _W,
        "Two files of this case show the same tissue.",
        "Take one of them out of the case table; same_tissue_as in sections.csv says which.",
    ),
    Reason(
        "control_failed",
        _W,
        "A control of the staining run failed.",
        "See controls.csv; stain the sections again. Name staining_run in the case table where it is another"
        " run.",
    ),
    Reason(
        "image_in_two_biopsies",
        _W,
        "An image of this biopsy stands under another biopsy, too.",
        "Correct the case table: the image belongs to one of them.",
    ),
    Reason(
        "case_data_conflict",
        _W,
        "Two case tables say different things of this biopsy, so its files were not pooled.",
        "Correct the case tables, and run each image folder again.",
    ),
    Reason(
        "protocol_inconsistent",
        _W,
        "The sections of this biopsy were analyzed under different protocols or versions of ienfd.",
        "Run the whole image folder again, so that one protocol holds for all of them.",
    ),
    # flags
    Reason(
        "sections_pending",
        _Q,
        "Not all sections of this biopsy have been analyzed yet.",
        "Run again: it goes on where it was interrupted.",
    ),
    Reason(
        "planes_unknown",
        _Q,
        "It is not known whether this is a single plane or a projection.",
        "Add planes to the case table.",
    ),
    Reason(
        "norm_frame_unstated",
        _Q,
        "The publication does not state the section thickness or length line of the norm.",
    ),
    Reason(
        "norm_percentile_unstated",
        _Q,
        "The publication does not state which percentile the limit of the norm is.",
    ),
    Reason(
        "norm_provisional",
        _Q,
        "The norm is provisional: it was fitted to fewer than 120 subjects.",
        "See its intervals with `ienfd norms show`; build it again with more subjects.",
    ),
    Reason("norms_disagree", _Q, "Applicable norms disagree on this biopsy.", "Read the others beside it."),
    Reason(
        "borderline",
        _Q,
        "The interval of the density includes the limit.",
        "Read further sections; ask a second reader.",
    ),
    Reason(
        "junction_partly_uncertain",
        _Q,
        "Stretches of the junction are uncertain and were excluded with their length.",
    ),
    Reason(
        "junction_doubtful",
        _Q,
        "The junction may lie more than 5 um from where it was found along much of the section.",
        "Look at the whole junction in the review, and draw it where it is wrong.",
    ),
    Reason(
        "stain_guessed",
        _Q,
        "Bright-field or fluorescence was recognized with little certainty.",
        "Give stain in the case table.",
    ),
    Reason("channel_by_position", _Q, "The nerve channel was taken by its position, not by its name."),
    Reason(
        "many_dendritic_cells",
        _Q,
        "There are many dendritic cells in the epidermis.",
        "Check the crossings near them.",
    ),
    Reason(
        "partly_saturated", _Q, "Part of the tissue is saturated.", "Scan it again with a shorter exposure."
    ),
    Reason("soft_focus", _Q, "The image is soft.", "Faint fibers may be missed; scan it again if you can."),
    Reason(
        "dim_stain",
        _Q,
        "The nerve stain is weak.",
        "Faint fibers may be missed; check the staining and the positive control.",
    ),
    Reason(
        "nerves_far_below",
        _Q,
        "More nerves lie 60 to 200 um below the junction than nearer to it.",
        "A plexus lies right below an epidermis: look whether the junction is the lower edge of corneum.",
    ),
    Reason(
        "noisy",
        _Q,
        "The image is noisy.",
        "Faint fibers may be missed; scan it again with more light or a longer exposure.",
    ),
    Reason(
        "tissue_fold",
        _Q,
        "Tissue seems to lie double somewhere along the epidermis.",
        "Leave the fold out in the review, with its length.",
    ),
    Reason(
        "oblique_cut",
        _Q,
        "The epidermis is so thick that the section may have been cut obliquely.",
        "Look at it; use a section that was cut at a right angle to the skin.",
    ),
    Reason(
        "partly_unread",
        _Q,
        "The surface of the skin seems to go on where no epidermis was found.",
        "Look at the overlay: what is not outlined there is in neither crossings nor length.",
    ),
    Reason(
        "no_dermis_seen",
        _Q,
        "Less than 50 um of dermis is in the image.",
        "Scan a field that shows the dermis.",
    ),
    Reason(
        "edits_unmatched",
        _Q,
        "A correction no longer finds what it corrected, because the section was analyzed again.",
        "Review the section again.",
    ),
    Reason(
        "changed_after_signing",
        _Q,
        "The biopsy was changed after it was signed.",
        "Sign the amendment, or take the changes back.",
    ),
    Reason(
        "not_validated",
        _Q,
        "The protocol or the version of ienfd is not the one that the laboratory has validated.",
        "See `ienfd protocol pinned`; run again under that protocol, or validate and pin this one.",
    ),
    Reason("control_section", _Q, "A control section: not pooled into any biopsy."),
    Reason(
        "control_without_nerve",
        _Q,
        "This positive control shows no nerve.",
        "Check the antibody and its dilution, and stain the run again.",
    ),
    Reason(
        "control_with_nerve",
        _Q,
        "This negative control shows nerves, or what looks like them.",
        "Look at it: what is stained in it is not nerve. Check the blocking, and stain the run again.",
    ),
    Reason(
        "control_not_judged",
        _Q,
        "A control of the staining run could not be judged.",
        "See controls.csv; scan a control that shows the epidermis.",
    ),
    Reason(
        "same_tissue",
        _Q,
        "Another file of this case shows the same tissue.",
        "Take one of them out of the case table; same_tissue_as in sections.csv says which.",
    ),
    # comparisons with a manual count
    Reason(
        "manual_unmatched",
        _L,
        "The study has no section or biopsy of this name.",
        "Write file, section_id, or case_id and biopsy_id as in sections.csv.",
    ),
    Reason(
        "manual_ambiguous",
        _L,
        "The name fits more than one section or biopsy of the study.",
        "Name a section by its section_id, a biopsy by case_id and biopsy_id.",
    ),
    Reason(
        "manual_twice",
        _L,
        "The same reader has more than one row for it, so that none of them is used.",
        "Keep one of the rows, or give the readings different readers.",
    ),
    Reason("manual_blank", _L, "The row holds no figure.", "Fill it in, or leave it out."),
    Reason("program_no_density", _L, "ienfd gives no density here."),
    Reason(
        "not_reviewed",
        _L,
        "It is not reviewed as it stands, and reviewed results were asked for.",
        "Review it, or compare with --state automatic.",
    ),
    Reason("sections_not_all_read", _L, "Not every evaluated section of the biopsy was read by hand."),
    Reason("call_withheld", _L, "The call of the biopsy is withheld, so that there is no limit."),
    Reason("no_manual_density", _L, "There is no manual density to be called."),
    Reason("places_missing", _L, "There are crossings in the manual count, but no positions of them."),
    Reason(
        "places_differ_from_count", _L, "There are not as many positions as crossings in the manual count."
    ),
    Reason(
        "places_outside_image",
        _L,
        "A position lies outside the image.",
        "Positions are row and column in pixels of the full-resolution image, from 0, as in crossings.csv.",
    ),
    Reason("too_few_pairs", _L, "There are too few pairs for this figure to say anything."),
    Reason("not_defined", _L, "The figure is not defined here, for example because nothing varies."),
    # two biopsies of a patient
    Reason("course_withdrawn", _L, "The signed result of one of them was withdrawn."),
    Reason("course_no_density", _L, "One of them has no density.", "See the reasons of its sections."),
    Reason(
        "course_not_sound",
        _L,
        "The density of one of them is in doubt.",
        "See its withheld_reasons, and settle them.",
    ),
    Reason("course_site_unclear", _L, "The site is not given, or is other.", "Add site to the case table."),
    Reason(
        "course_date_missing",
        _L,
        "The date of one of them is not given, so that it is not known which came first.",
        "Add collection_date to the case table.",
    ),
    Reason("course_stain_differs", _L, "Their stains differ, or are not known."),
    Reason("course_length_line_differs", _L, "Their densities are per mm of different lines."),
    Reason(
        "course_section_um_missing",
        _L,
        "The thickness of the sections is not given for both.",
        "Add section_um to the case table.",
    ),
    Reason("course_section_um_differs", _L, "Their sections are of different thickness."),
    Reason(
        "course_protocol_differs",
        _L,
        "They were analyzed under different protocols or versions of ienfd.",
        "Run the images of both again under one protocol; what is signed keeps its analysis.",
    ),
    # usage
    Reason("no_images", _U, "No image was found.", "Check the path; ienfd reads TIFF, SVS, PNG and JPEG."),
    Reason("case_table_invalid", _U, "The case table is not valid.", "Correct the rows named above."),
    Reason("protocol_invalid", _U, "The protocol is not valid.", "Correct the lines named above."),
    Reason(
        "pin_invalid",
        _U,
        "The file of what the laboratory has validated is not valid.",
        "Put it right, or move it away and pin again: ienfd protocol pin FILE --by NAME",
    ),
    Reason("norm_invalid", _U, "The norm file is not valid.", "Correct the lines named above."),
    Reason("unknown_norm", _U, "There is no norm of this name.", "See `ienfd norms list`."),
    Reason("unknown_template", _U, "There is no form for a norm of this name."),
    Reason(
        "norm_exists",
        _U,
        "There is another norm of this id.",
        "Give yours another id, or --replace that one, which is then kept under its hash.",
    ),
    Reason(
        "norm_altered",
        _U,
        "This norm is not what somebody entered: it is not used.",
        "Check its file, and enter it: ienfd norms add FILE --by NAME --replace",
    ),
    Reason(
        "norm_differs",
        _U,
        "The study has been called with another norm of this id.",
        "Give the changed norm an id of its own, add it, and name that one.",
    ),
    Reason("cohort_invalid", _U, "The table of subjects is not valid.", "Correct the rows named above."),
    Reason(
        "too_few_subjects",
        _U,
        "There are too few subjects for a norm.",
        "It takes 40, and 20 of each sex; with fewer than 120 the norm is provisional.",
    ),
    Reason(
        "out_inside_images",
        _U,
        "The study folder may not be the image folder itself.",
        "Choose another --out.",
    ),
    Reason("not_a_study", _U, "This folder is not a study.", "Give the folder that `ienfd run --out` made."),
    Reason("study_newer", _U, "This study was written by a newer version of ienfd.", "Install that version."),
    Reason("option_invalid", _U, "An option has a value that it cannot take."),
    Reason(
        "training_too_small",
        _U,
        "Too little has been reviewed to learn from.",
        "Review sections of ten patients or more, until 20 candidates count and 20 do not.",
    ),
    Reason(
        "edit_conflict",
        _U,
        "Somebody else has changed this in the meantime.",
        "Look at both versions, and decide again.",
    ),
    Reason(
        "scheduler_insecure",
        _U,
        "Sections would be sent over the network without encryption.",
        "Use a tls:// scheduler, or --insecure-scheduler where the network is your own.",
    ),
    Reason(
        "scheduler_other_version",
        _U,
        "A worker of the cluster has another version of ienfd.",
        "Install the same version everywhere.",
    ),
    Reason(
        "sign_blocked",
        _U,
        "This biopsy cannot be signed.",
        "Settle what is named above, and sign again.",
    ),
    Reason(
        "report_template_invalid",
        _U,
        "The template of the report is not valid.",
        "See report.toml in README.md, and run again.",
    ),
    Reason(
        "report_nothing", _U, "There is no biopsy to report.", "See biopsies.csv for those that there are."
    ),
    Reason("manual_invalid", _U, "The table of manual counts is not valid.", "Correct the rows named above."),
    Reason(
        "manual_nothing",
        _U,
        "Nothing in the table of manual counts can be compared with the study.",
        "See the reasons above; --template FILE writes an empty table of this study.",
    ),
    Reason("import_invalid", _U, "This is no GeoJSON that ienfd can read."),
    Reason(
        "import_unknown",
        _U,
        "The file does not say which section of this study it shows, and as of when.",
        "Export the section from this study (--format geojson), edit that, and save all objects of it.",
    ),
    Reason(
        "import_outdated",
        _U,
        "The section was analyzed or counted anew after the file was exported.",
        "Export it again, and repeat the changes.",
    ),
    Reason("edit_invalid", _U, "This cannot be done to the study as it stands."),
    # environment
    Reason(
        "scheduler_unavailable",
        _E,
        "The Dask cluster cannot be used.",
        "Check that the scheduler runs and has workers; what is done is kept: run again.",
    ),
    Reason("extra_missing", _E, "This needs an optional part of ienfd that is not installed."),
    Reason(
        "norm_not_written",
        _E,
        "A file about norms cannot be written.",
        "Check the permissions and the free space; IENFD_NORMS names another folder for norms.",
    ),
    Reason(
        "pin_not_written",
        _E,
        "The file of what the laboratory has validated cannot be written.",
        "Check the permissions and the free space; IENFD_VALIDATED names another file.",
    ),
    Reason(
        "cannot_write", _E, "The study folder cannot be written.", "Check the permissions and the free space."
    ),
    Reason(
        "program_damaged",
        _E,
        "A file of the program is not the one it came with.",
        "Install ienfd again.",
    ),
    Reason(
        "workers_cannot_start",
        _E,
        "No process could be started to analyze the sections.",
        "Check the free memory; a script that runs a batch needs `if __name__ == '__main__':`.",
    ),
    Reason(
        "database_unavailable",
        _E,
        "The database of the study cannot be used.",
        "Check study.toml and the server.",
    ),
)
