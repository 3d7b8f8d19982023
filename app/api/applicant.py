"""For companies: register, describe sites and products, try the rules, apply, answer."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import EmailStr, Field, StringConstraints

from app.access import service as access
from app.access import store as access_store
from app.access.rights import own_organisation, require_person
from app.actor import Actor, Role, Scope
from app.api import dossier
from app.applications import assessment, cases, service, store
from app.applications.questions import MOST_NAMED, Reply
from app.applications.workflow import Action, State
from app.errors import NotFound, check_version
from app.products import service as products
from app.products import store as products_store
from app.products.entry import CostEntry, MaterialEntry, ProductEntry, StepEntry
from app.products.model import CostKind, Place
from app.registry import organisations
from app.registry import places as sites
from app.registry import store as registry
from app.web.deps import (
    ActorDep,
    AnonymousAskFirstDep,
    NowDep,
    PasswordsDep,
    ReplayDep,
    SessionDep,
    VersionDep,
    allow,
    etag,
    only_reads,
    parse_id,
)
from app.web.fields import SHOWN_ONCE, Answer, Body, Code, Day, Exact, Flag, Name, Prose, Sentence, Word
from app.web.paging import PageDep
from app.web.refusals import CHANGES, CREATES, READS, refuses
from app.web.routing import OrderedRoute

registration = APIRouter(prefix="/v1", tags=["register a company"], route_class=OrderedRoute)
router = APIRouter(prefix="/v1", tags=["applicant"], route_class=OrderedRoute)
trial = APIRouter(prefix="/v1", tags=["schemes"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]
Password = Annotated[str, StringConstraints(max_length=256), Field(examples=["correct horse battery staple"])]


class Member(Body):
    full_name: Name = Field(examples=["Aygün Nümunə"])
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    password: Password


class Registration(Body):
    legal_name_az: Name = Field(examples=['"Nümunə-Boru" MMC'])
    legal_name_en: Name = Field(examples=["Sample Pipe (fictional)"])
    legal_form: Word = Field(examples=["MMC"])
    voen: Code = Field(description="10 digits, as text", examples=["0010000101"])
    member: Member


class Registered(Answer):
    organisation_id: UUID
    user_id: UUID
    standing: str = Field(description="`unconfirmed` until a registrar has seen evidence that you act for the company")


@registration.post(
    "/registrations",
    status_code=201,
    summary="Register a company and its first member",
    responses=refuses(400, 409, 413, 415, 422, 503),
)
def register(
    body: Registration, session: SessionDep, passwords: PasswordsDep, now: NowDep, ask_first: AnonymousAskFirstDep
) -> Registered:
    """No account is needed. A company that the resident register lists already is claimed in the same way.

    Until a registrar confirms it the company may draft and try the rules, but not submit.
    """
    password_hash = passwords.hash(body.member.password)
    ask_first()
    organisation, user = organisations.register_company(
        session,
        legal_name_az=body.legal_name_az,
        legal_name_en=body.legal_name_en,
        legal_form=body.legal_form,
        voen=body.voen,
        email=str(body.member.email),
        full_name=body.member.full_name,
        password_hash=password_hash,
        now=now,
    )
    return Registered(organisation_id=organisation.id, user_id=user.id, standing=organisation.standing)


class SiteBody(Body):
    name: Name = Field(examples=["Pipe mill, hall 2"])
    country: Code = Field("AZ", description="ISO 3166-1 alpha-2")
    district: Word = Field(examples=["Ağdam"])
    park_code: Code | None = Field(None, examples=["AGDAM-SP"])
    production_started_on: Day | None = Field(None, description="first day of series production here")


class SiteChange(Body):
    name: Name
    production_started_on: Day | None


class SiteAnswer(Answer):
    id: UUID
    name: str
    country: str
    district: str
    economic_region: str | None = Field(description="follows from the district")
    park_code: str | None
    production_started_on: date | None
    source: str = Field(description="`register` or `applicant`")
    version: int


def _site(row: Any) -> SiteAnswer:
    return SiteAnswer.model_validate(row, from_attributes=True)


@router.get("/sites", summary="Places of production of your company", responses=refuses(*READS))
def list_sites(actor: Applicant, session: SessionDep, page: PageDep) -> dict[str, list[SiteAnswer]]:
    rows = sites.list_sites(session, actor, organisation_id=own_organisation(actor), after=page.after, limit=page.fetch)
    return {"items": [_site(row) for row in page.cut(rows, lambda row: row.id)]}


@router.post("/sites", status_code=201, summary="Add a place of production", responses=refuses(*CREATES))
def create_site(
    body: SiteBody, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> SiteAnswer:
    """The economic region follows from the district; a park must lie in that district."""
    row = sites.create_site(session, actor, **body.model_dump(), now=now)
    response.headers["ETag"] = etag(row.version)
    return _site(row)


@router.get("/sites/{site_id}", summary="One place of production", responses=refuses(*READS))
def get_site(site_id: str, actor: ActorDep, session: SessionDep, response: Response) -> SiteAnswer:
    row = sites.get_site(session, actor, parse_id(site_id, "site"))
    response.headers["ETag"] = etag(row.version)
    return _site(row)


def _own_site(site_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    row = registry.site(session, parse_id(site_id, "site"), own_organisation(actor), lock=True)
    if row is None:
        raise NotFound.of("site")
    check_version(version, row.version)
    return row.id


@router.put("/sites/{site_id}", summary="Change name and start of production", responses=refuses(*CHANGES))
def change_site(
    site_id: Annotated[UUID, Depends(_own_site, scope="function")],
    body: SiteChange,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> SiteAnswer:
    row = sites.update_site(
        session,
        actor,
        site_id=site_id,
        version=version,
        name=body.name,
        production_started_on=body.production_started_on,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return _site(row)


class MaterialBody(Body):
    """A line of the bill of materials, per unit of product."""

    name: Name = Field(examples=["Hot-rolled coil"])
    hs4: Code = Field(description="HS heading", examples=["7208"])
    origin_country: Code = Field(description="ISO 3166-1 alpha-2", examples=["RU"])
    originating: Flag = Field(description="whether it originates in Azerbaijan, with evidence")
    value: Exact | None = Field(None, description="AZN", examples=["830.00"])
    weight_kg: Exact | None = Field(None, examples=["1040"])


class StepBody(Body):
    """A step of the process, in the order in which it is done."""

    name: Name = Field(examples=["Longitudinal welding"])
    operation: Word = Field(description="kind of operation", examples=["welding"])
    country: Code = Field(examples=["AZ"])
    district: Word | None = Field(None, examples=["Ağdam"])
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
    unit: Word = Field(examples=["t"])
    site_id: UUID
    national_code: Code | None = Field(None, description="10 digits, begins with the HS code")
    gtin: Code | None = Field(None, examples=["9520000000011"])
    brand: Name | None = None
    reference: Word | None = Field(None, description="your own code for it", examples=["P001"])
    flags: list[Code] = Field(default=[], max_length=20, examples=[["assembly_only"]])
    joint_production: list[Code] = Field(default=[], max_length=20, description="countries of partners abroad")
    annual_capacity: Exact | None = None
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
            materials=tuple(MaterialEntry(**line.model_dump()) for line in self.materials),
            steps=tuple(StepEntry(**step.model_dump()) for step in self.steps),
            costs=tuple(CostEntry(**cost.model_dump()) for cost in self.costs),
        )


@router.get("/products", summary="Products of your company", responses=refuses(*READS))
def list_products(
    actor: Applicant,
    session: SessionDep,
    page: PageDep,
    retired: Annotated[bool, Query(description="the retired ones instead")] = False,
) -> dict[str, list[dossier.ProductAnswer]]:
    rows = products.list_products(session, actor, retired=retired, after=page.after, limit=page.fetch)
    return {"items": [dossier.product(row) for row in page.cut(rows, lambda row: row.product.id)]}


@router.post("/products", status_code=201, summary="Describe a product", responses=refuses(*CREATES))
def create_product(
    body: ProductBody, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> dossier.ProductAnswer:
    """Codes, bill of materials, process and cost statement: what the rules look at. All places to mend come at once."""
    row = products.create_product(session, actor, entry=body.entry(), now=now)
    response.headers["ETag"] = etag(row.product.version)
    return dossier.product(row)


@router.get("/products/{product_id}", summary="One product", responses=refuses(*READS))
def get_product(product_id: str, actor: ActorDep, session: SessionDep, response: Response) -> dossier.ProductAnswer:
    row = products.get_product(session, actor, parse_id(product_id, "product"))
    response.headers["ETag"] = etag(row.product.version)
    return dossier.product(row)


def _own_product(product_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return products.changeable(session, actor, parse_id(product_id, "product"), version, frozen=service.frozen).id


OwnProduct = Annotated[UUID, Depends(_own_product, scope="function")]


@router.put("/products/{product_id}", summary="Describe a product anew", responses=refuses(*CHANGES))
def replace_product(
    product_id: OwnProduct,
    body: ProductBody,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> dossier.ProductAnswer:
    """Not while an application with it is being looked at: then it is frozen, until you are asked for more."""
    row = products.replace_product(
        session,
        actor,
        product_id=product_id,
        version=version,
        entry=body.entry(),
        frozen=service.frozen,
        now=now,
    )
    response.headers["ETag"] = etag(row.product.version)
    return dossier.product(row)


@router.post("/products/{product_id}/retire", summary="Retire a product", responses=refuses(*CHANGES))
def retire_product(
    product_id: OwnProduct, actor: Applicant, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> dossier.ProductAnswer:
    """It can no longer be applied for; certificates that it holds stay."""
    row = products.retire_product(
        session, actor, product_id=product_id, version=version, frozen=service.frozen, now=now
    )
    response.headers["ETag"] = etag(row.product.version)
    return dossier.product(row)


class DryAssessment(Body):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)


@trial.post(
    "/schemes/{code}/assessments",
    summary="Try the rules before applying",
    responses=refuses(*CREATES),
)
@only_reads
def assess(
    code: str, body: DryAssessment, actor: Applicant, session: SessionDep, now: NowDep
) -> dict[str, list[dossier.AssessmentAnswer]]:
    """Every rule with its outcome, what it saw, and what is needed. Nothing is kept, nobody is told."""
    organisation_id = own_organisation(actor)
    for product_id in body.product_ids:
        if products_store.product(session, product_id, organisation_id) is None:
            raise NotFound.of("product")
    judged = assessment.judge_products(session, code, organisation_id, list(dict.fromkeys(body.product_ids)), now)
    return {"items": [dossier.dry_assessment(pid, each) for pid, each in judged.assessments.items()]}


class ApplicationBody(Body):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)
    reference: Word | None = Field(None, description="your own; unique in your company")


class NewApplication(ApplicationBody):
    scheme: Code = Field(examples=["MIK"])


@router.get("/applications", summary="Applications of your company", responses=refuses(*READS))
def list_applications(
    actor: Applicant,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    state: State | None = None,
    scheme: Annotated[str | None, Query(max_length=8)] = None,
    reference: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, list[dossier.ApplicationSummary]]:
    wanted = store.CaseFilter(
        state=state,
        scheme=dossier.searchable(scheme),
        organisation_id=own_organisation(actor),
        reference=dossier.searchable(reference),
        with_drafts=True,
    )
    rows = page.cut(store.applications(session, wanted, page.after, page.fetch), lambda row: row.id)
    return {"items": dossier.summaries(session, actor, rows, now)}


@router.post("/applications", status_code=201, summary="Draft an application", responses=refuses(*CREATES))
def create_application(
    body: NewApplication, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> dossier.ApplicationAnswer:
    """One mark, 1 to 50 products. Nothing is sent before you submit."""
    row = service.create(
        session,
        actor,
        scheme_code=body.scheme,
        product_ids=body.product_ids,
        reference=body.reference,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.get("/applications/{application_id}", summary="One application", responses=refuses(*READS))
def get_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, now: NowDep
) -> dossier.ApplicationAnswer:
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


def _own_draft(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    drafts = frozenset({State.DRAFT})
    row = service.editable(session, actor, parse_id(application_id, "application"), version, states=drafts)
    return row.id


@router.put("/applications/{application_id}", summary="Change a draft", responses=refuses(*CHANGES))
def change_application(
    application_id: Annotated[UUID, Depends(_own_draft, scope="function")],
    body: ApplicationBody,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> dossier.ApplicationAnswer:
    row = service.change(
        session,
        actor,
        application_id,
        product_ids=body.product_ids,
        reference=body.reference,
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.post("/applications/{application_id}/submit", summary="Submit", responses=refuses(*CHANGES))
def submit(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> dossier.ApplicationAnswer:
    """The dossier is assessed and frozen. What you can supply and did not is named, and nothing is sent."""
    row = service.submit(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


class AnswerBody(Body):
    question_id: UUID
    text: Prose
    evidence_ids: list[UUID] = Field(
        default=[], max_length=MOST_NAMED, description="files of this application that the answer rests on"
    )


class Answers(Body):
    answers: list[AnswerBody] = Field(max_length=20)


def _may_respond(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return cases.admit(session, actor, parse_id(application_id, "application"), Action.RESPOND, version).id


@router.post("/applications/{application_id}/respond", summary="Answer the reviewer", responses=refuses(*CHANGES))
def respond(
    application_id: Annotated[UUID, Depends(_may_respond, scope="function")],
    body: Answers,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> dossier.ApplicationAnswer:
    """Every open question gets an answer; products and evidence can be mended before. The case returns to review."""
    row = service.respond(
        session,
        actor,
        application_id,
        replies=[Reply(a.question_id, a.text, tuple(a.evidence_ids)) for a in body.answers],
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.post("/applications/{application_id}/withdraw", summary="Withdraw", responses=refuses(*CHANGES))
def withdraw(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> dossier.ApplicationAnswer:
    """Possible until a decision is made. The products can be applied for again."""
    row = service.withdraw(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.get(
    "/applications/{application_id}/assessment",
    summary="What the rules said, newest for each product",
    responses=refuses(*READS),
)
def get_assessment(
    application_id: str, actor: ActorDep, session: SessionDep
) -> dict[str, list[dossier.AssessmentAnswer]]:
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    return {"items": [dossier.stored_assessment(each) for each in store.latest_assessments(session, row.id)]}


@router.get("/applications/{application_id}/timeline", summary="Who did what, when", responses=refuses(*READS))
def get_timeline(application_id: str, actor: ActorDep, session: SessionDep) -> dict[str, list[dossier.TimelineEntry]]:
    """Oldest first. The applicant sees the deeds and roles of the staff, not their names or internal notes."""
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    return {"items": dossier.timeline(session, actor, row)}


class NewClient(Body):
    name: Sentence = Field(examples=["Order system"])
    scopes: list[Scope] = Field(
        default=list(Scope), min_length=1, max_length=20, description="what it may do; everything unless you narrow it"
    )


class ClientAnswer(Answer):
    id: UUID
    client_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ClientWithSecret(ClientAnswer):
    client_secret: str | None = Field(description=SHOWN_ONCE)


@router.get("/api-clients", summary="Programs that act for your company", responses=refuses(*READS))
def list_clients(actor: Applicant, session: SessionDep, page: PageDep) -> dict[str, list[ClientAnswer]]:
    rows = access_store.clients_of(session, own_organisation(actor), page.after, page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return {"items": [ClientAnswer.model_validate(row, from_attributes=True) for row in shown]}


def _person(actor: Applicant) -> Actor:
    require_person(actor)
    return actor


@router.post("/api-clients", status_code=201, summary="Add a program", responses=refuses(*CREATES))
def create_client(
    body: NewClient,
    actor: Annotated[Actor, Depends(_person, scope="function")],
    session: SessionDep,
    now: NowDep,
    _retry: ReplayDep,
) -> ClientWithSecret:
    """The secret is shown once; only a hash of it is kept."""
    row, secret = access.create_client(session, actor, name=body.name, scopes=body.scopes, now=now)
    session.flush()
    return ClientWithSecret(**ClientAnswer.model_validate(row, from_attributes=True).model_dump(), client_secret=secret)


@router.get("/api-clients/{client_id}", summary="One program", responses=refuses(*READS))
def get_client(client_id: str, actor: Applicant, session: SessionDep) -> ClientAnswer:
    row = access_store.client_of(session, own_organisation(actor), parse_id(client_id, "API client"))
    if row is None:
        raise NotFound.of("API client")
    return ClientAnswer.model_validate(row, from_attributes=True)


@router.delete("/api-clients/{client_id}", summary="Revoke a program", responses=refuses(*CREATES))
def revoke_client(
    client_id: str, actor: Applicant, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> ClientAnswer:
    """Its access tokens end with this answer."""
    row = access.revoke_client(session, actor, parse_id(client_id, "API client"), now)
    return ClientAnswer.model_validate(row, from_attributes=True)
