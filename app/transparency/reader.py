"""Read checkpoint, tiles and proofs of the public log. Each call reads a few rows, never the whole log.

All functions raise `LogDamaged` if rows are missing.
"""

from sqlalchemy.orm import Session

from app.core.errors import Invalid, NotFound
from app.core.messages import Message
from app.transparency import log_repository, merkle, tiles
from app.transparency.appender import LogDamaged
from app.transparency.checkpoint import Proof
from app.transparency.merkle import Node, SubtreeRange
from app.transparency.model import LogHead
from app.transparency.tiles import Tile


def get_checkpoint(session: Session) -> str:
    """Return the signed checkpoint of the current log. Raises `NotFound` before the first entry."""
    return _require_signed_head(session)[1]


def get_vkey(session: Session) -> str:
    """Return the verifier key of the log. Raises `NotFound` before the first entry."""
    head = _require_head(session)
    if head.vkey is None:
        raise NotFound.of("log yet")
    return head.vkey


def read_tile(session: Session, requested: Tile) -> bytes:
    """Return the concatenated hashes or the entry bundle of a tile. Raises `NotFound` beyond the end of the log."""
    if not requested.is_complete_in(_require_head(session).size):
        raise NotFound.of("tile")
    nodes = requested.nodes
    if requested.level is None:
        entries = log_repository.list_entries(session, nodes[0].position, nodes[-1].position + 1)
        if len(entries) != requested.width:
            raise LogDamaged("an entry is missing.")
        return tiles.encode_entry_bundle(entries)
    hashes = _load_hashes(session, nodes)
    return b"".join(hashes[node] for node in nodes)


def get_signed_head(session: Session) -> tuple[int, str]:
    """Return size and checkpoint of the current log. Raises `NotFound` before the first entry."""
    return _require_signed_head(session)


def root_at(session: Session, size: int) -> bytes:
    """Compute the root of the first `size` entries from the stored hashes."""
    hashes = _load_hashes(session, merkle.compact_range_nodes(size))
    return merkle.root_from_range([hashes[node] for node in merkle.compact_range_nodes(size)])


def inclusion_proof(session: Session, number: str, within: tuple[int, str] | None = None) -> Proof:
    """Return the proof that the newest token of this certificate is in the current log, or in the checkpoint `within`.

    `within` is the size of a checkpoint and its note. Raises `NotFound`.
    """
    size, signed = within or _require_signed_head(session)
    row = log_repository.find_token_entry(session, number)
    if row is None or row.seq >= size:
        raise NotFound.of("certificate in the public log")
    return prove_entry(session, row.seq, (size, signed))


def prove_entry(session: Session, seq: int, within: tuple[int, str]) -> Proof:
    """Return the proof that entry `seq` is in the checkpoint `within`: its size and note."""
    size, signed = within
    return Proof(seq, subtree_hashes(session, merkle.inclusion_path(seq, size)), signed)


def consistency_proof(session: Session, first: int, second: int) -> tuple[bytes, ...]:
    """Return the proof that the first `first` entries of the log of `second` entries are unchanged.

    Raises `Invalid`, `NotFound`.
    """
    if first > second:
        raise Invalid.at(
            "query:first", Message("The first size is larger than the second: a log never shrinks.", code="wrong-order")
        )
    if second > _require_head(session).size:
        raise NotFound.of("size of the log yet")
    return subtree_hashes(session, merkle.consistency_path(first, second))


def _require_head(session: Session) -> LogHead:
    head = log_repository.get_head(session)
    if head is None:
        raise LogDamaged("its head is missing.")
    return head


def _require_signed_head(session: Session) -> tuple[int, str]:
    head = _require_head(session)
    if head.checkpoint is None:
        raise NotFound.of("log yet")
    return head.size, head.checkpoint


def subtree_hashes(session: Session, spans: tuple[SubtreeRange, ...]) -> tuple[bytes, ...]:
    hashes = _load_hashes(session, [node for span in spans for node in merkle.subtree_nodes(span)])
    return tuple(merkle.subtree_hash(span, hashes.__getitem__) for span in spans)


def _load_hashes(session: Session, nodes: list[Node] | tuple[Node, ...]) -> dict[Node, bytes]:
    hashes = log_repository.get_hashes(session, nodes)
    if len(hashes) != len(set(nodes)):
        raise LogDamaged("a hash is missing.")
    return hashes
