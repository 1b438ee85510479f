"""The entities that a contract definition declares, with their attributes: the parsed part of `contracts/<db>.yaml`.

What each key means is docs/contracts.md; the file as a whole is definitions.py.
"""

from typing import Annotated

import msgspec

from logcache_assets.domain.names import column_name

AttributeName = Annotated[str, msgspec.Meta(pattern=r"^[^\s:/][^\s/]*/[^\s/]+$")]
ContractName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class ContractAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute of an entity, and what is made of it."""

    attribute: AttributeName
    """Without the leading colon: `transaction/status`."""
    ref: AttributeName | None = None
    """What a ref resolves to: `db/ident`, or an attribute of the referred entity."""
    history: bool = False
    """Whether each change of the attribute is a dataset of its own."""
    pii: bool = False
    """Whether the values are personal data, which contracts show hashed."""
    line: int = msgspec.field(default=0, name="(line)")
    """Line in its file, for errors that only a log reveals. Set by the parser, never written by a person."""

    @property
    def column(self) -> str:
        """Name of the column that shows it."""
        return column_name(self.attribute)


class ContractEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of entity: every entity whose primary key is asserted."""

    name: ContractName
    primary_key: AttributeName
    attributes: Annotated[tuple[ContractAttribute, ...], msgspec.Meta(min_length=1)]
    snapshot: bool = False
    """Whether the whole entity after each transaction is a dataset of its own."""
    line: int = msgspec.field(default=0, name="(line)")
    """Line of its primary key in its file."""
