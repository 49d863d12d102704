"""The page `compliance.md`: which article is met by what, which test shows it, and what is not met."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from hub.reference.markdown import code, header, table

State = Literal["met", "partly", "not met"]

_ARTICLES: Final = "tests/privacy/test_articles.py::"
_ANSWERS: Final = "tests/privacy/requests/test_answers.py::"
_LIFTING: Final = "tests/privacy/requests/test_lifting.py::"
_CLOCK: Final = "tests/privacy/requests/test_clock.py::"
_CONSENT: Final = "tests/privacy/test_consent.py::"
_CALLING: Final = "tests/privacy/test_calling.py::"
_REPLIES: Final = "tests/privacy/test_replies.py::"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row: an article, what the hub does about it, and what shows it."""

    article: str
    capability: str
    how: str
    """The command or the query; empty where there is none."""
    tests: tuple[str, ...]
    """Ids of tests, as pytest takes them, without parameters."""
    lacking: str = ""
    """What is not met, in plain words; empty where all is."""

    @property
    def state(self) -> State:
        """Met where nothing lacks, not met where no test shows anything."""
        if not self.lacking:
            return "met"
        return "partly" if self.tests else "not met"


REQUIREMENTS: Final = (
    Requirement(
        "GDPR Art. 5(1)(a), (b)",
        "each read states a purpose of the registry; one that is unknown, or not the caller's, is refused and recorded",
        "`X-Purpose`; `policy.yaml`",
        (f"{_ARTICLES}test_art_5_1_a_b_each_read_states_a_purpose_of_the_registry",),
    ),
    Requirement(
        "GDPR Art. 5(1)(c), 25",
        "denied by default; what no mapping reads is landed and never served; a new field is told",
        "`complianceOverview`, `hub privacy home`, `hub sources`",
        (
            f"{_ARTICLES}test_art_5_1_c_25_what_no_mapping_reads_is_not_served",
            "tests/privacy/test_home.py::test_a_field_that_nobody_classified_is_told",
            "tests/adapters/test_findings.py::test_a_field_added_at_the_source_raises_findings_at_the_next_sync",
        ),
    ),
    Requirement(
        "GDPR Art. 5(1)(d), 16",
        "a value is corrected with who, when and why, and the correction outlives the next syncs",
        "`correctProperty`, `hub correction make`; at the sources `hub request run`, by task or `connector.amend`",
        (
            "tests/commands/test_corrections.py::test_a_steward_s_value_wins_over_all_sources_and_later_syncs",
            "tests/commands/test_corrections.py::test_a_correction_says_who_when_and_why_in_the_landed_record",
            f"{_ANSWERS}test_article_16_a_rectified_person_stays_rectified_and_the_source_is_put_right",
        ),
    ),
    Requirement(
        "GDPR Art. 5(1)(e)",
        "retention by type and purpose, and of what sources sent; dry run, legal holds, a count of what is overdue",
        "`hub retention report`, `hub retention run`, `hub hold place`",
        (
            "tests/privacy/keeping/test_retention.py::test_article_5_1_e_rows_past_their_time_are_erased_and_logged",
            "tests/privacy/keeping/test_aging.py::test_what_waits_is_taken_out_in_time_and_does_not_wait_again",
            "tests/privacy/test_home.py::test_what_is_kept_too_long_is_late",
        ),
    ),
    Requirement(
        "GDPR Art. 5(1)(f), 32",
        "payloads of the log sealed by a key of each person; master keys rotate; an erasure holds after a restore",
        "`hub audit data-keys rotate`, `hub erase customer`",
        (
            "tests/audit/test_datakeys.py::test_each_subject_and_class_has_one_key_of_its_own",
            "tests/audit/test_datakeys.py::test_rotation_wraps_all_anew_and_the_former_key_may_go",
            "tests/commands/test_erasure_backups.py::test_a_store_out_of_an_older_backup_is_erased_again_by_the_next_start",
        ),
    ),
    Requirement(
        "GDPR Art. 5(2), 24",
        "the audit log is verified without the hub, and any changed byte is found",
        "`hub audit verify`, `docs/verify_audit.py`",
        (
            "tests/audit/test_audit_verification.py::test_every_byte_of_an_event_that_is_changed_is_found",
            "tests/audit/test_checkpoints.py::test_verification_goes_on_from_a_checkpoint_that_an_auditor_kept",
        ),
    ),
    Requirement(
        "GDPR Art. 6",
        "each purpose has a legal basis; no record of processing while interests are not weighed (`links.lia`)",
        "`hub access check`, `hub privacy record`",
        (f"{_ARTICLES}test_art_6_no_record_rests_on_interests_that_nobody_weighed",),
    ),
    Requirement(
        "GDPR Art. 7",
        "a yes or no with who, when and channel; the newest counts; a withdrawal holds for the next question",
        "`recordConsent`, `consentHistory`, `contactAllowed`; `hub consent record`, `history`, `allowed`",
        (
            "tests/commands/test_standing.py::test_a_withdrawal_denies_the_next_question",
            "tests/commands/test_standing.py::test_the_newest_word_on_the_use_and_the_channel_counts",
            f"{_CONSENT}test_a_yes_is_shown_with_the_row_that_gave_it",
            "tests/privacy/test_rules.py::test_the_rules_say_what_the_definition_says",
            "tests/store/test_versions.py::test_gdpr_art_7_a_row_of_the_ledger_cannot_be_updated",
        ),
        "whoever owns the database can take its triggers away, or a whole version out, and can change the rows that are"
        " made from the versions, by which plans decide",
    ),
    Requirement(
        "GDPR Art. 8",
        "the yes of a child counts when a guardian gave it, by the age of the country, in answers and in read plans",
        "`givenBy` of consents, `ages_of_consent` in `policy.yaml`; `user.childrens` is opened only by its own grant",
        (
            f"{_REPLIES}test_gdpr_art_8_the_yes_of_a_child_counts_when_a_guardian_gave_it",
            f"{_REPLIES}test_gdpr_art_8_rules_and_plans_agree_on_children",
            "tests/access/test_matrix.py::test_special_data_is_open_only_to_a_grant_that_names_it",
        ),
        "that whoever speaks for a child is its guardian is for the source to see to; unknown ages are taken for adult",
    ),
    Requirement(
        "GDPR Art. 9, 10",
        "special data is opened by no grant above it, and for no purpose that cites no condition of Art. 9(2)",
        "`links.art_9` in `policy.yaml`, `hub access check`; `explainAccess`, `hub access explain`",
        (
            f"{_ARTICLES}test_art_9_10_special_data_is_opened_by_no_grant_above_it",
            f"{_ARTICLES}test_art_9_10_a_purpose_that_cites_no_condition_opens_nothing",
        ),
    ),
    Requirement(
        "GDPR Art. 12",
        "requests are taken in, with identity, deadline, pause, extension and refusal, and a step for every place",
        "`openPrivacyRequest` and its like; `hub request open`, `list`, `verify`, `pause`, `extend`, `refuse`",
        (
            f"{_ANSWERS}test_article_12_every_place_gets_a_step_with_an_owner_and_nothing_is_skipped",
            f"{_ANSWERS}test_article_12_nothing_is_handed_out_before_it_is_verified_who_asks",
            f"{_CLOCK}test_article_12_one_month_ends_on_the_same_date_or_the_month_s_last_working_day",
            f"{_CLOCK}test_article_12_two_further_months_are_counted_from_receipt",
            f"{_CLOCK}test_article_12a_of_the_uk_the_clock_stands_while_the_person_is_asked",
            f"{_ANSWERS}test_article_12_a_refusal_has_a_reason_and_ends_the_request",
        ),
        "the hub keeps that somebody's identity was checked, and how; it does not check it",
    ),
    Requirement(
        "GDPR Art. 13, 14",
        "the notice of each purpose stands in the record of processing; its lack is a gap",
        "`ropa`, `hub privacy record`",
        (
            "tests/privacy/test_records.py::test_an_empty_cell_is_a_gap_and_a_gap_is_an_empty_cell",
            f"{_ANSWERS}test_article_15_each_value_has_source_and_date_and_others_are_taken_out",
        ),
    ),
    Requirement(
        "GDPR Art. 15",
        "a person's data with purposes, recipients, retention, sources and disclosures, others taken out",
        "`accessPackage`, `hub request package`",
        (
            f"{_ANSWERS}test_article_15_the_package_is_complete_against_a_scan_of_all_stores",
            f"{_ANSWERS}test_article_15_each_value_has_source_and_date_and_others_are_taken_out",
            f"{_ANSWERS}test_article_15_disclosures_come_from_the_audit_log_without_names_of_employees",
        ),
        "names of others in the middle of free text are not found by rule: a step of the request has somebody read it",
    ),
    Requirement(
        "GDPR Art. 17, 19",
        "a customer is erased from every place of the hub, nothing is left, and no import brings them back",
        "`eraseCustomer`, `hub erase customer`",
        (
            "tests/demo/test_erased.py::test_nothing_is_left_of_an_erased_customer_and_all_proofs_hold",
            "tests/commands/test_erasures.py::test_the_next_full_import_does_not_bring_them_back",
            "tests/privacy/keeping/test_holds.py::test_article_17_3_e_nobody_is_erased_under_a_hold_until_it_is_released",
            f"{_ANSWERS}test_article_17_an_erased_person_stays_erased_through_ten_imports_which_the_request_tells",
            f"{_ANSWERS}test_article_17_3_what_stays_is_what_the_rule_says_and_is_shown_for_its_purpose_alone",
        ),
        "a recipient is told, and a source without `connector.amend` erases, by somebody whose task it is",
    ),
    Requirement(
        "GDPR Art. 18",
        "a restricted customer is gone for every purpose but those that may see them, until it is lifted; the person is"
        " told before",
        "`recordRestriction`, `hub restriction record`; `hub request open lifting`",
        (
            "tests/commands/test_standing.py::test_who_restricts_is_gone_for_all_but_compliance_until_it_is_lifted",
            f"{_ANSWERS}test_article_18_a_restricted_person_is_out_of_every_use_and_known_to_recipients",
            f"{_LIFTING}test_article_18_3_a_restriction_is_lifted_only_after_the_person_was_told",
        ),
    ),
    Requirement(
        "GDPR Art. 20",
        "what a person gave under consent or contract, as JSON and CSV, nothing inferred",
        "`accessPackage`, `hub request package`",
        (f"{_ANSWERS}test_article_20_goes_what_was_given_by_agreement_and_nothing_inferred",),
    ),
    Requirement(
        "GDPR Art. 21",
        "an objection keeps a customer from interests and advertising; who is erased stays out",
        "`recordRestriction`",
        (
            "tests/commands/test_standing.py::test_an_objection_keeps_from_legitimate_interests_and_from_its_use_only",
            "tests/adapters/test_suppression.py::test_reading_everything_again_brings_nothing_back_and_says_how_much_it_kept_out",
        ),
    ),
    Requirement(
        "GDPR Art. 22",
        "the record says which purposes profile, and by what; a decision is explained, and somebody looks at it",
        "`ropa`, `hub privacy record`; `hub request open automated_decision`",
        (
            "tests/privacy/test_records.py::test_the_cells_say_what_runs",
            f"{_LIFTING}test_article_22_a_decision_by_machine_is_explained_looked_at_by_somebody_and_told",
        ),
    ),
    Requirement(
        "GDPR Art. 26, 28",
        "partners with role, contract, sub-processors and countries; the people of one without a contract in force are"
        " answered nothing, and the record has a gap",
        "`organisation.yaml`, `findings`, `ropa`",
        (
            f"{_ARTICLES}test_art_28_people_of_a_partner_are_answered_nothing_without_a_contract_in_force",
            f"{_ARTICLES}test_art_26_28_a_partner_without_a_contract_is_a_gap_of_the_record",
        ),
    ),
    Requirement(
        "GDPR Art. 30",
        "the record of processing from what runs, 42 fields, each gap listed; for processors as well; Fides manifests",
        "`ropa`, `hub privacy record`, `hub privacy fides`, `make conformance-fides`",
        (
            f"{_ARTICLES}test_art_30_the_record_has_forty_two_columns_and_lists_each_gap",
            "tests/privacy/test_records.py::test_the_workbook_is_read_back_as_it_was",
            "tests/privacy/test_records.py::test_who_works_on_behalf_of_others_has_a_record_of_that",
        ),
    ),
    Requirement(
        "GDPR Art. 33, 34",
        "whom a breach concerns, by the audit log, with the 72-hour clock and a register",
        "`hub breach scope`, `hub breach open`, `hub breach list`",
        (
            "tests/privacy/keeping/test_breach.py::test_articles_33_34_a_leaked_credential_gives_exactly_whom_it_read",
            "tests/privacy/keeping/test_breach.py::test_articles_33_34_of_an_account_s_tokens_one_gives_exactly_whom_it_read",
            "tests/privacy/keeping/test_breach.py::test_an_incident_is_registered_followed_and_closed",
        ),
    ),
    Requirement(
        "GDPR Art. 35, 36",
        "what a changed policy adds that calls for an impact assessment waits for its link, or for a reasoned waiver",
        "`hub check`, `hub access check`; `links.dpia`, `links.dpia_waiver`",
        (
            f"{_ARTICLES}test_art_35_36_a_grant_that_calls_for_an_assessment_waits_for_it",
            "tests/privacy/test_assessments.py::test_the_rules_of_article_35_are_met_by_what_is_shown_of_all_customers",
        ),
    ),
    Requirement(
        "GDPR Art. 44-49",
        "a country outside the EEA and the UK needs a transfer mechanism, or is a finding and a gap of the record",
        "`organisation.yaml`, `findings`, `ropa`",
        (
            f"{_ARTICLES}test_art_44_49_a_transfer_without_a_mechanism_is_a_gap_of_the_record",
            "tests/privacy/test_places.py::test_what_the_organisation_does_not_say_is_found",
        ),
    ),
    Requirement(
        "CCPA 1798.100-.135",
        "know, delete, correct, opt out and limit by California's days; Global Privacy Control; the year's figures",
        "`hub request open --law ccpa`, `hub request metrics`, `recordGpc`, `recordSignal`",
        (
            f"{_CLOCK}test_ccpa_130_has_45_calendar_days_and_45_more",
            f"{_CLOCK}test_ccpa_135_opt_out_has_15_business_days",
            f"{_ANSWERS}test_ccpa_135_who_opted_out_is_not_asked_again_for_twelve_months",
            f"{_ANSWERS}test_article_21_and_ccpa_120_121_objections_hold_at_once_and_through_imports",
            f"{_ANSWERS}test_the_register_is_sorted_by_urgency_and_counts_days_and_figures",
            f"{_CONSENT}test_global_privacy_control_stops_sharing_and_advertising_elsewhere",
            f"{_REPLIES}test_ccpa_135_a_signal_by_e_mail_holds_for_who_has_it_and_for_who_will",
        ),
        "a limit keeps a person out of all uses beyond the service, whatever the category: more than is asked for;"
        " the day from which they may be asked again is told, and who asks before is not stopped",
    ),
    Requirement(
        "ePrivacy Art. 13, PECR 21-24",
        "a purpose that requires consent for a channel sees only customers whose newest word is a yes",
        "`requires_consent` and `channel` in `policy.yaml`",
        (
            "tests/commands/test_standing.py::test_a_yes_of_one_party_holds_for_the_customer_and_not_for_another",
            f"{_CONSENT}test_an_audience_tells_whom_it_leaves_out_and_why",
        ),
        "whether a buyer could refuse each time is left to the source; no identity of the sender",
    ),
    Requirement(
        "TCPA, TSR, DNC",
        "numbers of the own list and of registers, 31 days, STOP, calling hours in every zone where a number may be",
        "`recordDoNotCall`, `receiveReply`, `contactAllowed`; `hub consent do-not-call`, `import-register`, `reply`",
        (
            f"{_CALLING}test_tcpa_64_1200_d_a_number_on_the_own_list_is_in_no_call_audience_or_plan_whatever_the_yes",
            f"{_CALLING}test_tsr_310_4_a_registered_number_is_not_called_but_by_a_yes_that_names_the_channel",
            f"{_CALLING}test_tsr_310_4_b_3_iv_a_register_of_more_than_31_days_lets_nobody_be_called_on_its_word",
            f"{_CALLING}test_tcpa_64_1200_c_1_calls_wait_for_8_and_end_at_21_where_the_number_is",
            f"{_REPLIES}test_tcpa_64_1200_a_10_a_stop_is_a_withdrawal_with_its_proof_on_the_very_next_question",
        ),
        "registers are imported by hand; states' own lists and holidays are not known; read plans hold no register",
    ),
    Requirement(
        "CAN-SPAM",
        "an opt-out of advertising holds for the next question, and each system that sends says when it took the list",
        "`receiveReply`, `takeSuppressions`, `acknowledgeSuppressions`, `consentStatus`; `hub consent status`",
        (
            f"{_REPLIES}test_can_spam_7704_a_3_an_unsubscribe_by_e_mail_holds_at_once_known_or_not",
            f"{_REPLIES}test_a_withdrawal_waits_for_each_system_to_say_that_it_took_the_list",
            f"{_CONSENT}test_those_who_said_no_are_exported_and_the_log_tells",
        ),
        "address and subject line of what is sent are the sender's",
    ),
    Requirement(
        "ISO/IEC 27701, SOC 2",
        "each rule of the policy attested every quarter by somebody else; unused grants and samples from the log",
        "`accessMap`, `accessReview`, `attestGrant`; `hub privacy access`, `hub privacy review`, `hub privacy attest`",
        (
            f"{_ARTICLES}test_iso_27701_grants_are_attested_each_quarter_and_unused_ones_listed",
            "tests/privacy/test_access_map.py::test_nobody_attests_what_their_own_role_is_given",
            "tests/privacy/test_reviewing.py::test_the_same_seed_draws_the_same",
        ),
    ),
)
"""The checklist, in the order of the articles."""

_INTRODUCTION = """
What the law asks, what the hub does about it, and the test that shows it. *Met* means that the hub does what the row
says, not that whoever runs it complies: a lawyer judges that. What is not met is said in plain words below.
"""


def compliance_page() -> str:
    """The table, and what is not met."""
    counts = Counter(each.state for each in REQUIREMENTS)
    said = ", ".join(f"{counts[state]} {state}" for state in ("met", "partly", "not met"))
    return "\n".join(
        [
            header("Compliance", "`hub/reference/compliance.py`"),
            _INTRODUCTION,
            f"{len(REQUIREMENTS)} rows: {said}.\n",
            table(
                ("article", "state", "what the hub does", "by", "shown by"),
                (_row(each) for each in REQUIREMENTS),
            ),
            "## What is not met\n",
            table(
                ("article", "state", "what is lacking"),
                ((each.article, each.state, each.lacking) for each in REQUIREMENTS if each.lacking),
            ),
        ]
    )


def _row(each: Requirement) -> tuple[str, ...]:
    tests = "<br>".join(code(test) for test in each.tests)
    return each.article, each.state, each.capability, each.how, tests
