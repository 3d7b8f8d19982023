"""What everybody may read of the public log: checkpoint, tiles, proofs. Each reads a handful of rows, never the log."""

from sqlalchemy.orm import Session

from app.core.errors import Invalid, NotFound
from app.core.messages import Message
from app.transparency import log_repository, merkle, tiles
from app.transparency.appender import LogDamaged
from app.transparency.checkpoint import Proof
from app.transparency.merkle import Node, Span
from app.transparency.model import LogHead
from app.transparency.tiles import Tile


def checkpoint(session: Session) -> str:
    """The last signed one, about the log as it stands. Errors: NotFound before the first entry."""
    return _signed(session)[1]


def vkey(session: Session) -> str:
    """The key under which checkpoints verify. Errors: NotFound before the first entry."""
    head = _head(session)
    if head.vkey is None:
        raise NotFound.of("log yet")
    return head.vkey


def tile(session: Session, wanted: Tile) -> bytes:
    """Its bytes: hashes side by side, or a bundle of entries. Errors: NotFound where the log is not that long."""
    if not wanted.is_in(_head(session).size):
        raise NotFound.of("tile")
    nodes = wanted.nodes
    if wanted.level is None:
        entries = log_repository.entries(session, nodes[0].place, nodes[-1].place + 1)
        if len(entries) != wanted.width:
            raise LogDamaged("an entry is missing.")
        return tiles.bundle(entries)
    kept = _hashes(session, nodes)
    return b"".join(kept[node] for node in nodes)


def inclusion(session: Session, number: str) -> Proof:
    """The proof that the issue of this certificate is in the log as it stands. Errors: NotFound."""
    size, signed = _signed(session)
    row = log_repository.issued(session, number)
    if row is None or row.seq >= size:
        raise NotFound.of("certificate in the public log")
    return Proof(row.seq, _fold(session, merkle.inclusion_path(row.seq, size)), signed)


def consistency(session: Session, first: int, second: int) -> tuple[bytes, ...]:
    """The proof that the log of `second` entries only adds to that of `first`. Errors: Invalid, NotFound."""
    if first > second:
        raise Invalid.at(
            "query:first", Message("The first size is larger than the second: a log never shrinks.", code="wrong-order")
        )
    if second > _head(session).size:
        raise NotFound.of("size of the log yet")
    return _fold(session, merkle.consistency_path(first, second))


def _head(session: Session) -> LogHead:
    head = log_repository.head(session)
    if head is None:
        raise LogDamaged("its head is gone.")
    return head


def _signed(session: Session) -> tuple[int, str]:
    head = _head(session)
    if head.checkpoint is None:
        raise NotFound.of("log yet")
    return head.size, head.checkpoint


def _fold(session: Session, spans: tuple[Span, ...]) -> tuple[bytes, ...]:
    kept = _hashes(session, [node for span in spans for node in merkle.nodes_of(span)])
    return tuple(merkle.span_hash(span, kept.__getitem__) for span in spans)


def _hashes(session: Session, nodes: list[Node] | tuple[Node, ...]) -> dict[Node, bytes]:
    kept = log_repository.hashes(session, nodes)
    if len(kept) != len(set(nodes)):
        raise LogDamaged("a hash is missing.")
    return kept
