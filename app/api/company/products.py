"""Create, read, replace and retire the products of a company."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.applications import submission
from app.applications.evidence import evidence_documents
from app.auth.permissions import require_organisation_id
from app.certificates import certificate_repository, matters
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.core.errors import ErrorCollector
from app.products import company_products
from app.products.inputs import CostInput, MaterialInput, ProductInput, StepInput
from app.products.model import CostKind, Place
from app.products.product_repository import ProductAggregate
from app.products.validation import MAX_PROOFS
from app.schemes.closed_lists import load_lists
from app.schemes.facts import ValueBasis
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.parameters import UpdatedSince, changed_from
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.problems.replace_bodies import ReplaceModel, accepts_response, read_only_errors, require_unchanged
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import Code, ExactDecimal, Page, RequestModel, StrictBoolean, Text100, Text250

router = APIRouter(prefix="/v1", tags=["products"], route_class=GuardedRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]


class MaterialRequest(RequestModel):
    """A line of the bill of materials, per unit of product. Unknown values are null; a draft may lack them."""

    name: Text250 = Field(examples=["Hot-rolled coil"])
    hs4: Code | None = Field(None, description="heading of HS 2022", examples=["7208"])
    origin_country: Code | None = Field(None, description="ISO 3166-1 alpha-2", examples=["TR"])
    origin_district: Text100 | None = Field(
        None, description="district of Azerbaijan, in az, en or ru, with or without “rayonu”", examples=["Ağdam"]
    )
    originating: StrictBoolean | None = Field(
        None,
        description="whether you claim that it originates in Azerbaijan; a claim needs a document in `proofs`",
    )
    value: ExactDecimal | None = Field(
        None, description="AZN, up to 6 decimals; lent or free material: its market price", examples=["830.00"]
    )
    basis: ValueBasis | None = Field(
        None,
        description="how the value was taken: `cif` at importation, `domestic` price paid without VAT, `own` cost",
    )
    weight_kg: ExactDecimal | None = Field(None, description="up to 6 decimals", examples=["1040"])
    packing: StrictBoolean = Field(False, description="retail packing of the product")
    supplier: Text250 | None = Field(
        None, description="VÖEN or name; left out: the supplier of the declaration in `proofs`"
    )
    proofs: list[UUID] = Field(
        default=[], max_length=MAX_PROOFS, description="evidence documents of your company that show its origin"
    )

    def to_input(self) -> MaterialInput:
        own = self.model_dump(exclude={"originating", "proofs", "basis"})
        return MaterialInput(**own, claim=self.originating, basis=self.basis, proofs=tuple(self.proofs))


class StepRequest(RequestModel):
    """A step of the production process, in the order of execution."""

    name: Text250 = Field(examples=["Longitudinal welding"])
    operation: Text100 = Field(
        description="code or name from `GET /v1/operations`; for any other text a reviewer decides",
        examples=["tube_welding"],
    )
    country: Code | None = Field(None, description="ISO 3166-1 alpha-2; null: not known", examples=["AZ"])
    district: Text100 | None = Field(
        None, description="in Azerbaijan one of its districts, in az, en or ru", examples=["Ağdam"]
    )
    subcontractor: Text250 | None = None
    is_essential: StrictBoolean = False


class CostRequest(RequestModel):
    kind: CostKind
    place: Place
    amount: ExactDecimal = Field(description="AZN per unit of product", examples=["310.00"])


class ProductRequest(RequestModel):
    names: dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")], Text250] = Field(
        description="language → name; `az` and `en` are needed",
        examples=[{"az": "Qaynaqlı polad boru", "en": "Welded steel tube"}],
    )
    hs6: Code = Field(description="HS 2022 subheading", examples=["730630"])
    unit: Text100 = Field(
        description=f"one of: {', '.join(load_lists().units)}; “1000 pcs” is read as `1000_pcs`", examples=["t"]
    )
    site_id: UUID
    national_code: Code | None = Field(None, description="10 digits, begins with the HS code")
    gtin: Code | None = Field(None, examples=["9520000000011"])
    brand: Text250 | None = None
    reference: Text100 | None = Field(None, description="your own code for it", examples=["P001"])
    flags: list[Code] = Field(
        default=[],
        max_length=20,
        description=f"of: {', '.join(load_lists().flags)}; `joint_production_XX` names the country of a partner",
        examples=[["assembly_only"]],
    )
    joint_production: list[Code] = Field(default=[], max_length=20, description="countries of partners abroad")
    ex_works: ExactDecimal | None = Field(None, description="AZN per unit", examples=["1450.00"])
    materials: list[MaterialRequest] = Field(default=[], max_length=200)
    steps: list[StepRequest] = Field(default=[], max_length=100)
    costs: list[CostRequest] = Field(default=[], max_length=50, description="manufacturing cost by kind and place")

    def to_input(self) -> ProductInput:
        lists = {"materials", "steps", "costs", "flags", "joint_production"}
        own = self.model_dump(include=ProductRequest.model_fields.keys() - lists)
        return ProductInput(
            **own,
            flags=tuple(self.flags),
            joint_production=tuple(self.joint_production),
            materials=tuple(line.to_input() for line in self.materials),
            steps=tuple(StepInput(**step.model_dump()) for step in self.steps),
            costs=tuple(CostInput(**cost.model_dump()) for cost in self.costs),
        )


@accepts_response(application_schemas.ProductResponse)
class ProductReplaceRequest(ProductRequest, ReplaceModel):
    """The whole product. The answer of `GET` is accepted as it is."""


def product_responses(session: Session, rows: Sequence[ProductAggregate]) -> list[application_schemas.ProductResponse]:
    numbers = certificate_repository.numbers_of_products(session, [row.product.id for row in rows])
    return [application_schemas.product_response(row, numbers.get(row.product.id, ())) for row in rows]


def _product_response(session: Session, row: ProductAggregate) -> application_schemas.ProductResponse:
    return product_responses(session, [row])[0]


@router.get("/products", summary="List products of your company", responses=error_responses(*READ_ERRORS))
def list_products(
    actor: Applicant,
    session: SessionDep,
    page: PageDep,
    retired: Annotated[bool, Query(description="true: only retired products")] = False,
    updated_since: UpdatedSince = None,
) -> Page[application_schemas.ProductResponse]:
    """Oldest first; retired products only with `retired=true`."""
    since = changed_from(updated_since)
    rows = company_products.list_products(
        session, actor, retired=retired, changed_from=since, after=page.after, limit=page.fetch
    )
    return Page[application_schemas.ProductResponse](
        items=product_responses(session, page.cut(rows, lambda row: row.product.id))
    )


def _product_errors(asked: BodyCheckContext, body: ProductRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    own = require_organisation_id(asked.actor)
    item = UUID(asked.path["product_id"]) if "product_id" in asked.path else None
    return company_products.product_errors(
        asked.session, own, body.to_input(), evidence_documents.owned_document_ids, product_id=item
    )


@router.post(
    "/products",
    status_code=201,
    summary="Create a product",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[check_body(_product_errors)],
)
def create_product(
    body: ProductRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> application_schemas.ProductResponse:
    """Codes, bill of materials, process and cost statement, which the rules read. All errors are reported at once."""
    row = company_products.create_product(
        session, actor, entry=body.to_input(), now=now, documents=evidence_documents.owned_document_ids
    )
    response.headers["ETag"] = format_etag(row.product.version)
    return application_schemas.product_response(row, ())


@router.get("/products/{product_id}", summary="Get a product", responses=error_responses(*READ_ERRORS))
def get_product(
    product_id: str, actor: ActorDep, session: SessionDep, response: Response
) -> application_schemas.ProductResponse:
    """Visible to its company and to staff."""
    row = company_products.get_product(session, actor, parse_id(product_id, "product"))
    response.headers["ETag"] = format_etag(row.product.version)
    return _product_response(session, row)


def _require_own_product(product_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return company_products.load_changeable(
        session, actor, parse_id(product_id, "product"), version, frozen=submission.is_locked
    ).id


def _require_changeable_product(
    product_id: str, actor: ActorDep, session: SessionDep, version: VersionDep, now: NowDep
) -> UUID:
    item = parse_id(product_id, "product")
    certified = partial(matters.certificates_blocking_product_change, today=baku_day(now))
    return company_products.load_changeable(
        session, actor, item, version, frozen=submission.is_locked, certified=certified
    ).id


OwnProductId = Annotated[UUID, Depends(_require_own_product, scope="function")]


def _replacement_errors(asked: BodyCheckContext, body: ProductReplaceRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    present = partial(_load_response, asked.session, asked.actor, UUID(asked.path["product_id"]))
    return [*read_only_errors(body, present), *_product_errors(asked, body)]


def _load_response(session: Session, actor: Actor, product_id: UUID) -> application_schemas.ProductResponse:
    return _product_response(session, company_products.get_product(session, actor, product_id))


@router.put(
    "/products/{product_id}",
    summary="Replace a product",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_replacement_errors)],
)
def replace_product(
    product_id: Annotated[UUID, Depends(_require_changeable_product, scope="function")],
    body: ProductReplaceRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ProductResponse:
    """Not possible while an application for it is under review, unless information was requested. For a certified
    product, report the change of each certificate first (`POST /v1/certificates/{number}/changes`). The answer of `GET`
    sent back changes nothing, not even the version.
    """
    faults = ErrorCollector()
    with faults.collect():
        require_unchanged(body, partial(_load_response, session, actor, product_id))
    with faults.collect():
        row = company_products.replace_product(
            session,
            actor,
            product_id=product_id,
            version=version,
            entry=body.to_input(),
            frozen=submission.is_locked,
            certified=partial(matters.certificates_blocking_product_change, today=baku_day(now)),
            now=now,
            documents=evidence_documents.owned_document_ids,
        )
    faults.raise_if_any()
    response.headers["ETag"] = format_etag(row.product.version)
    return _product_response(session, row)


@router.post("/products/{product_id}/retire", summary="Retire a product", responses=error_responses(*UPDATE_ERRORS))
def retire_product(
    product_id: OwnProductId,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ProductResponse:
    """You can no longer apply for it; its certificates stay as they are."""
    row = company_products.retire_product(
        session, actor, product_id=product_id, version=version, frozen=submission.is_locked, now=now
    )
    response.headers["ETag"] = format_etag(row.product.version)
    return _product_response(session, row)
