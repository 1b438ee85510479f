"""What the metapod client makes of answers that fit the schema and yet say too little, too much or nonsense."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from gql import GraphQLRequest
from gql.transport import Transport
from graphql import ExecutionResult

from logcache_assets.adapters.metapod import GraphQLMetapod
from logcache_assets.domain.transactions import DatasetState
from logcache_assets.ports import MetapodError

NIGHT = "49ae32bb-c260-4622-ac10-753cfd8fa7b3"
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
            assert request.operation_name == "transaction"
            return ExecutionResult(data={"transaction": answer}, errors=None)

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
    ],
)
def test_an_answer_that_is_not_understood_is_an_error(answer: object) -> None:
    """No part of a malformed answer is used."""
    with pytest.raises(MetapodError, match="metapod"):
        GraphQLMetapod(answering(answer)).transaction(NIGHT)


def test_committed_and_aborted_counts_as_aborted() -> None:
    """Nothing is built on a dataset that was ever aborted; instants become UTC."""
    dataset = DATASET | {"abortedAt": "2018-05-28T03:00:00Z"}

    found = GraphQLMetapod(answering(ANSWER | {"datasets": [dataset]})).transaction(NIGHT)

    assert found.started_at == STARTED
    assert found.datasets["a"].state is DatasetState.ABORTED
