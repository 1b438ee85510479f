"""The entities that a contract definition declares, with their attributes: the parsed part of `contracts/<db>.yaml`.

What each key means is docs/contracts.md; contract_definitions.py reads the file as a whole.
"""

from typing import Annotated

import msgspec

from logcache_assets.domain.names import column_name

AttributeName = Annotated[str, msgspec.Meta(pattern=r"^[^\s:/][^\s/]*/[^\s/]+\Z")]
"""A keyword with its namespace, as Datomic writes it: `card/active?`, `user/descrição`, `a.b/c-d`."""
ContractName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=63)]
"""Name of a database or an entity; Dagster's tags take no more characters."""


class ContractAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute of an entity, and how contracts show it."""

    attribute: AttributeName
    """Without the leading colon: `transaction/status`."""
    ref: AttributeName | None = None
    """What a ref resolves to: `db/ident`, or an attribute of the referred entity."""
    history: bool = False
    """True if the attribute has a history dataset, with one row per change."""
    pii: bool = False
    """True if the values are personal data, which contracts show hashed."""
    line: int = msgspec.field(default=0, name="(line)")
    """1-based line in the definition file, for errors found while reading a log. The parser sets it."""

    @property
    def column(self) -> str:
        """Name of the contract column that shows the attribute."""
        return column_name(self.attribute)


class ContractEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of entity: every entity whose primary key is asserted."""

    name: ContractName
    primary_key: AttributeName
    attributes: Annotated[tuple[ContractAttribute, ...], msgspec.Meta(min_length=1)]
    snapshot: bool = False
    """True if the entity has a snapshot dataset, with the whole entity after each transaction that touched it."""
    line: int = msgspec.field(default=0, name="(line)")
    """1-based line of its primary key in the definition file. The parser sets it."""
