"""Create parks from the reference data, and read them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.reference import reference_repository
from app.reference.model import Park
from app.reference.territory import ParkDefinition, load_territory


def seed_parks(session: Session) -> int:
    """Insert or update the parks of the reference data, and return how many changed. Idempotent.

    Parks that come only from a resident register stay unchanged.
    """
    changed = 0
    for entry in load_territory().parks.values():
        values = _park_columns(entry)
        park = reference_repository.find_park(session, entry.code)
        if park is None:
            session.add(Park(code=entry.code, **values))
        elif any(getattr(park, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(park, name, value)
        else:
            continue
        changed += 1
    session.flush()
    return changed


def _park_columns(entry: ParkDefinition) -> dict[str, object]:
    return {
        "kind": entry.kind.value,
        "names": dict(entry.names),
        "district": entry.district,
        "economic_region": entry.economic_region,
        "area_ha": entry.area_ha,
        "legal_basis": entry.legal_basis,
    }


def list_parks(session: Session) -> Sequence[Park]:
    return reference_repository.list_parks(session)


def get_park(session: Session, code: str) -> Park:
    park = reference_repository.find_park(session, code)
    if park is None:
        raise NotFound.of("park")
    return park
