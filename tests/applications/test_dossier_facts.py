"""The facts of an application as the rules get them: material lines, costs, volumes, declaration, visit."""

from uuid import UUID

import pytest

from app.applications.assessment import assessments
from app.applications.model import Application
from app.schemes import facts
from tests.factories import ok

pytestmark = pytest.mark.pg_sampled


def gathered(app, application_id):
    """Facts of the application, product by product."""
    with app.database.session() as session:
        application = session.get(Application, UUID(application_id))
        return {
            str(product_id): each.facts
            for product_id, each in assessments.run_assessment(
                session, application, app.clock(), for_share=False
            ).dossier.products.items()
        }


def one(app, application_id):
    (found,) = gathered(app, application_id).values()
    return found


def test_lines_costs_and_steps_are_passed_as_entered(app):
    company = app.set_up_company()
    paper = company.upload("other")["id"]
    lines = [
        {"name": "Coil", "hs4": "7208", "origin_country": "TR", "originating": False, "value": "830.000001"}
        | {"basis": "cif", "weight_kg": "1040.5"},
        {"name": "Box", "hs4": "4819", "origin_country": "AZ", "origin_district": "Aghdam", "originating": True}
        | {"packing": True, "supplier": "Qutu MMC", "proofs": [paper], "basis": "domestic", "value": "3"},
        {"name": "Flux"},
    ]
    steps = [{"name": "Forming", "operation": "roll forming"}, {"name": "Own way", "operation": "My own way"}]
    draft = company.draft(company.add_product(materials=lines, steps=steps, unit="1000 pcs", flags=["excise"]))
    found = one(app, draft)
    coil, box, flux = found.value.inputs
    assert (coil.claim, coil.basis, str(coil.value), str(coil.weight_kg)) == (
        False,
        facts.ValueBasis.CIF,
        "830.000001",
        "1040.500000",
    )
    assert (box.origin_district, box.origin_region, box.packing, box.supplier, box.proofs) == (
        "Ağdam",
        "QARABAG",
        True,
        "Qutu MMC",
        (paper,),
    )
    assert (flux.hs4, flux.origin_country, flux.claim, flux.value, flux.basis) == (None, None, None, None, None)
    assert [(step.operation, step.country, step.economic_region) for step in found.steps] == [
        ("roll_forming", None, None),
        ("My own way", None, None),
    ]
    assert {(cost.kind, cost.place, int(cost.amount)) for cost in found.cost.costs} == {
        ("labour", facts.CostPlace.KARABAKH, 563),
        ("quality", facts.CostPlace.AZ_OTHER, 14),
    }
    assert (found.product.unit, found.product.flags) == ("1000_pcs", {"excise"})


def test_volumes_are_those_of_the_site_and_of_every_mark(app):
    company = app.set_up_company()
    certified, other = company.add_product(), company.add_product()
    app.certify(company, certified, scheme="MIA")
    application = company.prepare(company.draft(other))
    found = one(app, application).volumes
    assert {(claim.product, int(claim.volume), claim.unit, claim.own) for claim in found.claims} == {
        (certified, 200, "t", False),
        (other, 200, "t", True),
    }
    assert [(each.unit, int(each.per_year), each.line) for each in found.capacities] == [("t", 24000, None)]
    assert not found.claim_awaits


def test_a_statement_that_waits_is_no_claim(app):
    company = app.set_up_company(evidence=False)
    product_id = company.add_product()
    draft = company.draft(product_id)
    item = company.upload("volume-statement", about=product_id, issued_on="2026-01-01", claimed_volume="9")
    found = one(app, draft).volumes
    assert (found.claims, found.claim_awaits, found.capacity_awaits) == ((), True, False)
    app.confirm_evidence(item)
    assert not one(app, draft).volumes.claim_awaits


def test_a_withdrawn_confirmation_is_passed_as_unconfirmed(app):
    company = app.set_up_company(evidence=("permit",))
    draft = company.draft()
    (item,) = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
    assert [each.confirmed for each in one(app, draft).evidence.items] == [True]
    app.registrar.act(f"/v1/evidence/{item['id']}/withdraw-confirmation", {"reason": "Another works."})
    assert [each.confirmed for each in one(app, draft).evidence.items] == [False]


def test_the_declaration_and_the_visit(app):
    company = app.set_up_company()
    application = company.apply()
    found = one(app, application)
    made = found.declaration
    assert made.declared_hash == made.made_hash is not None
    assert (made.made_by, made.made_by_name) == (company.id, "Aysel Nümunə")
    assert (made.text_version, made.made_text_version) == ("2026.1", "2026.1")
    assert found.visit == facts.VisitFacts(None, None)
    app.owner.act(f"/v1/applications/{application}/visit-waiver", {"reason": "A household."})
    assert one(app, application).visit.waived_because == "A household."
    app.review(application)
    [number] = app.approve(application)["certificates"]
    second = company.draft()
    assert one(app, second).visit == facts.VisitFacts(number, None)
    assert one(app, second).declaration.made_hash is None
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    assert one(app, second).visit.certificate_in_force is None
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    elsewhere = company.draft(company.add_product(site_id=company.add_site(name="Hall 2")))
    assert one(app, elsewhere).visit.certificate_in_force is None
    app.clock.advance(days=366 * 3 + 1)
    assert one(app, second).visit.certificate_in_force is None  # expired


def test_a_dry_run_has_nothing_to_declare(app):
    company = app.set_up_company()
    product_id = company.add_product()
    with app.database.session() as session:
        judged = assessments.assess_products(
            session, "MIK", UUID(company.organisation_id), [UUID(product_id)], app.clock()
        )
        (dossier,) = judged.dossier.products.values()
    assert dossier.facts.declaration is None
    assert judged.dossier.declared is None
    assert dossier.facts.volumes.claims == ()
