"""For companies: where they produce, and what, of what, in which steps."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StringConstraints

from app.api.shared import application_schemas
from app.applications import submission
from app.applications.evidence import evidence_documents
from app.auth.permissions import own_organisation
from app.certificates import matters
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.products import company_products
from app.products.inputs import CostEntry, MaterialEntry, ProductEntry, StepEntry
from app.products.model import CostKind, Place
from app.products.validation import MAX_PROOFS
from app.schemes.closed_lists import lists
from app.schemes.facts import Basis
from app.web.dependencies import ActorDep, NowDep, ReplayDep, SessionDep, VersionDep, allow, etag, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, refuses
from app.web.routes import Asked, OrderedRoute, also_wrong
from app.web.schema_types import Body, Code, Exact, Flag, Name, Page, Word

router = APIRouter(prefix="/v1", tags=["applicant"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]


class MaterialBody(Body):
    """A line of the bill of materials, per unit of product. What is not known is null: a draft may lack it."""

    name: Name = Field(examples=["Hot-rolled coil"])
    hs4: Code | None = Field(None, description="heading of HS 2022", examples=["7208"])
    origin_country: Code | None = Field(None, description="ISO 3166-1 alpha-2", examples=["TR"])
    origin_district: Word | None = Field(
        None, description="district of Azerbaijan, in az, en or ru, with or without “rayonu”", examples=["Ağdam"]
    )
    originating: Flag | None = Field(
        None,
        description="whether you say that it originates in Azerbaijan; a claim needs a document in `proofs`",
    )
    value: Exact | None = Field(
        None, description="AZN, up to 6 decimals; lent or free material: its market price", examples=["830.00"]
    )
    basis: Basis | None = Field(
        None,
        description="how the value was taken: `cif` at importation, `domestic` price paid without VAT, `own` cost",
    )
    weight_kg: Exact | None = Field(None, description="up to 6 decimals", examples=["1040"])
    packing: Flag = Field(False, description="retail packing of the product")
    supplier: Name | None = Field(
        None, description="VÖEN or name; left out: the supplier of the declaration in `proofs`"
    )
    proofs: list[UUID] = Field(
        default=[], max_length=MAX_PROOFS, description="evidence documents of your company that show its origin"
    )

    def entry(self) -> MaterialEntry:
        own = self.model_dump(exclude={"originating", "proofs", "basis"})
        return MaterialEntry(**own, claim=self.originating, basis=self.basis, proofs=tuple(self.proofs))


class StepBody(Body):
    """A step of the process, in the order in which it is done."""

    name: Name = Field(examples=["Longitudinal welding"])
    operation: Word = Field(
        description="code or name of the list of operations; with other words a reviewer decides",
        examples=["tube_welding"],
    )
    country: Code | None = Field(None, description="ISO 3166-1 alpha-2; null: not known", examples=["AZ"])
    district: Word | None = Field(
        None, description="in Azerbaijan one of its districts, in az, en or ru", examples=["Ağdam"]
    )
    subcontractor: Name | None = None
    is_essential: Flag = False


class CostBody(Body):
    kind: CostKind
    place: Place
    amount: Exact = Field(description="AZN per unit of product", examples=["310.00"])


class ProductBody(Body):
    names: dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")], Name] = Field(
        description="language → name; `az` and `en` are needed",
        examples=[{"az": "Qaynaqlı polad boru", "en": "Welded steel tube"}],
    )
    hs6: Code = Field(description="HS 2022 subheading", examples=["730630"])
    unit: Word = Field(
        description=f"one of: {', '.join(lists().units)}; “1000 pcs” is read as `1000_pcs`", examples=["t"]
    )
    site_id: UUID
    national_code: Code | None = Field(None, description="10 digits, begins with the HS code")
    gtin: Code | None = Field(None, examples=["9520000000011"])
    brand: Name | None = None
    reference: Word | None = Field(None, description="your own code for it", examples=["P001"])
    flags: list[Code] = Field(
        default=[],
        max_length=20,
        description=f"of: {', '.join(lists().flags)}; `joint_production_XX` names the country of a partner",
        examples=[["assembly_only"]],
    )
    joint_production: list[Code] = Field(default=[], max_length=20, description="countries of partners abroad")
    ex_works: Exact | None = Field(None, description="AZN per unit", examples=["1450.00"])
    materials: list[MaterialBody] = Field(default=[], max_length=200)
    steps: list[StepBody] = Field(default=[], max_length=100)
    costs: list[CostBody] = Field(default=[], max_length=50, description="manufacturing cost by kind and place")

    def entry(self) -> ProductEntry:
        own = self.model_dump(exclude={"materials", "steps", "costs", "flags", "joint_production"})
        return ProductEntry(
            **own,
            flags=tuple(self.flags),
            joint_production=tuple(self.joint_production),
            materials=tuple(line.entry() for line in self.materials),
            steps=tuple(StepEntry(**step.model_dump()) for step in self.steps),
            costs=tuple(CostEntry(**cost.model_dump()) for cost in self.costs),
        )


@router.get("/products", summary="Products of your company", responses=refuses(*READS))
def list_products(
    actor: Applicant,
    session: SessionDep,
    page: PageDep,
    retired: Annotated[bool, Query(description="the retired ones instead")] = False,
) -> Page[application_schemas.ProductAnswer]:
    rows = company_products.list_products(session, actor, retired=retired, after=page.after, limit=page.fetch)
    return Page[application_schemas.ProductAnswer](
        items=[application_schemas.product(row) for row in page.cut(rows, lambda row: row.product.id)]
    )


def _wrong_product(asked: Asked, body: ProductBody) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route have let somebody in
    own = own_organisation(asked.actor)
    item = UUID(asked.path["product_id"]) if "product_id" in asked.path else None
    return company_products.wrong_product(asked.session, own, body.entry(), evidence_documents.owned, product_id=item)


@router.post(
    "/products",
    status_code=201,
    summary="Describe a product",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_product)],
)
def create_product(
    body: ProductBody, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> application_schemas.ProductAnswer:
    """Codes, bill of materials, process and cost statement: what the rules look at. All places to mend come at once."""
    row = company_products.create_product(
        session, actor, entry=body.entry(), now=now, documents=evidence_documents.owned
    )
    response.headers["ETag"] = etag(row.product.version)
    return application_schemas.product(row)


@router.get("/products/{product_id}", summary="One product", responses=refuses(*READS))
def get_product(
    product_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> application_schemas.ProductAnswer:
    row = company_products.get_product(session, actor, parse_id(product_id, "product"))
    response.headers["ETag"] = etag(row.product.version)
    return application_schemas.product(row)


def _own_product(product_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return company_products.changeable(
        session, actor, parse_id(product_id, "product"), version, frozen=submission.frozen
    ).id


def _own_product_to_change(
    product_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep
) -> UUID:
    item = parse_id(product_id, "product")
    certified = partial(matters.unreported_of_product, today=baku_day(now))
    return company_products.changeable(session, actor, item, version, frozen=submission.frozen, certified=certified).id


OwnProduct = Annotated[UUID, Depends(_own_product, scope="function")]


@router.put(
    "/products/{product_id}",
    summary="Replace the description of a product",
    responses=refuses(*CHANGES),
    dependencies=[also_wrong(_wrong_product)],
)
def replace_product(
    product_id: Annotated[UUID, Depends(_own_product_to_change, scope="function")],
    body: ProductBody,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ProductAnswer:
    """Not while an application with it is being looked at: then it is frozen, until you are asked for more. Of a
    certified product, report the change of each certificate first (`POST /v1/certificates/{number}/changes`)."""
    row = company_products.replace_product(
        session,
        actor,
        product_id=product_id,
        version=version,
        entry=body.entry(),
        frozen=submission.frozen,
        certified=partial(matters.unreported_of_product, today=baku_day(now)),
        now=now,
        documents=evidence_documents.owned,
    )
    response.headers["ETag"] = etag(row.product.version)
    return application_schemas.product(row)


@router.post("/products/{product_id}/retire", summary="Retire a product", responses=refuses(*CHANGES))
def retire_product(
    product_id: OwnProduct, actor: Applicant, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> application_schemas.ProductAnswer:
    """It can no longer be applied for; certificates that it holds stay."""
    row = company_products.retire_product(
        session, actor, product_id=product_id, version=version, frozen=submission.frozen, now=now
    )
    response.headers["ETag"] = etag(row.product.version)
    return application_schemas.product(row)
