"""What the metapod client makes of answers that fit the schema and yet say too little, too much or nonsense."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gql import GraphQLRequest
from gql.transport import Transport
from graphql import ExecutionResult

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.domain.transactions import DatasetState, TransactionType
from logcache_assets.ports import MetapodError

NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
OTHER = "13cabf01-5257-4cdb-ac50-36648c7a8158"
NO_IDS = ("", "..", "x", NIGHT.upper(), NIGHT + "\n", NIGHT + "/../x", "../" + NIGHT, NIGHT[:-1], "9" * 5000)
"""Texts that are no UUID, some of which would lead out of their folder."""
STARTED = datetime(2018, 5, 28, 1, 0, tzinfo=UTC)
ANSWER: dict[str, object] = {
    "id": NIGHT,
    "name": "daily",
    "type": "DAILY",
    "startedAt": "2018-05-27T22:00:00-03:00",
    "targetDate": None,
    "referenceDate": None,
    "datasets": [],
}
DATASET: dict[str, object] = {
    "name": "a",
    "committedAt": "2018-05-28T02:30:15.250Z",
    "abortedAt": None,
    "path": "p",
    "schema": None,
}


def answering(answer: object) -> Callable[[], Transport]:
    """A server that gives this answer to every query."""

    class Answering(Transport):
        def execute(self, request: GraphQLRequest, *_args: object, **_kwargs: object) -> ExecutionResult:
            return ExecutionResult(data={str(request.operation_name): answer}, errors=None)

    return Answering


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ANSWER | {"startedAt": "yesterday"}, id="no instant"),
        pytest.param(ANSWER | {"startedAt": "2018-05-28T01:00:00"}, id="an instant without zone"),
        pytest.param(ANSWER | {"datasets": None}, id="datasets missing"),
        pytest.param(ANSWER | {"datasets": [None]}, id="a dataset missing"),
        pytest.param(ANSWER | {"datasets": [DATASET | {"path": 1}]}, id="path no text"),
        pytest.param(ANSWER | {"datasets": [DATASET, DATASET]}, id="a dataset twice"),
        pytest.param(ANSWER | {"startedAt": "0001-01-01T00:00:00+05:00"}, id="before the first year"),
        pytest.param(ANSWER | {"startedAt": "9999-12-31T23:59:59-05:00"}, id="after the last year"),
        pytest.param(ANSWER | {"startedAt": "10000-01-01T00:00:00Z"}, id="a year of five digits"),
        pytest.param(ANSWER | {"datasets": [DATASET | {"committedAt": "0001-01-01T00:00:00+00:01"}]}, id="a commit"),
        pytest.param(ANSWER | {"datasets": [DATASET | {"abortedAt": "9999-12-31T23:59:59-00:01"}]}, id="an abort"),
        pytest.param(ANSWER | {"id": OTHER}, id="another transaction"),
        pytest.param([ANSWER], id="a list in place of a transaction"),
        *(pytest.param(ANSWER | {"id": no_id}, id=f"the id {no_id!r}") for no_id in NO_IDS),
    ],
)
def test_an_answer_that_is_not_understood_is_an_error(answer: object) -> None:
    """No part of a malformed answer is used."""
    with pytest.raises(MetapodError, match="metapod"):
        GraphQLMetapod(answering(answer)).transaction(NIGHT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([ANSWER, ANSWER | {"id": OTHER}, ANSWER | {"name": "again"}], id="a transaction twice"),
        pytest.param(None, id="null"),
        pytest.param([None], id="a null among them"),
        *(pytest.param([ANSWER, ANSWER | {"id": no_id}], id=f"the id {no_id!r}") for no_id in NO_IDS),
    ],
)
def test_a_listing_that_is_not_understood_is_an_error(answer: object) -> None:
    """One transaction that says nonsense could be any night, so none of the list is used."""
    with pytest.raises(MetapodError, match="metapod"):
        GraphQLMetapod(answering(answer)).transactions(TransactionType.DAILY, since=STARTED)


@pytest.mark.parametrize("no_id", NO_IDS)
def test_metapod_is_not_asked_about_what_is_no_id(no_id: str) -> None:
    """Ids become parts of paths and of branches; the error shows the beginning of what was given."""

    def unasked() -> Transport:
        raise AssertionError("metapod was asked")

    with pytest.raises(MetapodError, match="is no id of a metapod transaction; give a UUID") as raised:
        GraphQLMetapod(unasked).transaction(no_id)

    assert len(str(raised.value)) < 300


def test_the_last_instant_of_all_is_accepted() -> None:
    """Years 1 and 9999 fit as long as they do in UTC; what they mean is judged elsewhere."""
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"

    found = GraphQLMetapod(answering(ANSWER | {"startedAt": last, "datasets": [DATASET | {"committedAt": first}]}))

    assert found.transaction(NIGHT).started_at == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_committed_and_aborted_counts_as_aborted() -> None:
    """Nothing is built on a dataset that was ever aborted; instants become UTC."""
    dataset = DATASET | {"abortedAt": "2018-05-28T03:00:00Z"}

    found = GraphQLMetapod(answering(ANSWER | {"datasets": [dataset]})).transaction(NIGHT)

    assert found.started_at == STARTED
    assert found.datasets["a"].state is DatasetState.ABORTED


def test_datasets_are_known_by_their_older_names() -> None:
    """Metapod may name those of a country in another way; another country's stay what they are."""
    names = ("nu-mx/raw/feed-s0/log", "contract-feed/transactions", "nu-br/raw/feed-s0/log")
    answer = ANSWER | {"datasets": [DATASET | {"name": name} for name in names]}

    found = GraphQLMetapod(answering(answer), country="MX").transaction(NIGHT)

    assert tuple(found.datasets) == ("raw-feed-s0/log", "contract-feed/transactions", "nu-br/raw/feed-s0/log")
    assert all(dataset.name == name for name, dataset in found.datasets.items())


def test_a_dataset_under_both_of_its_names_is_refused() -> None:
    """Which of the two counts is nothing to guess; the message has both."""
    names = ("raw-feed-s0/log", "nu-br/raw/feed-s0/log")
    answer = ANSWER | {"datasets": [DATASET | {"name": name} for name in names]}

    with pytest.raises(MetapodError, match=r"lists raw-feed-s0/log twice .*\(nu-br/raw/feed-s0/log and raw-feed-s0/lo"):
        GraphQLMetapod(answering(answer)).transaction(NIGHT)
