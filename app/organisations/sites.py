"""Places: parks from the reference data and from registers, and the sites of production that companies name."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import may_see, own_organisation, require, require_second_factor, require_staff
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Certified, Conflict, Invalid, NotFound, Version, check_version
from app.core.messages import Message
from app.core.text.normalize import tidy, wrong_with
from app.organisations import organisation_repository
from app.organisations.model import Site, Source
from app.reference import reference_repository
from app.reference.territory import HOME, countries, district_name, same_district, territory, wrong_district

CertifiedBy = Callable[[Session, UUID], Sequence[str]]
"""Numbers of the certificates in force for products of this site of which no change is reported. Certificates stand
above this room; it is asked after the site's row is locked."""

LONGEST_NAME = 250
LONGEST_DISTRICT = 100


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
    """A site that the company names itself. Its region follows from the district; a place abroad has none.

    Errors: Invalid with every wrong place at once.
    """
    organisation_id = own_organisation(actor)
    if errors := wrong_site(
        session,
        name=name,
        country=country,
        district=district,
        park_code=park_code,
        production_started_on=production_started_on,
        now=now,
    ):
        raise Invalid.with_all(errors)
    site = Site(
        id=new_id(),
        organisation_id=organisation_id,
        name=tidy(name),
        country=country,
        park_code=park_code,
        production_started_on=production_started_on,
        source=Source.APPLICANT.value,
        created_at=now,
    )
    _lay(site, district)
    session.add(site)
    session.flush()
    recorder.record(
        session, actor, "site.created", ("site", site.id), now, organisation=organisation_id, park=park_code
    )
    return site


def changeable_site(session: Session, actor: Actor, site_id: UUID, version: Version, *, certified: CertifiedBy) -> Site:
    """A site of the company's own or, for the registrar, any; locked for a change. All refusals that do not depend on
    the new content, in order."""
    if actor.is_staff:
        require(actor, Role.REGISTRAR)
        require_second_factor(actor)
    site = organisation_repository.site(
        session, site_id, None if actor.is_staff else own_organisation(actor), lock=True
    )
    if site is None:
        raise NotFound.of("site")
    check_version(version, site.version)
    if numbers := certified(session, site_id):
        raise Certified("place of production", numbers)
    return site


def update_site(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID,
    version: Version,
    name: str,
    production_started_on: date | None,
    district: str | None = None,
    certified: CertifiedBy = lambda _session, _site_id: (),
    now: datetime,
) -> Site:
    """Name, start of production and district (None: as it is). Country and park are fixed: another place is another
    site. Where the register names the site, its district is the register's word, which only the registrar corrects.

    Errors: NotFound, check_version, Conflict `certified`, Conflict `register-says`, Invalid.
    """
    site = changeable_site(session, actor, site_id, version, certified=certified)
    moved = district is not None and district_name(site.country, district) != site.district
    if moved and site.source == Source.REGISTER and not actor.is_staff:
        message = Message(
            "The resident register says where this place of production lies. Ask the registrar to correct it."
        )
        raise Conflict(message, code="register-says", data={"errors": [{"pointer": "/district", "detail": message}]})
    errors = wrong_change(name, production_started_on, now)
    if moved and district is not None:
        errors += _wrong_move(session, site, district)
    if errors:
        raise Invalid.with_all(errors)
    site.name = tidy(name)
    site.production_started_on = production_started_on
    said: dict[str, Any] = {"production_started_on": production_started_on and production_started_on.isoformat()}
    if moved and district is not None:
        said["district"] = _lay(site, district)
    site.version += 1
    session.flush()
    recorder.record(session, actor, "site.updated", ("site", site.id), now, **said)
    return site


def _wrong_move(session: Session, site: Site, district: str) -> list[dict[str, str]]:
    if wrong := wrong_with(district, LONGEST_DISTRICT) or wrong_district(site.country, district):
        return [{"pointer": "/district", "detail": wrong}]
    return [error | {"pointer": "/district"} for error in _wrong_park(session, site.country, district, site.park_code)]


def _lay(site: Site, district: str) -> str | None:
    """Put the site into the district that is meant; the code of it, None abroad."""
    found = territory().find(district) if site.country == HOME else None
    site.district = found.name if found else tidy(district)
    site.economic_region = found.region if found else None
    return found.code if found else None


def get_site(session: Session, actor: Actor, site_id: UUID) -> Site:
    site = organisation_repository.site(session, site_id)
    if site is None or not may_see(actor, site.organisation_id):
        raise NotFound.of("site")
    return site


def list_sites(
    session: Session, actor: Actor, *, organisation_id: UUID | None = None, after: UUID | None = None, limit: int = 50
) -> Sequence[Site]:
    """Staff see all sites, or those of one company; a company sees its own and needs to name itself."""
    if organisation_id is None:
        require_staff(actor)
    elif not may_see(actor, organisation_id):
        raise NotFound.of("company")
    return organisation_repository.sites(session, organisation_id, after=after, limit=limit)


def wrong_site(
    session: Session,
    *,
    name: str,
    country: str,
    district: str,
    park_code: str | None,
    production_started_on: date | None,
    now: datetime,
) -> list[dict[str, str]]:
    """Everything wrong with a new site."""
    errors = wrong_change(name, production_started_on, now)
    if country not in countries():
        errors.append(
            {
                "pointer": "/country",
                "detail": Message(
                    "This is no country code of two capital letters (ISO 3166-1).", code="unknown-country"
                ),
            }
        )
    if wrong := wrong_with(district, LONGEST_DISTRICT) or wrong_district(country, district):
        errors.append({"pointer": "/district", "detail": wrong})
    return errors + _wrong_park(session, country, district, park_code)


def wrong_change(name: str, production_started_on: date | None, now: datetime) -> list[dict[str, str]]:
    return _wrong_name(name) + _wrong_start(production_started_on, now)


def _wrong_name(name: str) -> list[dict[str, str]]:
    wrong = wrong_with(name, LONGEST_NAME)
    return [{"pointer": "/name", "detail": wrong}] if wrong else []


def _wrong_start(day: date | None, now: datetime) -> list[dict[str, str]]:
    if day is None or day <= baku_day(now):
        return []
    detail = Message("This day is still to come. Leave it empty until production has started.", code="in-future")
    return [{"pointer": "/production_started_on", "detail": detail}]


def _elsewhere(district: str | None) -> Message:
    if district is None:
        return Message("The site does not lie in the district of this park.", code="other-district")
    return Message(
        "The site does not lie in the district of this park, which is %(district)s.",
        code="other-district",
        district=district,
    )


def _wrong_park(session: Session, country: str, district: str, park_code: str | None) -> list[dict[str, str]]:
    if park_code is None:
        return []
    park = reference_repository.park(session, park_code) if not wrong_with(park_code, LONGEST_DISTRICT) else None
    if park is None:
        return [{"pointer": "/park_code", "detail": Message("There is no such park.", code="unknown-park")}]
    if country != HOME or not same_district(territory(), park.district, district):
        return [{"pointer": "/park_code", "detail": _elsewhere(park.district)}]
    return []
