"""Figures show the names of the definition, and tokens in place of all others."""

import msgspec

from logcache_assets.domain.figures import SameT, SchemaChange
from logcache_assets.domain.known_names import KnownNames
from logcache_tests.domain.contract_samples import contract_figures, pattern

TAX_ID = "123.456.789-09"


def token(name: str) -> str:
    """Another one for every name of these tests."""
    return f"token-{sum(map(ord, name))}"


def test_names_that_others_wrote_become_tokens() -> None:
    """Wherever a prototype or a column stands; two names stay two."""
    figures = contract_figures()
    known = KnownNames(figures.today.columns, token=token)
    spoilt = msgspec.structs.replace(
        figures,
        today=msgspec.structs.replace(figures.today, columns={**figures.today.columns, TAX_ID: "string"}),
        schema=(SchemaChange(column=TAX_ID, was=None, is_now="string", expected=None),),
        prototypes={name + suffix: f for name, f in (figures.prototypes or {}).items() for suffix in ("", TAX_ID)},
        patterns=(pattern(2, reason="unexplained", prototype=TAX_ID, columns=(TAX_ID,)),),
        same_t=SameT(prototypes=("s0",), rows=1, differing=1, columns=(TAX_ID,)),
    )

    shown = known.shown(spoilt)

    assert TAX_ID not in msgspec.json.encode(shown).decode()
    assert shown.schema[0].column == f"column {token(TAX_ID)}"
    assert shown.patterns[0].prototype == f"prototype {token(TAX_ID)}"
    assert len(shown.prototypes or ()) == len(spoilt.prototypes or ())


def test_known_names_stay() -> None:
    """Figures of a sound table are shown as they are."""
    figures = contract_figures()

    assert KnownNames([*figures.today.columns, *figures.columns], token=str.upper).shown(figures) == figures
