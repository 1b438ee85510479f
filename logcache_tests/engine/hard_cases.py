"""The hard cases of real Datomic logs (the README beside the real log lists them), and the test that covers each."""

HARD_CASES = {
    "a log begins at t 1000 and holds no bootstrap transaction": (
        "contracts.test_compute.test_an_ident_is_named_as_of_the_end"
    ),
    "of bootstrap entities only 0 occurs as e": (
        "contracts.test_hard_histories.test_entity_0_and_empty_txes_make_no_row"
    ),
    "entity ids reach 2305864999446250524": "contracts.test_hard_values.test_ids_are_longs_everywhere",
    "t is not dense": "log.test_law_of_the_cache.test_a_cache_changes_nothing",
    "several t share one instant": "contracts.test_hard_histories.test_several_ts_may_share_an_instant",
    "datoms of one entity are not together": "facts.test_fold.test_datoms_fold_to_the_facts_that_held",
    "an update is an assertion, then a retraction": (
        "contracts.test_hard_histories.test_an_update_comes_as_assertion_first"
    ),
    "what changes nothing leaves no datom": "contracts.test_hard_histories.test_entity_0_and_empty_txes_make_no_row",
    "retractEntity takes the references to it along": (
        "contracts.test_hard_histories.test_a_retracted_entity_takes_the_references_to_it_along"
    ),
    "functions are datoms": "contracts.test_hard_values.test_functions_are_facts_that_no_contract_shows",
    "functions have no column": "contracts.test_contract_errors.test_a_definition_that_the_log_contradicts_is_refused",
    "a tx adds datoms to an older tx": (
        "contracts.test_hard_histories.test_a_tx_is_an_entity_and_an_older_one_may_get_datoms"
    ),
    "composite tuples": "contracts.test_hard_values.test_composite_tuples_are_their_text",
    "equal byte arrays of one tx": "contracts.test_hard_values.test_two_equal_byte_arrays_of_one_tx_are_one_element",
    "equal byte arrays are no duplicate": "raw.test_describe_raw.test_two_equal_byte_arrays_are_no_duplicate",
    "bigdec 1.0 to 1.00, cardinality one": (
        "contracts.test_hard_values.test_a_bigdec_that_changes_its_scale_is_an_update"
    ),
    "bigdec 1.0 and 1.00, cardinality many": "contracts.test_hard_values.test_bigdecs_of_two_scales_are_one_element",
    "NaN stays": "contracts.test_hard_values.test_nan_stays_until_it_is_retracted",
    "-0.0, subnormals, infinities": "contracts.test_hard_values.test_doubles_keep_every_bit",
    "empty strings, control characters, a megabyte": "contracts.test_hard_values.test_texts_are_kept_as_they_are",
    "unpaired surrogates": "contracts.test_hard_values.test_an_unpaired_surrogate_is_no_text_of_a_segment",
    "refs to nothing, a tx, a bootstrap entity, itself": "contracts.test_hard_histories.test_a_ref_leads_anywhere",
    "refs to what was excised": "contracts.test_compute.test_a_ref_to_what_has_no_value_is_null_and_left_out_of_lists",
    "instants of any year": "contracts.test_hard_values.test_instants_of_any_year",
    "a renamed ident": "contracts.test_compute.test_an_ident_is_named_as_of_the_end",
    "idents swapped in one tx": "contracts.test_hard_names.test_names_swapped_in_one_tx_are_swapped_in_all_history",
    "an ident A, B, A": "contracts.test_hard_names.test_a_name_that_went_and_came_back_is_the_name",
    "an ident retracted": "contracts.test_compute.test_a_retracted_name_is_no_name",
    "an ident reused": "contracts.test_hard_names.test_a_retracted_name_may_be_anothers",
    "cardinality one to many": (
        "contracts.test_hard_names.test_an_attribute_that_became_many_shows_lists_of_all_its_days"
    ),
    "cardinality many to one": (
        "contracts.test_hard_names.test_an_attribute_that_became_one_shows_the_smallest_of_its_many_days"
    ),
    "a key changed": "contracts.test_hard_histories.test_a_changed_key_is_the_key_from_then_on",
    "a key retracted and given back": "contracts.test_hard_histories.test_a_key_that_was_retracted_and_given_back",
    "a key moved": "contracts.test_hard_histories.test_a_key_that_moved_in_one_tx",
    "keys swapped": "contracts.test_hard_histories.test_keys_swapped_in_one_tx",
    "floats as the digits that read back": "facts.test_values.test_a_canonical_text_is_its_value",
    "lists by column value": "contracts.test_compute.test_lists_are_distinct_and_ascend_by_value",
    "an attribute unknown to one instance": (
        "contracts.test_hard_histories.test_an_attribute_that_one_instance_lacks_is_null_there"
    ),
    "an attribute unknown to all": "contracts.test_compute.test_an_unknown_attribute_is_told_and_null",
    "txes are entities": "contracts.test_hard_histories.test_a_tx_is_an_entity_and_an_older_one_may_get_datoms",
    "excision": "contracts.test_datomics_answers.test_every_contract_equals_datomics_answer",
}
"""Case → room, module and test."""
