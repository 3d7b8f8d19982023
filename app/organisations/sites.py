"""Manage the sites of production of companies."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import (
    can_read_organisation,
    require_organisation_id,
    require_role,
    require_second_factor,
    require_staff,
)
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import CertifiedDataLocked, Conflict, ExpectedVersion, Invalid, NotFound, require_version
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository
from app.organisations.model import RecordSource, Site
from app.reference import reference_repository
from app.reference.territory import (
    HOME_COUNTRY,
    canonical_district_name,
    country_codes,
    district_error,
    is_same_district,
    load_territory,
)

CertifiedBy = Callable[[Session, UUID], Sequence[str]]
"""Return the numbers of valid certificates for products of a site without a reported change.

Passed in, because `certificates` is a higher package; called after the site's row is locked.
"""

MAX_NAME_LENGTH = 250
MAX_DISTRICT_LENGTH = 100


def create_site(
    session: Session,
    actor: Actor,
    *,
    name: str,
    country: str,
    district: str,
    park_code: str | None,
    production_started_on: date | None,
    now: datetime,
) -> Site:
    """Create a site named by the company. Its region follows from the district; a place abroad has none.

    Raises `Invalid` with every fault.
    """
    organisation_id = require_organisation_id(actor)
    if errors := site_errors(
        session,
        name=name,
        country=country,
        district=district,
        park_code=park_code,
        production_started_on=production_started_on,
        now=now,
    ):
        raise Invalid.with_errors(errors)
    site = Site(
        id=new_id(),
        organisation_id=organisation_id,
        name=normalize(name),
        country=country,
        park_code=park_code,
        production_started_on=production_started_on,
        source=RecordSource.APPLICANT.value,
        created_at=now,
    )
    _set_district(site, district)
    session.add(site)
    session.flush()
    recorder.record(
        session, actor, "site.created", ("site", site.id), now, organisation=organisation_id, park=park_code
    )
    return site


def load_changeable_site(
    session: Session, actor: Actor, site_id: UUID, version: ExpectedVersion, *, certified: CertifiedBy
) -> Site:
    """Lock a site for a change: of the own company or, for the registrar, any.

    Raises everything that does not depend on the new content, in order.
    """
    if actor.is_staff:
        require_role(actor, Role.REGISTRAR)
        require_second_factor(actor)
    site = organisation_repository.find_site(
        session, site_id, None if actor.is_staff else require_organisation_id(actor), lock=True
    )
    if site is None:
        raise NotFound.of("site")
    require_version(version, site.version)
    if numbers := certified(session, site_id):
        raise CertifiedDataLocked("place of production", numbers)
    return site


def update_site(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID,
    version: ExpectedVersion,
    name: str,
    production_started_on: date | None,
    district: str | None = None,
    certified: CertifiedBy = lambda _session, _site_id: (),
    now: datetime,
) -> Site:
    """Change name, start of production and district (None: unchanged). Country and park are fixed. Content as it was
    changes nothing, not even the version.

    The district of a site from the register can be corrected only by the registrar. Raises `NotFound`, the errors of
    `require_version`, `Conflict` (`certified`, `register-says`), `Invalid`.
    """
    site = load_changeable_site(session, actor, site_id, version, certified=certified)
    moved = district is not None and canonical_district_name(site.country, district) != site.district
    if moved and site.source == RecordSource.REGISTER and not actor.is_staff:
        message = Message(
            "The address of this place of production comes from the resident register. Ask the registrar to correct it."
        )
        raise Conflict(message, code="register-says", data={"errors": [{"pointer": "/district", "detail": message}]})
    errors = site_change_errors(name, production_started_on, now)
    if moved and district is not None:
        errors += _move_errors(session, site, district)
    if errors:
        raise Invalid.with_errors(errors)
    if not moved and (normalize(name), production_started_on) == (site.name, site.production_started_on):
        return site
    site.name = normalize(name)
    site.production_started_on = production_started_on
    data: dict[str, Any] = {"production_started_on": production_started_on and production_started_on.isoformat()}
    if moved and district is not None:
        data["district"] = _set_district(site, district)
    site.version += 1
    session.flush()
    recorder.record(session, actor, "site.updated", ("site", site.id), now, **data)
    return site


def _move_errors(session: Session, site: Site, district: str) -> list[dict[str, str]]:
    if fault := text_error(district, MAX_DISTRICT_LENGTH) or district_error(site.country, district):
        return [{"pointer": "/district", "detail": fault}]
    return [error | {"pointer": "/district"} for error in _park_errors(session, site.country, district, site.park_code)]


def _set_district(site: Site, district: str) -> str | None:
    """Set the district that the text denotes; returns its code, None abroad."""
    found = load_territory().find_district(district) if site.country == HOME_COUNTRY else None
    site.district = found.name if found else normalize(district)
    site.economic_region = found.region if found else None
    return found.code if found else None


def get_site(session: Session, actor: Actor, site_id: UUID) -> Site:
    site = organisation_repository.find_site(session, site_id)
    if site is None or not can_read_organisation(actor, site.organisation_id):
        raise NotFound.of("site")
    return site


def list_sites(
    session: Session, actor: Actor, *, organisation_id: UUID | None = None, after: UUID | None = None, limit: int = 50
) -> Sequence[Site]:
    """List sites: staff see all or those of one company; a company sees its own and must name itself."""
    if organisation_id is None:
        require_staff(actor)
    elif not can_read_organisation(actor, organisation_id):
        raise NotFound.of("company")
    return organisation_repository.list_sites(session, organisation_id, after=after, limit=limit)


def site_errors(
    session: Session,
    *,
    name: str,
    country: str,
    district: str,
    park_code: str | None,
    production_started_on: date | None,
    now: datetime,
) -> list[dict[str, str]]:
    """Return everything wrong with a new site."""
    errors = site_change_errors(name, production_started_on, now)
    if country not in country_codes():
        errors.append(
            {
                "pointer": "/country",
                "detail": Message(
                    "This is no country code of two capital letters (ISO 3166-1).", code="unknown-country"
                ),
            }
        )
    if fault := text_error(district, MAX_DISTRICT_LENGTH) or district_error(country, district):
        errors.append({"pointer": "/district", "detail": fault})
    return errors + _park_errors(session, country, district, park_code)


def site_change_errors(name: str, production_started_on: date | None, now: datetime) -> list[dict[str, str]]:
    return _name_errors(name) + _start_errors(production_started_on, now)


def _name_errors(name: str) -> list[dict[str, str]]:
    fault = text_error(name, MAX_NAME_LENGTH)
    return [{"pointer": "/name", "detail": fault}] if fault else []


def _start_errors(day: date | None, now: datetime) -> list[dict[str, str]]:
    if day is None or day <= baku_day(now):
        return []
    detail = Message("This day is still to come. Leave it empty until production has started.", code="in-future")
    return [{"pointer": "/production_started_on", "detail": detail}]


def _other_district_message(district: str | None) -> Message:
    if district is None:
        return Message("The site does not lie in the district of this park.", code="other-district")
    return Message(
        "The site does not lie in the district of this park, which is %(district)s.",
        code="other-district",
        district=district,
    )


def _park_errors(session: Session, country: str, district: str, park_code: str | None) -> list[dict[str, str]]:
    if park_code is None:
        return []
    park = (
        reference_repository.find_park(session, park_code) if not text_error(park_code, MAX_DISTRICT_LENGTH) else None
    )
    if park is None:
        return [{"pointer": "/park_code", "detail": Message("There is no such park.", code="unknown-park")}]
    if country != HOME_COUNTRY or not is_same_district(load_territory(), park.district, district):
        return [{"pointer": "/park_code", "detail": _other_district_message(park.district)}]
    return []
