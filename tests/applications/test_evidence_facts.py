"""Which documents speak for a product, and for what; and which volumes and capacities count at a site."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.applications.assessment.yearly_volumes import ClaimedVolume, SiteVolumes, largest_claimed_volume
from app.applications.evidence import details
from app.applications.evidence.details import EvidenceSubject
from app.applications.model import Evidence
from app.schemes import facts
from app.schemes.facts import EvidenceSubjectKind

PRODUCT, OTHER, SITE, ELSEWHERE, ONE, TWO = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_row(number=1, kind="other", *, products=(), site=None, confirmed=True, application=None, day=None, **stated):
    return Evidence(
        id=UUID(int=100 + number),
        kind=kind,
        application_id=application,
        product_ids=[str(each) for each in products],
        site_id=site,
        stated=stated,
        issued_on=day or date(2026, 1, 1),
        confirmed_at=NOW if confirmed else None,
    )


@pytest.mark.parametrize(
    ("kind", "about", "seen"),
    [
        ("authority-to-sign", EvidenceSubject(), (True, EvidenceSubjectKind.COMPANY)),
        (
            "authority-to-sign",
            EvidenceSubject((OTHER,)),
            (True, EvidenceSubjectKind.COMPANY),
        ),  # of before: it named one without need
        ("permit", EvidenceSubject(site_id=SITE), (True, EvidenceSubjectKind.SITE)),
        ("permit", EvidenceSubject(site_id=ELSEWHERE), (False, EvidenceSubjectKind.SITE)),  # documents-04
        ("permit", EvidenceSubject(), (True, None)),
        ("permit", EvidenceSubject((PRODUCT,)), (True, None)),
        ("conformity-document", EvidenceSubject((OTHER, PRODUCT)), (True, EvidenceSubjectKind.PRODUCT)),
        ("conformity-document", EvidenceSubject((OTHER,)), (False, EvidenceSubjectKind.PRODUCT)),
        ("conformity-document", EvidenceSubject(), (True, None)),  # documents-03
        ("lot-report", EvidenceSubject((PRODUCT,)), (True, EvidenceSubjectKind.LOT)),
        ("lot-report", EvidenceSubject(), (True, None)),
        ("production-record", EvidenceSubject(site_id=SITE), (True, EvidenceSubjectKind.SITE)),  # documents-08
        ("production-record", EvidenceSubject((PRODUCT,)), (True, EvidenceSubjectKind.PRODUCT)),  # of before
        ("production-record", EvidenceSubject((OTHER,)), (False, EvidenceSubjectKind.PRODUCT)),
        ("other", EvidenceSubject(), (True, EvidenceSubjectKind.COMPANY)),
        ("other", EvidenceSubject((PRODUCT,)), (True, EvidenceSubjectKind.PRODUCT)),
        ("other", EvidenceSubject(site_id=ELSEWHERE), (False, EvidenceSubjectKind.SITE)),
        ("of a kind that is gone", EvidenceSubject(), (True, EvidenceSubjectKind.COMPANY)),
    ],
)
def test_what_a_document_speaks_for(kind, about, seen):
    assert details.resolve_subject(kind, about, PRODUCT, SITE) == seen


def test_documents_are_passed_whole_in_one_order_confirmed_or_not():
    rows = [
        a_row(3, "authority-to-sign", confirmed=False, basis="director", signer=str(ONE)),
        a_row(1, "permit", site=SITE),
        a_row(2, "permit", site=ELSEWHERE),
    ]
    found = details.to_facts(rows, PRODUCT, SITE)
    assert found == details.to_facts(rows[::-1], PRODUCT, SITE)
    assert [(item.id, item.kind, item.subject, item.confirmed) for item in found.items] == [
        (str(UUID(int=101)), "permit", EvidenceSubjectKind.SITE, True),
        (str(UUID(int=103)), "authority-to-sign", EvidenceSubjectKind.COMPANY, False),
    ]
    assert found.items[1].values == {"basis": "director", "signer": str(ONE)}


def a_claim(number, volume, **more):
    return a_row(number, "volume-statement", products=[PRODUCT], claimed_volume=volume, **more)


def test_a_product_counts_once_with_the_largest_claim_of_its_applications():
    """K-10-04: 10 000 under one mark and 8 000 under another."""
    statements = [a_claim(1, "10000", application=ONE), a_claim(2, "8000", application=TWO)]
    assert largest_claimed_volume(str(PRODUCT), {ONE, TWO}, statements) == 10_000
    assert largest_claimed_volume(str(PRODUCT), {TWO}, statements) == 8_000
    assert largest_claimed_volume(str(OTHER), {ONE, TWO}, statements) is None
    assert largest_claimed_volume(str(PRODUCT), {None}, statements) is None


def test_under_one_application_the_newest_statement_counts():
    old, new = a_claim(2, "20000", day=date(2025, 1, 1)), a_claim(1, "10000", day=date(2026, 1, 1))
    assert largest_claimed_volume(str(PRODUCT), {None}, [old, new]) == 10_000
    assert largest_claimed_volume(str(PRODUCT), {ONE}, [old, new, a_claim(3, "5", application=TWO)]) == 10_000


def test_claims_and_capacities_are_those_of_the_site():
    volumes = SiteVolumes(
        claims=(
            ClaimedVolume(PRODUCT, SITE, Decimal(20_000), "t"),
            ClaimedVolume(OTHER, SITE, Decimal(6_400), "t"),
            ClaimedVolume(ONE, ELSEWHERE, Decimal(1), "t"),
        ),
        statements=(
            a_row(1, "capacity-statement", site=SITE, unit="t", per_year="9000", day=date(2025, 1, 1)),
            a_row(2, "capacity-statement", site=SITE, unit="t", per_year="24000"),
            a_row(3, "capacity-statement", site=SITE, unit="t", per_year="100", line="Line 2"),
            a_row(4, "capacity-statement", site=SITE, unit="pcs", per_year="5"),
            a_row(5, "capacity-statement", site=ELSEWHERE, unit="t", per_year="7"),
        ),
        awaiting_claims=frozenset({str(OTHER)}),
        awaiting_capacities=frozenset({(SITE, "t")}),
    )
    assert volumes.facts_for(PRODUCT, SITE, "t") == facts.VolumeFacts(
        claims=(
            facts.VolumeClaim(str(PRODUCT), Decimal(20_000), "t", own=True),
            facts.VolumeClaim(str(OTHER), Decimal(6_400), "t"),
        ),
        capacities=(
            facts.SiteCapacity("pcs", Decimal(5)),
            facts.SiteCapacity("t", Decimal(24_000)),
            facts.SiteCapacity("t", Decimal(100), "Line 2"),
        ),
        claim_awaits=False,
        capacity_awaits=True,
    )
