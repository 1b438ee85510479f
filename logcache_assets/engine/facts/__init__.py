"""Facts over [t_from, t_to): folded from datoms or read from materialized entities, typed by the Datomic schema."""
