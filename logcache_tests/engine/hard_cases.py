"""What real Datomic logs are like (the README beside the real log lists it), and which test covers each."""

HARD_CASES = {
    "a log begins at t 1000 and holds no bootstrap transaction": "test_contracts.test_an_ident_is_named_as_of_the_end",
    "of bootstrap entities only 0 occurs as e": "test_hard_histories.test_entity_0_and_empty_txes_make_no_row",
    "entity ids reach 2305864999446250524": "test_hard_values.test_ids_are_longs_everywhere",
    "t is not dense": "test_law_of_the_cache.test_a_cache_changes_nothing",
    "several t share one instant": "test_hard_histories.test_several_ts_may_share_an_instant",
    "datoms of one entity are not together": "test_facts.test_datoms_fold_to_the_facts_that_held",
    "an update is an assertion, then a retraction": "test_hard_histories.test_an_update_comes_as_assertion_first",
    "what changes nothing leaves no datom": "test_hard_histories.test_entity_0_and_empty_txes_make_no_row",
    "retractEntity takes the references to it along": (
        "test_hard_histories.test_a_retracted_entity_takes_the_references_to_it_along"
    ),
    "functions are datoms": "test_hard_values.test_functions_are_facts_that_no_contract_shows",
    "functions have no column": "test_contract_errors.test_a_definition_that_the_log_contradicts_is_refused",
    "a tx adds datoms to an older tx": "test_hard_histories.test_a_tx_is_an_entity_and_an_older_one_may_get_datoms",
    "composite tuples": "test_hard_values.test_composite_tuples_are_their_text",
    "equal byte arrays of one tx": "test_hard_values.test_two_equal_byte_arrays_of_one_tx_are_one_element",
    "equal byte arrays are no duplicate": "test_raw.test_two_equal_byte_arrays_are_no_duplicate",
    "bigdec 1.0 to 1.00, cardinality one": "test_hard_values.test_a_bigdec_that_changes_its_scale_is_an_update",
    "bigdec 1.0 and 1.00, cardinality many": "test_hard_values.test_bigdecs_of_two_scales_are_one_element",
    "NaN stays": "test_hard_values.test_nan_stays_until_it_is_retracted",
    "-0.0, subnormals, infinities": "test_hard_values.test_doubles_keep_every_bit",
    "empty strings, control characters, a megabyte": "test_hard_values.test_texts_are_kept_as_they_are",
    "unpaired surrogates": "test_hard_values.test_an_unpaired_surrogate_is_no_text_of_a_segment",
    "refs to nothing, a tx, a bootstrap entity, itself": "test_hard_histories.test_a_ref_leads_anywhere",
    "refs to what was excised": "test_contracts.test_a_ref_to_what_has_no_value_is_null_and_left_out_of_lists",
    "instants of any year": "test_hard_values.test_instants_of_any_year",
    "a renamed ident": "test_contracts.test_an_ident_is_named_as_of_the_end",
    "idents swapped in one tx": "test_hard_names.test_names_swapped_in_one_tx_are_swapped_in_all_history",
    "an ident A, B, A": "test_hard_names.test_a_name_that_went_and_came_back_is_the_name",
    "an ident retracted": "test_contracts.test_a_retracted_name_is_no_name",
    "an ident reused": "test_hard_names.test_a_retracted_name_may_be_anothers",
    "cardinality one to many": "test_hard_names.test_an_attribute_that_became_many_shows_lists_of_all_its_days",
    "cardinality many to one": (
        "test_hard_names.test_an_attribute_that_became_one_shows_the_smallest_of_its_many_days"
    ),
    "a key changed": "test_hard_histories.test_a_changed_key_is_the_key_from_then_on",
    "a key retracted and given back": "test_hard_histories.test_a_key_that_was_retracted_and_given_back",
    "a key moved": "test_hard_histories.test_a_key_that_moved_in_one_tx",
    "keys swapped": "test_hard_histories.test_keys_swapped_in_one_tx",
    "floats as the digits that read back": "test_values.test_a_canonical_text_is_its_value",
    "lists by column value": "test_contracts.test_lists_are_distinct_and_ascend_by_value",
    "an attribute unknown to one instance": (
        "test_hard_histories.test_an_attribute_that_one_instance_lacks_is_null_there"
    ),
    "an attribute unknown to all": "test_contracts.test_an_unknown_attribute_is_told_and_null",
    "txes are entities": "test_hard_histories.test_a_tx_is_an_entity_and_an_older_one_may_get_datoms",
    "excision": "test_datomics_answers.test_every_contract_equals_datomics_answer",
}
"""Case → module and test."""
