"""Generates the logs of an invented bank in our formats: `python bench/generate.py --out DIR --datoms 10_000_000`.

    DIR/buckets/nu-spark-datomic-logs/1/s3/<prototype>/ledger/<uuid>-<last_batch_t>-<last_t>.avro
    DIR/index.jsonl           one index item a line
    DIR/contracts/ledger.yaml
    DIR/until-cache.json      t of each instance, at the end of a segment, with `delta` of the datoms after it
    DIR/until-end.json        last t of each instance

A seed always gives the same bytes. ledger.py plans what happens in the bank, history.py makes the txes.
"""

import argparse
import json
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polars as pl
from avro import BLOCK_ROWS, CODECS, encode_rows, header
from draws import Draws
from history import History, Stretch
from ledger import CONTRACTS, DATABASE, SHAPES, Plan

from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.segments import Segment

BUCKET = "nu-spark-datomic-logs"
MOST_INSTANCES = 15
"""The numbered prototypes are s0 to s14."""
LEAST_DATOMS = 50
"""Least datoms of a segment, because a tx may have as many."""
EXTRACTION_MS = 60_000
"""Time from a segment's last tx to its index item."""
PACKERS = 2
PARTIAL = "partial"
"""Name of a file that is being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of the bank, and its division into segments."""

    datoms: int = 10_000_000
    """Datoms of all instances together; each log ends with the tx that reaches its share."""
    instances: int = 4
    segments: int = 200
    """Segments of each instance, about equally large, because txes are not split."""
    delta: float = 0.02
    """Share of the datoms after the t of `until-cache.json`, in whole segments."""
    seed: int = 1
    codec: str = "deflate"
    shape: str = "ledger"

    def __post_init__(self) -> None:
        if not 1 <= self.instances <= MOST_INSTANCES:
            raise ValueError(f"{self.instances} instances: there are 1 to {MOST_INSTANCES} prototypes")
        if self.datoms < LEAST_DATOMS * self.segments * self.instances or self.segments < 1:
            raise ValueError(
                f"{self.datoms} datoms in {self.instances} logs of {self.segments} segments: "
                f"a segment has at least {LEAST_DATOMS}; ask for more datoms or fewer segments"
            )
        if not 0 <= self.delta <= 1 or self.codec not in CODECS or self.shape not in SHAPES:
            raise ValueError(f"delta {self.delta}, codec {self.codec!r}, shape {self.shape!r}: see --help")

    @property
    def datoms_each(self) -> int:
        """Datoms of one instance."""
        return self.datoms // self.instances

    @property
    def cached_segments(self) -> int:
        """Segments up to that t; at least one, and at least one after it if a delta is wanted."""
        after = max(1, round(self.segments * self.delta)) if self.delta else 0
        return max(1, self.segments - after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One instance's log on disk."""

    instance: Instance
    datoms: int
    segments: tuple[Segment, ...]


def generate(out: Path, size: Size) -> tuple[Written, ...]:
    """Write logs, index, contracts and cuts below `out`.

    Raises:
        FileExistsError: `out` already has logs.
    """
    if (out / "buckets").exists():
        raise FileExistsError(f"{out / 'buckets'} exists: name a new folder, or delete it first")
    logs = tuple(_write_log(out, size, n) for n in range(size.instances))
    prototypes = ", ".join(log.instance.prototype for log in logs)
    items = [render_index_item(segment) for log in logs for segment in log.segments]
    cut = {log.instance.name: log.segments[: size.cached_segments][-1].last_t for log in logs}
    end = {log.instance.name: log.segments[-1].last_t for log in logs}
    (out / "contracts").mkdir()
    (out / "contracts" / f"{DATABASE}.yaml").write_text(CONTRACTS.format(prototypes=prototypes), encoding="utf-8")
    (out / "index.jsonl").write_text("".join(f"{item}\n" for item in items), encoding="utf-8")
    (out / "until-cache.json").write_text(json.dumps(cut) + "\n", encoding="utf-8")
    (out / "until-end.json").write_text(json.dumps(end) + "\n", encoding="utf-8")
    return logs


def _write_log(out: Path, size: Size, number: int) -> Written:
    instance = Instance(database=DATABASE, prototype=f"s{number}")
    shape = SHAPES[size.shape].deepened(size.datoms_each)
    horizon = max(1, size.datoms_each // shape.datoms_per_transaction) * shape.grid
    history = History(Plan(draws=Draws(size.seed * MOST_INSTANCES + number), shape=shape, horizon=horizon))
    key = f"1/s3/{instance.prototype}/{DATABASE}"
    folder = out / "buckets" / BUCKET / key
    folder.mkdir(parents=True)
    names = random.Random(f"{size.seed} {instance.name}")  # noqa: S311 # a name, no secret
    files = SegmentFiles(instance=instance, folder=folder, key=key, codec=size.codec, names=names)
    datoms = 0
    with ThreadPoolExecutor(PACKERS) as pool:
        for stretch in history.stretches():
            stretch_datoms = _write_stretch(stretch, files=files, size=size, written_before=datoms, pool=pool)
            datoms += stretch_datoms
            if stretch_datoms < stretch.datoms.height or datoms >= size.datoms_each:
                break
    files.close()
    return Written(instance=instance, datoms=datoms, segments=tuple(files.finished))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The part of a stretch that goes into one segment, as ranges [first, end)."""

    segment: int
    rows: tuple[int, int]
    first_t: int
    last_t: int
    last_instant_ms: int


def _write_stretch(
    stretch: Stretch, *, files: "SegmentFiles", size: Size, written_before: int, pool: ThreadPoolExecutor
) -> int:
    """Write a stretch, or its txes up to the end of the log; return the number of datoms."""
    pieces = plan_pieces(stretch.txs, size, written_before)
    end = pieces[-1].rows[1]
    rows = encode_rows(stretch.datoms.head(end), stretch.txs)
    blocks = [
        (piece, first, min(first + BLOCK_ROWS, piece.rows[1]))
        for piece in pieces
        for first in range(*piece.rows, BLOCK_ROWS)
    ]
    packed = pool.map(lambda block: rows.block(block[1], block[2], size.codec), blocks)
    for (piece, _, _), content in zip(blocks, packed, strict=True):
        files.write(piece, content)
    return end


def plan_pieces(txs: pl.DataFrame, size: Size, written_before: int) -> list[Piece]:
    """Assign rows to segments: a tx belongs to the segment of its first datom; the last segment ends the log."""
    start = written_before + pl.col("datoms").cum_sum() - pl.col("datoms")
    numbered = txs.with_columns(pl.col("datoms").cast(pl.Int64)).with_columns(start=start)
    numbered = numbered.filter(pl.col("start") < size.datoms_each)
    number = pl.col("start") * size.segments // size.datoms_each
    pieces = numbered.group_by(segment=number, maintain_order=True).agg(
        first_row=pl.col("start").first() - written_before,
        end_row=(pl.col("start") + pl.col("datoms")).last() - written_before,
        first_t=pl.col("t").first(),
        last_t=pl.col("t").last(),
        last_instant_ms=pl.col("instant_ms").last(),
    )
    return [
        Piece(segment=segment, rows=(first, end), first_t=first_t, last_t=last_t, last_instant_ms=instant_ms)
        for segment, first, end, first_t, last_t, instant_ms in pieces.iter_rows()
    ]


@dataclass(slots=True, kw_only=True)
class OpenSegment:
    """A segment being written, whose last t, part of its name, is not known yet."""

    first: Piece
    newest: Piece
    file: BinaryIO
    sync: bytes


@dataclass(slots=True, kw_only=True)
class SegmentFiles:
    """Writes the files of one log, one at a time."""

    instance: Instance
    folder: Path
    key: str
    codec: str
    names: random.Random
    finished: list[Segment] = field(default_factory=list)
    current: OpenSegment | None = None

    def write(self, piece: Piece, block: bytes) -> None:
        """Append a block to the piece's segment."""
        if self.current is None or self.current.first.segment != piece.segment:
            self.close()
            self.current = self._opened(piece)
        self.current.newest = piece
        self.current.file.write(block + self.current.sync)

    def _opened(self, piece: Piece) -> OpenSegment:
        sync = self.names.randbytes(16)
        file = (self.folder / PARTIAL).open("wb")
        file.write(header(self.codec, sync))
        return OpenSegment(first=piece, newest=piece, file=file, sync=sync)

    def close(self) -> None:
        """Close the open segment: give it its name and its index item."""
        if self.current is None:
            return
        self.current.file.close()
        after_t = self.finished[-1].last_t if self.finished else 0
        segment = self._segment(self.current, after_t)
        (self.folder / PARTIAL).rename(self.folder / segment.path.rpartition("/")[2])
        self.finished.append(segment)
        self.current = None

    def _segment(self, written: OpenSegment, after_t: int) -> Segment:
        initial_t, last_t = written.first.first_t, written.newest.last_t
        unique = uuid.UUID(int=self.names.getrandbits(128), version=4)
        return Segment(
            instance=self.instance,
            path=f"s3://{BUCKET}/{self.key}/{unique}-{after_t}-{last_t}.avro",
            initial_t=initial_t,
            last_batch_t=after_t,
            last_t=last_t,
            timestamp_ms=written.newest.last_instant_ms + EXTRACTION_MS,
            requested_range=f"[{initial_t} {last_t + 1})",
        )


def main() -> None:
    """Write a bank and print its size."""
    default = Size()
    parser = argparse.ArgumentParser(description="Write an invented bank's Datomic logs, in our formats.")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    for name, kind in (("datoms", int), ("instances", int), ("segments", int), ("delta", float), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, default=getattr(default, name), help="default: %(default)s")
    parser.add_argument("--codec", choices=sorted(CODECS), default=default.codec)
    parser.add_argument("--shape", choices=sorted(SHAPES), default=default.shape)
    asked = vars(parser.parse_args())
    out, started = asked.pop("out"), time.monotonic()
    try:
        logs = generate(out, Size(**asked))
    except (ValueError, FileExistsError) as error:
        parser.error(str(error))
    for log in logs:
        print(f"{log.instance.name}: {log.datoms:,} datoms in {len(log.segments)} segments")
    print(f"{out}: {sum(log.datoms for log in logs):,} datoms in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
