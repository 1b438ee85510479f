"""The GraphQL document that metapod is asked with: ours, or the file that a deployment names.

metapod documents no listing of transactions, so that query is the deployment's to write. Two operations are needed,
`transaction` and `transactions`; aliases give what they select the names that are read here. All is checked before
anything is sent. graphql-core is imported inside functions, as in metapod.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from logcache_assets.domain.plain_text import quoted, shortened
from logcache_assets.errors import BadInput

if TYPE_CHECKING:
    from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode

SHIPPED = "adapters/metapod/queries.graphql"
_MOST_CHARACTERS = 100_000
_VARIABLES: Mapping[str, frozenset[str]] = {
    "transaction": frozenset({"transactionId", "countries", "country"}),
    "transactions": frozenset({"types", "startedFrom", "countries", "country", "cursor", "offset", "limit"}),
}
"""Operation → the variables that it may declare."""
_LISTS = frozenset({"types", "countries"})

Tree = Mapping[str, "Tree"]
"""What a selection selects: response name → what is selected of it."""
_DATASET: Tree = {name: {} for name in ("name", "committedAt", "abortedAt", "path")}
_TRANSACTION: Tree = {**{name: {} for name in ("id", "name", "type", "startedAt")}, "datasets": _DATASET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """A checked document."""

    text: str
    where: str
    """Its file, for messages."""
    variables: Mapping[str, frozenset[str]]
    """Operation → the variables that it declares."""

    @property
    def pages_by_cursor(self) -> bool:
        """True if a page names the next one."""
        return "cursor" in self.variables["transactions"]

    @property
    def pages_by_offset(self) -> bool:
        """True if a page is asked for by how many transactions come before it."""
        return "offset" in self.variables["transactions"]


def read_queries(file: Path | None = None) -> Queries:
    """Read and check a document, the shipped one by default; raises BadInput."""
    where = SHIPPED if file is None else str(file)
    text = _text_of(file)
    document = _parsed(text, where)
    operations = _operations(document, where)
    _refuse_what_no_server_accepts(document, where)
    for name, known in _VARIABLES.items():
        _check_variables(operations[name], known, where)
    fragments = {found.name.value: found for found in _fragments(document)}
    queries = Queries(
        text=text, where=where, variables={name: frozenset(_declared(operations[name])) for name in _VARIABLES}
    )
    _check_shape(queries, {name: _tree(operations[name].selection_set, fragments) for name in _VARIABLES})
    return queries


def _text_of(file: Path | None) -> str:
    if file is None:
        return resources.files(__package__).joinpath("queries.graphql").read_text(encoding="utf-8")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise BadInput(f"{file}: metapod's queries cannot be read ({why}); correct LOGCACHE_METAPOD_QUERIES") from error
    if len(text) > _MOST_CHARACTERS:
        raise BadInput(
            f"{file} has {len(text):,} characters, too many for two queries; correct LOGCACHE_METAPOD_QUERIES"
        )
    return text


def _parsed(text: str, where: str) -> "DocumentNode":
    from graphql import GraphQLSyntaxError, parse  # noqa: PLC0415 - see the module's docstring

    try:
        return parse(text)
    except GraphQLSyntaxError as error:
        line = error.locations[0].line if error.locations else 1
        raise BadInput(f"{where}, line {line}: this is no GraphQL ({shortened(error.message)}); correct it") from error
    except RecursionError as error:
        raise BadInput(f"{where}: this is no GraphQL of two queries, it is nested too deeply; correct it") from error


def _operations(document: "DocumentNode", where: str) -> dict[str, "OperationDefinitionNode"]:
    from graphql import FragmentDefinitionNode, OperationDefinitionNode, OperationType  # noqa: PLC0415 - as above

    found: dict[str, OperationDefinitionNode] = {}
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode):
            continue
        if not isinstance(node, OperationDefinitionNode) or node.operation is not OperationType.QUERY:
            what = node.operation.value if isinstance(node, OperationDefinitionNode) else "definition"
            raise BadInput(f"{where} has a {what}, and metapod is only read; leave queries and fragments alone in it")
        found[node.name.value if node.name else ""] = node
    for name in _VARIABLES:
        if name not in found:
            raise BadInput(
                f"{where} has no query named {name!r}; add it: both `transaction` and `transactions` are asked"
            )
    return found


def _refuse_what_no_server_accepts(document: "DocumentNode", where: str) -> None:
    """Apply the rules of GraphQL that need no schema."""
    from graphql import build_schema, validate  # noqa: PLC0415 - see the module's docstring
    from graphql.validation import (  # noqa: PLC0415 - as above
        KnownFragmentNamesRule,
        LoneAnonymousOperationRule,
        NoFragmentCyclesRule,
        NoUndefinedVariablesRule,
        NoUnusedFragmentsRule,
        NoUnusedVariablesRule,
        UniqueFragmentNamesRule,
        UniqueOperationNamesRule,
        UniqueVariableNamesRule,
    )

    rules = (
        UniqueOperationNamesRule,
        LoneAnonymousOperationRule,
        UniqueFragmentNamesRule,
        KnownFragmentNamesRule,
        NoFragmentCyclesRule,
        NoUnusedFragmentsRule,
        UniqueVariableNamesRule,
        NoUndefinedVariablesRule,
        NoUnusedVariablesRule,
    )
    if errors := validate(build_schema("type Query { any: ID }"), document, rules):
        raise BadInput(f"{where}: {shortened(errors[0].message)} No server accepts that; correct it")


def _declared(operation: "OperationDefinitionNode") -> Iterator[str]:
    return (found.variable.name.value for found in operation.variable_definitions or ())


def _check_variables(operation: "OperationDefinitionNode", known: frozenset[str], where: str) -> None:
    from graphql import ListTypeNode, NonNullTypeNode  # noqa: PLC0415 - see the module's docstring

    query = operation.name.value if operation.name else ""
    for declared in operation.variable_definitions or ():
        name, type_ = declared.variable.name.value, declared.type
        if name not in known:
            raise BadInput(
                f"{where}: the query {query!r} declares {quoted('$' + name)}, which nothing sets; known are "
                f"{', '.join('$' + one for one in sorted(known))}: write other values into the query itself"
            )
        inner = type_.type if isinstance(type_, NonNullTypeNode) else type_
        if isinstance(inner, ListTypeNode) is not (name in _LISTS):
            wanted = "a list is sent: write `[…]` around its type" if name in _LISTS else "a single value is sent"
            raise BadInput(f"{where}: the query {query!r} declares ${name}, for which {wanted}; correct its type")
        if name == "cursor" and isinstance(type_, NonNullTypeNode):
            raise BadInput(
                f"{where}: $cursor must not be null in {query!r}, and the first page has none; remove its `!`"
            )
    if query == "transaction" and "transactionId" not in _declared(operation):
        raise BadInput(
            f"{where}: the query 'transaction' declares no $transactionId, so none could be named; declare it"
        )


def _fragments(document: "DocumentNode") -> "Iterator[FragmentDefinitionNode]":
    from graphql import FragmentDefinitionNode  # noqa: PLC0415 - see the module's docstring

    return (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))


def _tree(selection: "SelectionSetNode | None", fragments: "Mapping[str, FragmentDefinitionNode]") -> Tree:
    """What is selected, by the names in the answer, with fragments in their place."""
    from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode  # noqa: PLC0415 - see the module's docstring

    found: dict[str, Tree] = {}
    for node in selection.selections if selection else ():
        if isinstance(node, FieldNode):
            name = node.alias.value if node.alias else node.name.value
            found[name] = _merged(found.get(name, {}), _tree(node.selection_set, fragments))
        elif isinstance(node, FragmentSpreadNode):
            found = dict(_merged(found, _tree(fragments[node.name.value].selection_set, fragments)))
        elif isinstance(node, InlineFragmentNode):
            found = dict(_merged(found, _tree(node.selection_set, fragments)))
    return found


def _merged(one: Tree, other: Tree) -> Tree:
    return {**one, **{name: _merged(one.get(name, {}), tree) for name, tree in other.items()}}


def _check_shape(queries: Queries, selected: Mapping[str, Tree]) -> None:
    """Check that what comes back has all that is read of it."""
    for query, tree in selected.items():
        if query not in tree:
            raise BadInput(
                f"{queries.where}: the query {query!r} selects no field named {query!r}, and that is read; "
                f"give its field this alias: `{query}: …`"
            )
    _require(queries.where, "transaction", selected["transaction"]["transaction"], _TRANSACTION)
    listing = selected["transactions"]["transactions"]
    if not queries.pages_by_cursor:
        if surplus := {"nextCursor", "pageInfo", "nodes", "edges"} & listing.keys():
            raise BadInput(
                f"{queries.where}: the query 'transactions' selects {min(surplus)!r} of a page, and declares no "
                "$cursor, so only the first page would be read; declare it and ask with it"
            )
        _require(queries.where, "transactions", listing, _TRANSACTION)
        return
    if queries.pages_by_offset:
        raise BadInput(f"{queries.where}: the query 'transactions' declares $cursor and $offset; declare one of them")
    _check_page(queries.where, listing)


def _check_page(where: str, page: Tree) -> None:
    if "edges" in page and "nodes" not in page:
        _require(where, "transactions.edges.node", page["edges"].get("node", {}), _TRANSACTION)
    else:
        _require(where, "transactions", page, {"nodes": {}})
        _require(where, "transactions.nodes", page["nodes"], _TRANSACTION)
    if "nextCursor" not in page:
        _require(where, "transactions", page, {"pageInfo": {"hasNextPage": {}, "endCursor": {}}})


def _require(where: str, path: str, selected: Tree, needed: Tree) -> None:
    for name, inner in needed.items():
        if name not in selected:
            hint = " (or `nextCursor`)" if name == "pageInfo" else ""
            raise BadInput(
                f"{where}: {path} has no field named {name!r}{hint}, and that is read; select it, by an alias if "
                "it has another name there"
            )
        _require(where, f"{path}.{name}", selected[name], inner)
