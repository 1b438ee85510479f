"""What is expected of each server: every check, except those that it is known to lack.

A test that rests on a check asks for it by name, `@pytest.mark.needs("copy_source_if_match")`, and is skipped on a
server that lacks it; its fixture hands the server to `trusted`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from logcache_tests.servers.conformance import checksum_checks, dynamodb_checks, s3_checks
from logcache_tests.servers.conformance.asking import Asking
from logcache_tests.servers.fault_proxy.proxy import BEHIND

Check = Callable[[Asking], bool]

S3_CHECKS: tuple[Check, ...] = (
    s3_checks.put_if_none_match,
    s3_checks.put_if_match,
    s3_checks.copy_source_if_match,
    s3_checks.part_copy_source_if_match,
    s3_checks.copy_if_none_match,
    s3_checks.complete_if_none_match,
    checksum_checks.wrong_md5,
    checksum_checks.wrong_crc32,
    checksum_checks.crc64nvme_shown,
    checksum_checks.crc64nvme_added,
    checksum_checks.crc64nvme_copied,
    checksum_checks.crc64nvme_of_parts,
    checksum_checks.copy_answers_crc64nvme,
    checksum_checks.listing_shows_algorithm,
    checksum_checks.etag_of_parts,
    checksum_checks.part_copies,
    s3_checks.copy_keeps_attributes,
    s3_checks.copy_by_version,
    s3_checks.listing_in_pages,
    s3_checks.odd_keys,
    s3_checks.dots_in_keys,
    s3_checks.key_beside_folder,
    s3_checks.range_of_bytes,
    s3_checks.lifecycle,
    s3_checks.expiration_shown,
    s3_checks.storage_class_kept,
    s3_checks.archived_refused,
    s3_checks.kms_key_kept,
    s3_checks.expected_owner,
    s3_checks.missing_bucket,
    s3_checks.wrong_secret,
)
DYNAMODB_CHECKS: tuple[Check, ...] = (
    dynamodb_checks.ranges_of_sort_key,
    dynamodb_checks.pages_of_one_megabyte,
    dynamodb_checks.empty_page_goes_on,
    dynamodb_checks.limit_goes_on,
    dynamodb_checks.reserved_words,
    dynamodb_checks.filter_on_key_refused,
    dynamodb_checks.long_number_refused,
    dynamodb_checks.wrong_items_refused,
    dynamodb_checks.conditional_put,
    dynamodb_checks.global_index_not_consistent,
    dynamodb_checks.missing_table,
)
CHECKS: Mapping[str, Check] = {check.__name__: check for check in (*S3_CHECKS, *DYNAMODB_CHECKS)}

_VERSITYGW = frozenset(
    {
        "archived_refused",
        "dots_in_keys",
        "expiration_shown",
        "key_beside_folder",
        "kms_key_kept",
        "lifecycle",
        "storage_class_kept",
    }
)
LACKING: Mapping[str, frozenset[str]] = {
    "versitygw": _VERSITYGW | {"copy_if_none_match"},
    f"versitygw{BEHIND}": _VERSITYGW,
    "moto": frozenset(
        {
            "copy_if_none_match",
            "copy_source_if_match",
            "crc64nvme_added",
            "expected_owner",
            "expiration_shown",
            "filter_on_key_refused",
            "limit_goes_on",
            "long_number_refused",
            "part_copy_source_if_match",
            "wrong_crc32",
            "wrong_md5",
            "wrong_secret",
        }
    ),
    "dynamodb-local": frozenset({"empty_page_goes_on"}),
}
"""Server → what it does not do as Amazon's service does."""


def lacking(server: str, needed: Iterable[str]) -> Iterator[str]:
    """Those of the needed checks that a server lacks.

    Raises:
        ValueError: there is no such check.
    """
    for name in needed:
        if name not in CHECKS:
            raise ValueError(f"there is no check {name!r}; known are {', '.join(CHECKS)}")
        if name in LACKING[server]:
            yield name


def explain_differences(server: str, found: Mapping[str, bool]) -> list[str]:
    """What to change because a server is better or worse than expected."""
    where = f'of LACKING["{server}"] in {__name__}, and change the table in docs/testing.md'
    return [
        f"{server} keeps {name}: take it out {where}"
        if keeps
        else f"{server} does not keep {name}: make it one {where}; tests that need it run elsewhere"
        for name, keeps in found.items()
        if keeps is (name in LACKING[server])
    ]


def promise_of(check: Check) -> str:
    """The sentence that is true of a server that keeps it."""
    return (check.__doc__ or "").strip()


def render_trust(server: str, found: Mapping[str, bool]) -> str:
    """One line about a server."""
    kept, lacks = ([name for name, keeps in found.items() if keeps is answer] for answer in (True, False))
    without = f", but not with {', '.join(lacks)}" if lacks else ""
    return f"{server} may be trusted with {len(kept)} of {len(found)} promises{without}"


def render_table(checks: Iterable[Check], answers: Mapping[str, Callable[[str], bool]]) -> str:
    """A row for each check and a column for each server, in Markdown.

    Args:
        checks: the rows.
        answers: server → whether it keeps the check of this name.
    """
    head = ["check", "promise", *answers]
    rows = [
        [f"`{name}`", promise_of(check), *("✓" if keeps(name) else "**✗**" for keeps in answers.values())]
        for check, name in ((check, check.__name__) for check in checks)
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def keeps(server: str) -> Callable[[str], bool]:
    """What is expected of a server."""
    return lambda name: name not in LACKING[server]
