"""Requests and answers, as JSON carries them. Written by generate.py from docs/openapi.json."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Action: TypeAlias = Literal['submit', 'claim', 'assign', 'hand-over', 'release', 'request-information', 'respond', 'recommend', 'approve', 'reject', 'return', 'withdraw', 'lapse']
ActorGroup: TypeAlias = Literal['company', 'staff', 'system']
ActorKind: TypeAlias = Literal['user', 'client', 'system']
AuthorityState: TypeAlias = Literal['offered', 'accepted', 'in_force', 'expired', 'ended']
ClaimState: TypeAlias = Literal['waiting', 'disputed', 'confirmed', 'refused']
ClockState: TypeAlias = Literal['running', 'stopped']
CostKind: TypeAlias = Literal['materials', 'labour', 'energy', 'depreciation', 'research', 'quality', 'other']
DecisionOutcome: TypeAlias = Literal['approved', 'rejected']
DeclarationMethod: TypeAlias = Literal['click', 'e_signature']
DeliveryState: TypeAlias = Literal['waiting', 'delivered', 'failed']
DisableReason: TypeAlias = Literal['failing', 'gone']
EffectiveStatus: TypeAlias = Literal['active', 'suspended', 'expired', 'revoked', 'surrendered', 'superseded', 'key_compromised']
EndpointState: TypeAlias = Literal['active', 'disabled']
EvidenceScope: TypeAlias = Literal['company', 'site', 'product', 'lot', 'any']
FieldRequirement: TypeAlias = Literal['needed', 'optional', 'none']
FileVerificationResponse: TypeAlias = Any
ImportMode: TypeAlias = Literal['all_or_nothing', 'good_lines_as_drafts']
JobState: TypeAlias = Literal['waiting', 'running', 'done', 'parked']
MailState: TypeAlias = Literal['waiting', 'failed', 'delivered', 'void']
ManifestState: TypeAlias = Literal['running', 'finished', 'cancelled']
MatterCause: TypeAlias = Literal['evidence_withdrawn', 'evidence_ended', 'evidence_false', 'stage_back', 'non_resident', 'fact_differs', 'name', 'address', 'materials', 'supplier', 'price', 'capacity', 'step', 'site', 'heading', 'ownership', 'other']
MatterKind: TypeAlias = Literal['lost_ground', 'change', 'report']
MatterOutcome: TypeAlias = Literal['unfounded', 'corrected', 'upheld']
MatterState: TypeAlias = Literal['open', 'closed']
MessageKind: TypeAlias = Literal['registration-requested', 'reset-requested', 'confirm-address', 'address-taken', 'reset-password', 'first-password', 'invitation', 'claim-confirmed', 'claim-refused', 'claim-disputed', 'member-removed', 'account-closed', 'role-granted', 'role-taken', 'administrator-given', 'administrator-taken', 'certificates-reissued', 'authenticator-proposed', 'authenticator-registered', 'authenticator-removed', 'notice', 'confirm-watch', 'watched-change', 'sign-in-added', 'sign-in-removed', 'authority-offered', 'authority-accepted', 'authority-ended']
OperationClass: TypeAlias = Literal['simple', 'substantial', 'assembly', 'other']
OrganisationStatus: TypeAlias = Literal['listed', 'unconfirmed', 'confirmed', 'refused']
Outcome: TypeAlias = Literal['pass', 'fail', 'manual', 'incomplete', 'not_applicable', 'not_assessed']
ParkKind: TypeAlias = Literal['industrial_park', 'industrial_district', 'agropark', 'free_zone', 'technology_park']
Place: TypeAlias = Literal['KARABAKH', 'AZ_OTHER', 'ABROAD']
ProductionStage: TypeAlias = Literal['planned', 'construction', 'operating']
ProposalState: TypeAlias = Literal['proposed', 'confirmed', 'refused', 'withdrawn', 'expired']
QuestionField: TypeAlias = Literal['/names', '/hs6', '/national_code', '/gtin', '/unit', '/brand', '/flags', '/joint_production', '/ex_works', '/materials', '/steps', '/costs', '/site', '/site/production_started_on', '/organisation', '/residency', '/evidence', '/term']
RecommendedOutcome: TypeAlias = Literal['approve', 'reject']
RecordSource: TypeAlias = Literal['register', 'applicant']
Resemblance: TypeAlias = Literal['same', 'different']
ResidencyChangeKind: TypeAlias = Literal['new', 'kept', 'lost', 'restored']
ResidencyStatus: TypeAlias = Literal['resident', 'non_resident']
RevocationReason: TypeAlias = Literal['false-documents', 'mark-on-uncertified-goods', 'critical-nonconformity', 'residency-cancelled', 'bankruptcy', 'repeated-suspension', 'court-order']
Role: TypeAlias = Literal['applicant', 'registrar', 'reviewer', 'approver', 'owner', 'auditor', 'inspector', 'system']
SchemeKind: TypeAlias = Literal['trademark_licence', 'collective', 'certification', 'local_brand']
Scope: TypeAlias = Literal['read', 'products:write', 'applications:write', 'applications:submit', 'certificates:surrender', 'webhooks']
SendError: TypeAlias = Literal['url_refused', 'name_not_found', 'inner_address', 'connection_failed', 'tls_failed', 'timeout', 'protocol_error']
State: TypeAlias = Literal['draft', 'submitted', 'in_review', 'information_requested', 'recommended', 'approved', 'rejected', 'withdrawn', 'lapsed']
Supplier: TypeAlias = Literal['applicant', 'staff']
SuspensionCause: TypeAlias = Literal['residency', 'document', 'hearing', 'surveillance', 'change', 'licence', 'mark', 'holder', 'incident', 'court']
ValueBasis: TypeAlias = Literal['cif', 'domestic', 'own']
ValueType: TypeAlias = Literal['choice', 'code', 'text', 'flag', 'percentage', 'quantity', 'count', 'heading', 'goods', 'date', 'country', 'district', 'unit', 'voen', 'member', 'findings']
Verdict: TypeAlias = Literal['forged', 'unreadable', 'mistyped', 'unknown', 'revoked', 'surrendered', 'superseded', 'key_compromised', 'expired', 'suspended', 'not_yet_valid', 'valid']
WatchKind: TypeAlias = Literal['certificate', 'holder', 'heading']


class AgentAuthorityResponse(TypedDict):
    accepted_at: str | None
    agent_name: str | None
    """null until it is accepted"""
    email: str
    ended_at: str | None
    """before its last day: revoked, given up or declined"""
    first_day: str
    granted_at: str
    granted_by: str
    id: str
    last_day: str
    organisation_id: str
    organisation_name: str
    scopes: list[Scope]
    state: AuthorityState



class AnnouncedDayRequest(TypedDict):
    day: str
    occasion: Literal['novruz', 'ramazan', 'gurban', 'other']
    """what is celebrated; `other` for a day exchanged by decision"""
    works: NotRequired[bool]
    """with `other`: true for a working day that would otherwise be free"""



class AnswerRequest(TypedDict):
    accepts: NotRequired[bool | None]
    """for a question about `/term`: whether you accept the shorter term"""
    evidence_ids: NotRequired[list[str]]
    """evidence documents of this application that support the answer"""
    question_id: str
    text: str



class AnswersRequest(TypedDict):
    answers: list[AnswerRequest]



class ApiClientRequest(TypedDict):
    name: str
    scopes: NotRequired[list[Scope]]
    """scopes granted to the client; default: `read`"""



class ApiClientResponse(TypedDict):
    client_id: str
    created_at: str
    id: str
    last_used_at: str | None
    name: str
    revoked_at: str | None
    scopes: list[Scope]
    secrets: list[ClientSecretResponse]
    """active secrets, oldest first; at most two"""



class ApiClientWithSecretResponse(TypedDict):
    client_id: str
    client_secret: str | None
    """shown once, in this answer only: null where the answer is given again to a retry"""
    created_at: str
    id: str
    last_used_at: str | None
    name: str
    revoked_at: str | None
    scopes: list[Scope]
    secrets: list[ClientSecretResponse]
    """active secrets, oldest first; at most two"""



class ApplicationCopyRequest(TypedDict):
    reference: NotRequired[str | None]
    """your own reference for the new one"""
    scheme: NotRequired[str | None]
    """another scheme; null: that of the earlier application"""



class ApplicationCreateRequest(TypedDict):
    product_ids: list[str]
    reference: NotRequired[str | None]
    """your own reference; unique within your company"""
    scheme: str



class ApplicationResponse(TypedDict):
    age_working_days: int | None
    """working days on the processing clock; null before submission"""
    allowed_actions: list[Action]
    """actions that you can take now"""
    assignee_id: str | None
    """staff only"""
    certificates: list[str]
    clock: ClockState
    """processing clock; paused while waiting for the applicant"""
    created_at: str
    decision: DecisionResponse | None
    due_at: str | None
    """deadline of the next step; null when nothing is due"""
    due_step: str | None
    """step that is due at `due_at`"""
    evidence: list[EvidenceResponse]
    id: str
    number: str
    organisation: CompanyName
    overdue: bool
    product_ids: list[str]
    questions: list[QuestionResponse]
    recommendation: dict[str, Any] | None
    """open recommendation; staff only"""
    reference: str | None
    scheme: str
    state: State
    state_since: str
    submitted_at: str | None
    version: int
    visit_waiver: VisitWaiverResponse | None
    waiting_on: Literal['applicant', 'reviewer', 'approver'] | None
    """who acts next; null when the application is closed"""



class ApplicationSummaryResponse(TypedDict):
    age_working_days: int | None
    """working days on the processing clock; null before submission"""
    assignee_id: str | None
    """staff only"""
    clock: ClockState
    """processing clock; paused while waiting for the applicant"""
    due_at: str | None
    """deadline of the next step; null when nothing is due"""
    due_step: str | None
    """step that is due at `due_at`"""
    id: str
    number: str
    organisation: CompanyName
    overdue: bool
    products: int
    reference: str | None
    scheme: str
    state: State
    state_since: str
    submitted_at: str | None
    version: int
    waiting_on: Literal['applicant', 'reviewer', 'approver'] | None



class ApplicationUpdateRequest(TypedDict):
    """Products and reference of the draft. The answer of `GET` is accepted as it is."""
    age_working_days: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    allowed_actions: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    assignee_id: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    certificates: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    clock: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    created_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    decision: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    due_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    due_step: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    evidence: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    id: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    number: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    organisation: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    overdue: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    product_ids: list[str]
    questions: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    recommendation: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    reference: NotRequired[str | None]
    """your own reference; unique within your company"""
    scheme: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    state: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    state_since: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    submitted_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    version: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    visit_waiver: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    waiting_on: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""



class AssessmentResponse(TypedDict):
    as_of: str
    assessed_at: NotRequired[str | None]
    holds_until: NotRequired[str | None]
    """last day of validity of the evidence that a certificate would depend on"""
    input_hash: str
    """SHA-256 over the facts that were evaluated"""
    occasion: NotRequired[Literal['submission', 'response', 'recommendation', 'decision'] | None]
    origin: dict[str, Any] | None
    """criterion, value content and its arithmetic"""
    outcome: Outcome
    """most severe outcome of all rules: fail > incomplete > manual > pass"""
    product_id: str
    rules: list[FindingResponse]
    ruleset_digest: str
    ruleset_version: str
    scheme: str



class AssignRequest(TypedDict):
    application_ids: list[str]
    to: str
    """id of a reviewer; may be your own"""



class AttemptResponse(TypedDict):
    answer: str | None
    """beginning of the body of the answer, at most 1 kB"""
    at: str
    duration_ms: int
    error: SendError | None
    """why there was no answer"""
    status: int | None
    """HTTP status of the answer; success is 200 to 299"""



class AuditEventResponse(TypedDict):
    actor: EventActorResponse
    at: str
    case_id: str | None
    data: dict[str, Any]
    """ids, codes and hashes"""
    event: str
    hash: str
    """SHA-256 over `prev_hash` and all members of the event"""
    prev_hash: str
    seq: int
    """position in the chain, without gaps"""
    subject: EventSubjectResponse



class AuthorityList(TypedDict):
    items: list[AgentAuthorityResponse]



class AuthorityRequest(TypedDict):
    email: str
    """of the agent"""
    first_day: str
    last_day: str
    """inclusive; at most two years after the first"""
    scopes: list[Scope]



class AuthorityResponse(TypedDict):
    address: str | None
    email: str
    names: dict[str, str]
    phone: str | None



class BilingualText(TypedDict):
    """One or more sentences in the two languages of a decision."""
    az: str
    en: str



class CalendarDayResponse(TypedDict):
    announced: bool
    """true: entered by the owner; false: a holiday that is the same every year, or the expected day of an occasion
    that is listed in `awaited`
    """
    day: str
    instead_of: str | None
    """the holiday, on a weekend or on another free day, that this free day stands for"""
    name: dict[str, str]
    """language → name; says so where the date is an estimate"""
    occasion: str
    works: bool
    """true: a working day that would otherwise be free"""



class CalendarResponse(TypedDict):
    awaited: list[str]
    """moved holidays whose days of this year are not announced yet; expected days count until then"""
    days: list[CalendarDayResponse]
    """holidays and exchanged days; all other days from Monday to Friday are working days"""
    time_zone: NotRequired[str]
    year: int



class CaseReasonRequest(TypedDict):
    reason: str



class CertificateResponse(TypedDict):
    """The public members of a certificate. `status` is as decided; `/v1/verify` says whether it is valid today."""
    country: str
    """country of origin, ISO 3166-1 alpha-2"""
    during_investigation: NotRequired[bool]
    """true: surrendered during an investigation; otherwise the member is absent"""
    holder: HolderResponse
    number: str
    origin_criterion: Literal['WO', 'PE', 'CTH', 'RVC']
    product: CertifiedProductResponse
    reason: str | None
    scheme: SchemeSummaryResponse
    site: CertifiedSiteResponse
    status: Literal['active', 'suspended', 'revoked', 'surrendered', 'superseded', 'key_compromised']
    status_since: str
    valid_from: str
    valid_until: str
    """last valid day, inclusive, Asia/Baku"""



class CertifiedProductResponse(TypedDict):
    gtin: str | None
    hs6: str
    name: dict[str, str]



class CertifiedSiteResponse(TypedDict):
    district: str
    park: str | None



class ChangeReportRequest(TypedDict):
    on: str
    """day of the change; may be in the future"""
    text: str
    what: Literal['name', 'address', 'materials', 'supplier', 'price', 'capacity', 'step', 'site', 'heading', 'ownership', 'other']



class ClaimConfirmRequest(TypedDict):
    basis: str
    evidence_seen: NotRequired[list[str]]
    """documents of the claim that you examined"""



class ClaimProposalRequest(TypedDict):
    basis: str



class ClaimResponse(TypedDict):
    basis: str | None
    """evidence on which it was confirmed; staff only"""
    claimant: PersonResponse | None
    """staff only"""
    created_at: str
    decided_at: str | None
    decided_by: str | None
    """staff only"""
    due_at: str | None
    """of a waiting claim: the deadline of the decision, five working days after the claim; staff only"""
    evidence: list[EvidenceResponse]
    """documents uploaded with the claim; of a confirmed claim, see the company"""
    evidence_seen: list[str] | None
    """staff only"""
    id: str
    legal_form: str
    legal_name_az: str
    """as stated in the claim, like the other names"""
    legal_name_en: str
    notice: str | None
    """text for the claimant once the claim is decided"""
    objections_until: str | None
    """of a disputed claim: members of the company can object until then, and it cannot be confirmed before; staff only"""
    organisation_id: str
    """the organisation that holds what the claimant entered; after confirmation, the company"""
    other_claims: list[ClaimWithEvidenceResponse] | None
    """other claims with the same VÖEN; staff only"""
    overdue: bool | None
    """staff only"""
    proposal: str | None
    """evidence on which confirmation was proposed"""
    proposed_at: str | None
    """of a disputed claim; staff only, like the next two"""
    proposed_by: str | None
    """the registrar who proposed confirmation; another registrar confirms"""
    reason: str | None
    """reason of refusal; staff only"""
    register_entry: RegisteredCompanyResponse | None
    """the registered company with this VÖEN, null if there is none; staff only"""
    state: ClaimState
    """`disputed` (others act for the company already) is shown to staff only; others see `waiting`"""
    version: int | None
    """row version, as in `ETag`; staff only"""
    voen: str
    voen_needs_review: bool
    """true: the check digit is wrong; look the VÖEN up in the tax register"""



class ClaimSummaryResponse(TypedDict):
    basis: str | None
    """evidence on which it was confirmed; staff only"""
    claimant: PersonResponse | None
    """staff only"""
    created_at: str
    decided_at: str | None
    decided_by: str | None
    """staff only"""
    due_at: str | None
    """of a waiting claim: the deadline of the decision, five working days after the claim; staff only"""
    evidence_seen: list[str] | None
    """staff only"""
    id: str
    legal_form: str
    legal_name_az: str
    """as stated in the claim, like the other names"""
    legal_name_en: str
    notice: str | None
    """text for the claimant once the claim is decided"""
    objections_until: str | None
    """of a disputed claim: members of the company can object until then, and it cannot be confirmed before; staff only"""
    organisation_id: str
    """the organisation that holds what the claimant entered; after confirmation, the company"""
    overdue: bool | None
    """staff only"""
    proposal: str | None
    """evidence on which confirmation was proposed"""
    proposed_at: str | None
    """of a disputed claim; staff only, like the next two"""
    proposed_by: str | None
    """the registrar who proposed confirmation; another registrar confirms"""
    reason: str | None
    """reason of refusal; staff only"""
    state: ClaimState
    """`disputed` (others act for the company already) is shown to staff only; others see `waiting`"""
    version: int | None
    """row version, as in `ETag`; staff only"""
    voen: str
    voen_needs_review: bool
    """true: the check digit is wrong; look the VÖEN up in the tax register"""



class ClaimWithEvidenceResponse(TypedDict):
    basis: str | None
    """evidence on which it was confirmed; staff only"""
    claimant: PersonResponse | None
    """staff only"""
    created_at: str
    decided_at: str | None
    decided_by: str | None
    """staff only"""
    due_at: str | None
    """of a waiting claim: the deadline of the decision, five working days after the claim; staff only"""
    evidence: list[EvidenceResponse]
    """documents uploaded with the claim; of a confirmed claim, see the company"""
    evidence_seen: list[str] | None
    """staff only"""
    id: str
    legal_form: str
    legal_name_az: str
    """as stated in the claim, like the other names"""
    legal_name_en: str
    notice: str | None
    """text for the claimant once the claim is decided"""
    objections_until: str | None
    """of a disputed claim: members of the company can object until then, and it cannot be confirmed before; staff only"""
    organisation_id: str
    """the organisation that holds what the claimant entered; after confirmation, the company"""
    overdue: bool | None
    """staff only"""
    proposal: str | None
    """evidence on which confirmation was proposed"""
    proposed_at: str | None
    """of a disputed claim; staff only, like the next two"""
    proposed_by: str | None
    """the registrar who proposed confirmation; another registrar confirms"""
    reason: str | None
    """reason of refusal; staff only"""
    state: ClaimState
    """`disputed` (others act for the company already) is shown to staff only; others see `waiting`"""
    version: int | None
    """row version, as in `ETag`; staff only"""
    voen: str
    voen_needs_review: bool
    """true: the check digit is wrong; look the VÖEN up in the tax register"""



class ClientSecretResponse(TypedDict):
    created_at: str
    ended_at: str | None
    expires_at: str
    id: str
    last_used_at: str | None



class CompanyName(TypedDict):
    id: str
    legal_name_az: str
    legal_name_en: str



class CompetingClaimResponse(TypedDict):
    claimant: str
    """name that the claimant stated"""
    created_at: str
    decided_at: str | None
    id: str
    objections_until: str
    """the claim is not confirmed before; to object, contact the registrar"""
    state: ClaimState



class ConfirmationWithdrawRequest(TypedDict):
    found_false: NotRequired[bool]
    """true: the document is false and cannot be confirmed again"""
    reason: NotRequired[str | None]
    """required if a certificate depends on the document, and for `found_false`"""



class ConsistencyProofResponse(TypedDict):
    first: int
    hashes: list[str]
    """hashes in base64, in the order of RFC 9162 §2.1.4.2"""
    second: int



class CostRequest(TypedDict):
    amount: float | str
    """AZN per unit of product"""
    kind: CostKind
    place: Place



class CostResponse(TypedDict):
    amount: str
    kind: CostKind
    place: Place



class CreatedRecordResponse(TypedDict):
    id: str
    line: int
    reference: str | None



class CurrentUserResponse(TypedDict):
    administrator: bool | None
    """whether the member is an administrator of the company; null for staff and API clients"""
    id: str
    kind: ActorKind
    name: str
    organisation: OwnCompany | None
    """the company that an applicant acts for"""
    roles: list[Role]
    scopes: list[Scope] | None
    """scopes of an API client's token; null for users"""
    second_factor: SecondFactorResponse | None
    """of staff; null for others"""



class DecidingRuleResponse(TypedDict):
    accepted: int
    """products that a reviewer accepted under it"""
    clause: dict[str, str]
    failed: int
    """products that did not meet it"""
    rule: str
    title: dict[str, str]



class DecisionResponse(TypedDict):
    decided_at: str
    outcome: DecisionOutcome
    products: list[ProductDecisionResponse]
    reason: str | None
    ruleset_version: str
    visit_waiver: VisitWaiverResponse | None



class DeclarationRequest(TypedDict):
    declared_hash: str
    """`declared_hash` from `GET` of this address"""
    text_version: str



class DeclarationResponse(TypedDict):
    declaration: MadeDeclarationResponse | None
    """the newest declaration; null if none was made"""
    declared_hash: str
    """SHA-256 over the products, sites and documents that your company has entered and uploaded"""
    text: dict[str, str]
    """language → the text to accept"""
    text_version: str



class DeliveryResponse(TypedDict):
    attempts: list[AttemptResponse]
    """oldest first"""
    created_at: str
    event_id: str
    """header `webhook-id`, the same in every attempt"""
    event_type: str
    finished_at: str | None
    id: str
    next_attempt_at: str | None
    state: DeliveryState



class DescriptionResponse(TypedDict):
    """The certified description: product, materials, steps, costs, site and company as they were certified."""
    certificate: str
    description: dict[str, Any]
    frozen_at: str
    """time of issue; for older certificates the day on which descriptions were introduced"""
    sha256: str
    """SHA-256 over the canonical JSON of `description`"""



class DryAssessmentRequest(TypedDict):
    product_ids: list[str]



class EarlierDecisionResponse(TypedDict):
    application_id: str
    decided_at: str
    number: str
    organisation: CompanyName
    outcome: DecisionOutcome
    products: list[EarlierProductResponse]
    ruleset_version: str
    same_company: bool



class EarlierProductResponse(TypedDict):
    certificate: str | None
    failed: list[dict[str, Any]]
    """criteria that were not met, with rule, clause and reason"""
    heading: str
    hs6: str
    """HS subheading at the time of the decision"""
    name: dict[str, str]
    """language → name, as it is today"""
    outcome: DecisionOutcome
    product_id: str
    reasons: list[str]
    resolutions: list[dict[str, Any]]
    """manual rules and how the reviewer resolved them"""



class EventActorResponse(TypedDict):
    id: str | None
    kind: ActorKind
    name: str | None
    """current name of the user; the chain holds the id only"""



class EventDataResponse(TypedDict):
    certificate: str | None
    """number of the certificate that a matter is about"""
    deadline: str | None
    """exclusive: from this moment on it has passed"""
    kind: str | None
    """kind of the subject, or of the change"""
    reason: EventReasonResponse | None
    status: str | None
    """status of the subject after the event"""



class EventReasonResponse(TypedDict):
    az: str
    code: str
    en: str



class EventSubjectResponse(TypedDict):
    id: str
    type: str



class EvidenceConfirmRequest(TypedDict):
    """Content and subject of the document; members left out stay as they were stated."""
    issued_on: NotRequired[str | None]
    number: NotRequired[str | None]
    product_ids: NotRequired[list[str]]
    """products, if the document named none or others"""
    site_id: NotRequired[str | None]
    """site, if the document named none or another"""
    valid_until: NotRequired[str | None]
    """last day, inclusive"""
    values: NotRequired[dict[str, Any]]
    """values of this kind, see `GET /v1/evidence-kinds`"""



class EvidenceKind(TypedDict):
    code: str
    issued_on: NotRequired[FieldRequirement]
    name: BilingualText
    number: NotRequired[FieldRequirement]
    period: NotRequired[ValuePeriod | None]
    """two of the values that are the first and the last day of a period"""
    scope: EvidenceScope
    """what a document of this kind is about, and has to name"""
    supplied_by: list[Supplier]
    valid_until: NotRequired[FieldRequirement]
    values: NotRequired[dict[str, ValueSpec]]



class EvidenceResponse(TypedDict):
    application_id: str | None
    """null for company-level documents"""
    confirmed_at: str | None
    """null until a member of staff has confirmed it"""
    confirmed_by: str | None
    """staff only"""
    entered: dict[str, Any] | None
    """what the company stated at upload; null for documents added by staff"""
    erased_at: str | None
    """when the file of a refused claim was erased; the hash stays"""
    file_name: str
    found_false: bool
    """true: the document is false and cannot be confirmed again"""
    id: str
    issued_on: str | None
    kind: str
    media_type: str
    number: str | None
    organisation_id: str
    product_id: str | None
    """the product, if the document is about exactly one"""
    product_ids: list[str]
    """products that the document is about"""
    sha256: str
    site_id: str | None
    """site that the document is about"""
    size: int
    uploaded_at: str
    uploaded_by: str
    """name of the member or API client; `staff` for staff, whose names only staff see"""
    valid_until: str | None
    """last day, inclusive; null: no end"""
    values: dict[str, Any]
    """content of the document, by the values of its kind"""
    version: int
    withdrawal_reason: str | None
    """reason of the withdrawal by the company; for staff also that of the confirmation"""
    withdrawn_at: str | None
    """when the company withdrew it; it no longer counts"""



class EvidenceWithdrawRequest(TypedDict):
    reason: str



class FieldProblem(TypedDict):
    """One wrong place. Members of other names are the values of the sentence, such as `limit` or `allowed`."""
    code: str
    """stable"""
    detail: str
    pointer: str
    """JSON pointer into the body; `query:`, `path:` or `header:` and a name for anything else; in a file `/lines/`,
    the line and the column
    """



class FindingResponse(TypedDict):
    clause: str
    outcome: Outcome
    parameters: dict[str, Any]
    """thresholds of the published rule"""
    reason: str
    reasons: dict[str, str]
    """language → sentence"""
    remedy: NotRequired[RemedyResponse | None]
    """for `incomplete`: what is needed"""
    rule: str
    values: dict[str, Any]
    """values that the rule read"""



class FlagsResponse(TypedDict):
    confirmed: bool
    """false: a proposal that the owner of the marks has not confirmed"""
    country_prefix: str
    """prefix of further flags; the code of a partner country (ISO 3166-1) follows"""
    digest: str
    """SHA-256 over all closed lists; a ruleset names it as `lists_digest`"""
    items: list[NamedCodeResponse]
    version: str



class FollowedRequest(TypedDict):
    kind: WatchKind
    value: str
    """number of the certificate, id of the holder, or 2, 4 or 6 digits of an HS code"""



class FollowedResponse(TypedDict):
    kind: WatchKind
    value: str



class HandOverRequest(TypedDict):
    to: str
    """id of a reviewer"""



class HeadingDecisions(TypedDict):
    heading: str
    others: OtherDecisionsResponse
    """counts of other companies' decisions, without names"""
    own: list[OwnDecisionResponse]
    """your own decisions, newest first, at most fifty"""



class HeadingResponse(TypedDict):
    code: str
    """heading (4 digits) or subheading (6)"""
    title: str
    """title in English"""



class HeadingsResponse(TypedDict):
    digest: str
    """SHA-256 over the table"""
    edition: int
    """edition of the Harmonized System"""
    items: list[HeadingResponse]



class HealthResponse(TypedDict):
    status: Literal['ok']



class HolderResponse(TypedDict):
    name: str
    """English"""
    name_az: str | None
    """legal name with its form; null if it is not certain"""
    voen: str | None
    """VÖEN of a legal person; null for a natural person"""



class HolidayAnnouncementRequest(TypedDict):
    days: list[AnnouncedDayRequest]
    year: int



class IdentityList(TypedDict):
    items: list[IdentityResponse]



class IdentityRequest(TypedDict):
    code: str
    code_verifier: str



class IdentityResponse(TypedDict):
    id: str
    issuer: str
    last_used_at: str | None
    linked_at: str
    provider: str | None
    """name of the provider; null: the service no longer has it"""



class ImportFaultResponse(TypedDict):
    """One thing that is wrong."""
    code: str
    """stable code of the kind of fault"""
    column: str | None
    line: int
    """line of the file or sheet; 0: the file as a whole"""
    message: str
    sheet: str | None
    """sheet of an XLSX file; null for CSV"""



class ImportResponse(TypedDict):
    """What a file did, or in a dry run would do. `good` and `bad` count lines of its first table."""
    bad: int
    created: list[CreatedRecordResponse]
    """empty in a dry run"""
    dry_run: bool
    fault_count: int
    faults: list[ImportFaultResponse]
    """the first 5,000, by line"""
    good: int
    kind: Literal['products', 'applications']
    mode: ImportMode
    sha256: str
    """of the file, lower-case hex"""



class InboxResponse(TypedDict):
    items: list[NoticeResponse]
    language: Literal['az', 'en', 'ru']
    """language of the texts: that of your notification settings, else of `Accept-Language`"""
    unread: int
    """how many of all your notices you have not read"""



class InvitationAcceptRequest(TypedDict):
    full_name: str
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """language of messages to you"""
    password: str
    token: str
    """from the message that was mailed"""



class InvitationAcceptResponse(TypedDict):
    organisation_id: str
    user_id: str



class InvitationRequest(TypedDict):
    email: str
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """language of messages to this person"""



class InvitationResponse(TypedDict):
    created_at: str
    email: str
    expires_at: str
    id: str
    invited_by: str



class JobProgressResponse(TypedDict):
    done: int
    """parts of the newest attempt that are done"""
    total: int | None
    """null: not known"""



class JobResponse(TypedDict):
    attempts: int
    """begun since it last succeeded or was retried"""
    created_at: str
    due_at: str | None
    """when a worker may take it; of a running one, when another worker may unless it is prolonged"""
    finished_at: str | None
    """when it last succeeded or was parked"""
    id: str
    key: str | None
    """of all jobs of a type one has this key; empty: the one that recurs"""
    last_error: str | None
    """of the newest attempt that failed"""
    name: str
    """type of the job"""
    payload: dict[str, Any]
    """ids, codes and numbers"""
    progress: JobProgressResponse | None
    started_at: str | None
    """of the newest attempt"""
    state: JobState
    """`parked`: it failed too often, or another attempt cannot help"""
    version: int



class LinkTypeVocabulary(TypedDict):
    namespace: str
    prefix: str



class MadeDeclarationResponse(TypedDict):
    covers_present: bool
    """whether it covers the current text and the current content"""
    declared_hash: str
    made_at: str
    made_by: str
    method: DeclarationMethod
    text_version: str



class MailDeliveryResponse(TypedDict):
    attempts: int
    created_at: str
    delivered_at: str | None
    """when the mail server took it"""
    event_id: str | None
    """id of that event"""
    id: str
    """the mail's `Message-ID` begins with it"""
    kind: MessageKind
    """`notice`: it delivers the notice of an event"""
    last_error: str | None
    """code and text of the mail server"""
    next_attempt_at: str | None
    recipient: str
    """e-mail address"""
    state: MailState
    """`failed`: the newest attempt failed. It is tried again while `next_attempt_at` is not null. `void`: nothing was
    to be sent
    """



class ManifestResponse(TypedDict):
    created_at: str
    done: int
    """numbers evaluated so far"""
    ended_at: str | None
    id: str
    name: str
    """of the file"""
    sha256: str
    """of the file as it was sent"""
    state: ManifestState
    total: int
    """numbers in the file"""
    verdicts: dict[str, int] | None
    """verdict → count; null until finished"""
    version: int



class MaterialRequest(TypedDict):
    """A line of the bill of materials, per unit of product. Unknown values are null; a draft may lack them."""
    basis: NotRequired[ValueBasis | None]
    """how the value was taken: `cif` at importation, `domestic` price paid without VAT, `own` cost"""
    hs4: NotRequired[str | None]
    """heading of HS 2022"""
    name: str
    origin_country: NotRequired[str | None]
    """ISO 3166-1 alpha-2"""
    origin_district: NotRequired[str | None]
    """district of Azerbaijan, in az, en or ru, with or without “rayonu”"""
    originating: NotRequired[bool | None]
    """whether you claim that it originates in Azerbaijan; a claim needs a document in `proofs`"""
    packing: NotRequired[bool]
    """retail packing of the product"""
    proofs: NotRequired[list[str]]
    """evidence documents of your company that show its origin"""
    supplier: NotRequired[str | None]
    """VÖEN or name; left out: the supplier of the declaration in `proofs`"""
    value: NotRequired[float | str | None]
    """AZN, up to 6 decimals; lent or free material: its market price"""
    weight_kg: NotRequired[float | str | None]
    """up to 6 decimals"""



class MaterialResponse(TypedDict):
    basis: ValueBasis | None
    hs4: str | None
    name: str
    origin_country: str | None
    origin_district: str | None
    originating: bool | None
    """origin as claimed by the company; not used for the decision"""
    packing: bool
    proofs: list[str]
    supplier: str | None
    value: str | None
    weight_kg: str | None



class MatterCloseRequest(TypedDict):
    outcome: MatterOutcome
    """`unfounded`: no problem was found; `corrected`: it was corrected; `upheld`: it is confirmed"""
    reason: str
    revocation_reason: NotRequired[RevocationReason | None]
    """for `upheld`; required for the kinds `lost_ground` and `report`"""



class MatterResponse(TypedDict):
    """An open question about a certificate. It does not change the status of the certificate."""
    about: str | None
    """`type:id` of the subject"""
    cause: MatterCause
    certificate: str
    """number of the certificate"""
    closed_at: str | None
    closed_by: str | None
    details: dict[str, Any]
    """data by cause, such as dates and names of fields"""
    id: str
    kind: MatterKind
    opened_at: str
    opened_by: str | None
    """id of the user; null: the service"""
    outcome: MatterOutcome | None
    reason: str | None
    """reason of the outcome"""
    revocation_reason: RevocationReason | None
    """reason for revocation, if the matter was upheld"""
    state: MatterState
    text: str | None
    """text of the person who reported it"""
    version: int



class MemberRemovalResponse(TypedDict):
    api_clients: list[str]
    """active API clients that this person created: revoke them, as the person may know their secrets"""
    id: str



class MemberResponse(TypedDict):
    administrator: bool
    """invites and removes members, manages API clients"""
    created_at: str
    email: str
    full_name: str
    id: str



class MessageSentResponse(TypedDict):
    """The same response for every address, whether or not it has an account."""
    message: str



class MisuseReportRequest(TypedDict):
    """`number` or `address`, or both."""
    address: NotRequired[str | None]
    """address that the code or the link contains"""
    email: NotRequired[str | None]
    """only if staff may contact you"""
    number: NotRequired[str | None]
    """number of the certificate, as printed"""
    photo: NotRequired[str | None]
    """JPEG, PNG or WebP in base64, at most 5 MB"""
    text: NotRequired[str | None]
    """what you saw, and where"""



class MisuseReportResponse(TypedDict):
    address: str | None
    """address as it was reported: do not open it"""
    email: str | None
    has_photo: bool
    id: str
    matter_id: str | None
    """matter that the report opened; null if it names no valid certificate"""
    number: str | None
    receipt: str
    received_at: str
    text: str | None



class NamedCodeResponse(TypedDict):
    code: str
    names: dict[str, str]
    """language → name: az, en, ru"""



class NewClientSecretResponse(TypedDict):
    client_secret: str | None
    """shown once, in this answer only: null where the answer is given again to a retry"""
    created_at: str
    ended_at: str | None
    expires_at: str
    id: str
    last_used_at: str | None



class NoteRequest(TypedDict):
    text: str



class NoteResponse(TypedDict):
    author: str | None
    created_at: str
    id: str
    internal: bool
    """false: the applicant reads it as well"""
    text: str



class NoticeResponse(TypedDict):
    at: str
    event: PublicEventResponse
    """as `GET /v1/events` and webhooks have it"""
    id: str
    """id of the event"""
    link: str
    """page that shows what the notice is about"""
    read: bool
    """whether you have read it; each member of a company reads for themselves"""
    subject: str
    """in your language"""
    text: str
    """sentences in your language, with the reason, the last day and what to do"""
    type: str



class NotificationSettings(TypedDict):
    """What is mailed to you, and in which language."""
    language: Literal['az', 'en', 'ru'] | None
    """of mails and notices; null: mails in Azerbaijani and English, notices by `Accept-Language`"""
    not_mailed: list[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']]
    """types of events of which you get no mail; their notices stay in the inbox"""



OperationResponse = TypedDict(
    "OperationResponse",
    {
        'basis': 'str',
        'class': 'OperationClass',
        'code': 'str',
        'enough_in': 'list[str]',
        'names': 'dict[str, str]',
        'only_in': 'list[str]',
    },
)


class OperationsResponse(TypedDict):
    confirmed: bool
    """false: a proposal that the owner of the marks has not confirmed"""
    digest: str
    """SHA-256 over all closed lists; a ruleset names it as `lists_digest`"""
    items: list[OperationResponse]
    version: str



class OrganisationResponse(TypedDict):
    confirmation_basis: str | None
    confirmed_at: str | None
    created_at: str
    id: str
    legal_form: str
    legal_name_az: str
    legal_name_en: str
    members: NotRequired[list[PersonResponse] | None]
    """users of the company; null in lists"""
    refusal_reason: str | None
    size_class: str | None
    status: OrganisationStatus
    version: int
    voen: str
    voen_needs_review: bool
    """true: the check digit is wrong; look the VÖEN up in the tax register"""



class OtherDecisionsResponse(TypedDict):
    approved: int
    rejected: int
    rules: list[DecidingRuleResponse]
    """rules that decided the newest decisions"""



class OwnCertificateResponse(TypedDict):
    """A certificate of your company: its public members and what it belongs to."""
    application_id: str
    country: str
    """country of origin, ISO 3166-1 alpha-2"""
    during_investigation: NotRequired[bool]
    """true: surrendered during an investigation; otherwise the member is absent"""
    holder: HolderResponse
    number: str
    origin_criterion: Literal['WO', 'PE', 'CTH', 'RVC']
    product: CertifiedProductResponse
    product_id: str
    reason: str | None
    scheme: SchemeSummaryResponse
    site: CertifiedSiteResponse
    site_id: str
    status: Literal['active', 'suspended', 'revoked', 'surrendered', 'superseded', 'key_compromised']
    status_since: str
    valid_from: str
    valid_until: str
    """last valid day, inclusive, Asia/Baku"""



class OwnCompany(TypedDict):
    id: str
    legal_name_az: str
    legal_name_en: str
    status: OrganisationStatus
    voen: str



class OwnDecisionResponse(TypedDict):
    application_id: str
    decided_at: str
    failed: list[dict[str, Any]]
    """criteria that were not met, with rule, clause and reason"""
    hs6: str
    number: str
    outcome: DecisionOutcome
    product_id: str
    reasons: list[str]



class ParkResponse(TypedDict):
    area_ha: str | None
    code: str
    district: str | None
    economic_region: str | None
    kind: ParkKind
    legal_basis: str | None
    names: dict[str, str]



class PasskeyList(TypedDict):
    items: list[PasskeyResponse]



class PasskeyNameRequest(TypedDict):
    name: str
    """by which you know the passkey"""



class PasskeyRegistrationOptions(TypedDict):
    options: dict[str, Any]
    """for `navigator.credentials.create`: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn"""
    ticket: str
    """for `POST /v1/me/passkeys`, with the answer; good for five minutes and once"""



class PasskeyRequest(TypedDict):
    name: str
    """by which you know the passkey"""
    registration: dict[str, Any]
    """`RegistrationResponseJSON` of WebAuthn"""
    ticket: str



class PasskeyResponse(TypedDict):
    id: str
    last_used_at: str | None
    name: str
    registered_at: str



class PasskeySignInOptions(TypedDict):
    options: dict[str, Any]
    """for `navigator.credentials.get`: `PublicKeyCredentialRequestOptionsJSON` of WebAuthn"""
    ticket: str
    """for `POST /v1/auth/token`, with the answer; good for five minutes and once"""



class PasswordChangeRequest(TypedDict):
    password: str
    present_password: str



class PasswordResetConfirmRequest(TypedDict):
    otp: NotRequired[str | None]
    """code of the authenticator, if the account has one"""
    password: str
    token: str



class PasswordResetMailedResponse(TypedDict):
    """A one-time token to set a password was mailed to the address of the account."""
    expires_at: str
    user_id: str



class PasswordResetRequest(TypedDict):
    email: str
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """language of the message if the account has none"""



class PersonResponse(TypedDict):
    active: bool
    email: str
    full_name: str
    id: str



class Problem(TypedDict):
    """RFC 9457. `code` is stable; programs should look at it and at nothing else.

    `title` and `detail` are in the language of `Accept-Language`: az, ru, else English.
    """
    code: str
    detail: str
    errors: NotRequired[list[FieldProblem] | None]
    status: int
    title: str
    type: str
    """address of a page that explains the code: cause, remedy, example"""



class ProductDecisionResponse(TypedDict):
    certificate: str | None
    failed: list[dict[str, Any]]
    """criteria that were not met, with rule and clause"""
    outcome: DecisionOutcome
    product_id: str
    reasons: list[str]



class ProductRecommendationRequest(TypedDict):
    outcome: RecommendedOutcome
    product_id: str
    reasons: NotRequired[list[str]]
    resolutions: NotRequired[list[ResolutionRequest]]
    """one for each manual rule"""



class ProductReplaceRequest(TypedDict):
    """The whole product. The answer of `GET` is accepted as it is."""
    annual_capacity: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    brand: NotRequired[str | None]
    certificates: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    costs: NotRequired[list[CostRequest]]
    """manufacturing cost by kind and place"""
    ex_works: NotRequired[float | str | None]
    """AZN per unit"""
    flags: NotRequired[list[str]]
    """of: excise, advertising_ban, energy_drink, food, dual_use, assembly_only, hs_ambiguous, service, guest_house,
    guide, local_brand, non_resident; `joint_production_XX` names the country of a partner
    """
    gtin: NotRequired[str | None]
    hs6: str
    """HS 2022 subheading"""
    id: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    joint_production: NotRequired[list[str]]
    """countries of partners abroad"""
    materials: NotRequired[list[MaterialRequest]]
    names: dict[str, str]
    """language → name; `az` and `en` are needed"""
    national_code: NotRequired[str | None]
    """10 digits, begins with the HS code"""
    reference: NotRequired[str | None]
    """your own code for it"""
    retired_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    site_id: str
    steps: NotRequired[list[StepRequest]]
    unit: str
    """one of: t, kg, g, m, m2, m3, l, pcs, pair, set, roll, 1000_pcs, km; “1000 pcs” is read as `1000_pcs`"""
    version: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""



class ProductRequest(TypedDict):
    brand: NotRequired[str | None]
    costs: NotRequired[list[CostRequest]]
    """manufacturing cost by kind and place"""
    ex_works: NotRequired[float | str | None]
    """AZN per unit"""
    flags: NotRequired[list[str]]
    """of: excise, advertising_ban, energy_drink, food, dual_use, assembly_only, hs_ambiguous, service, guest_house,
    guide, local_brand, non_resident; `joint_production_XX` names the country of a partner
    """
    gtin: NotRequired[str | None]
    hs6: str
    """HS 2022 subheading"""
    joint_production: NotRequired[list[str]]
    """countries of partners abroad"""
    materials: NotRequired[list[MaterialRequest]]
    names: dict[str, str]
    """language → name; `az` and `en` are needed"""
    national_code: NotRequired[str | None]
    """10 digits, begins with the HS code"""
    reference: NotRequired[str | None]
    """your own code for it"""
    site_id: str
    steps: NotRequired[list[StepRequest]]
    unit: str
    """one of: t, kg, g, m, m2, m3, l, pcs, pair, set, roll, 1000_pcs, km; “1000 pcs” is read as `1000_pcs`"""



class ProductResponse(TypedDict):
    annual_capacity: str | None
    """earlier entry; capacity is stated by site now (evidence kind `capacity-statement`)"""
    brand: str | None
    certificates: list[str]
    """numbers of all its certificates, oldest first; `GET /v1/verify/{number}` says which are valid"""
    costs: list[CostResponse]
    ex_works: str | None
    flags: list[str]
    gtin: str | None
    hs6: str
    id: str
    joint_production: list[str]
    materials: list[MaterialResponse]
    names: dict[str, str]
    national_code: str | None
    reference: str | None
    retired_at: str | None
    site_id: str
    steps: list[StepResponse]
    unit: str
    version: int



class ProposalRequest(TypedDict):
    content: dict[str, Any]
    """`role`: `user_id`, `role`. `second-factor-reset`: `user_id`. `key-activation`: `kid` and, to skip the day of
    waiting, `at_once`. `compromise-correction`: `kid`, `since`, and `reason`, one of `earlier-access`, `later-
    access`, `wrong-entry`.
    """
    kind: Literal['role', 'second-factor-reset', 'key-activation', 'compromise-correction']



class ProposalResponse(TypedDict):
    confirmed_sha256: str | None
    """of the canonical JSON of `{v, act: confirm, kind, content, proposal, proposed, by}`; `proposed` is `sha256`"""
    content: dict[str, Any]
    """exactly what is proposed"""
    decided_at: str | None
    decided_by: str | None
    expires_at: str
    id: str
    kind: str
    proposed_at: str
    proposed_by: str
    sha256: str
    """of the canonical JSON of `{v, act: propose, kind, content, by}`"""
    state: ProposalState
    subject_id: str
    subject_type: str
    """`user`, `key` or `certificate`"""
    version: int



class ProviderList(TypedDict):
    items: list[ProviderResponse]



class ProviderResponse(TypedDict):
    audience: Literal['staff', 'members']
    """whose accounts it opens"""
    name: str
    start_url: str
    title: str



class PublicEventResponse(TypedDict):
    """An event; the webhook of its type has the same content."""
    actor: ActorGroup
    at: str
    data: EventDataResponse
    id: str
    """the same in every delivery"""
    log_index: int | None
    """index of the entry in the public log; null where the act is not logged"""
    subject: PublicEventSubject
    type: str



class PublicEventSubject(TypedDict):
    id: str
    """id, or number of a certificate, as addresses of this API have it"""
    kind: str
    number: str | None
    """number of an application or a certificate"""



class QuestionRequest(TypedDict):
    field: NotRequired[QuestionField | None]
    """what the question is about; a member of a product needs `product_id`"""
    product_id: NotRequired[str | None]
    text: str



class QuestionResponse(TypedDict):
    accepted_until: str | None
    """last day of the accepted term"""
    accepts: bool | None
    """whether a shorter term is accepted; null for other questions"""
    answer: str | None
    answered_at: str | None
    asked_at: str
    evidence_ids: list[str] | None
    """documents that support the answer; null until answered"""
    field: str | None
    """what the question is about"""
    id: str
    product_id: str | None
    question: str



class QuestionsRequest(TypedDict):
    questions: list[QuestionRequest]



class ReadUpToRequest(TypedDict):
    up_to: str
    """id of the newest notice to mark"""



class ReasonRequest(TypedDict):
    reason: str



class ReceiptResponse(TypedDict):
    receipt: str
    """reference for questions about this report"""
    received_at: str



class RecommendationRequest(TypedDict):
    products: list[ProductRecommendationRequest]



class RegisteredCompanyResponse(TypedDict):
    """The company as it is registered."""
    id: str
    legal_form: str
    legal_name_az: str
    legal_name_en: str
    members: list[PersonResponse]
    """users who act for it now"""
    parks: list[str]
    """parks in which it has an open residency"""
    source: RecordSource
    status: OrganisationStatus



class RegistrationConfirmRequest(TypedDict):
    legal_form: str
    legal_name_az: str
    legal_name_en: str
    member: RegistrationMemberRequest
    token: str
    """from the message that was mailed"""
    voen: str
    """10 digits, as text"""



class RegistrationMemberRequest(TypedDict):
    full_name: str
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """language of messages to you; null: as in the first request"""
    password: str



class RegistrationOptionsResponse(TypedDict):
    options: dict[str, Any]
    """for `navigator.credentials.create`: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn"""



class RegistrationRequest(TypedDict):
    email: str
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """language of messages to you"""



class RegistrationResponse(TypedDict):
    claim_id: str
    """the claim that a registrar decides"""
    organisation_id: str
    """the organisation that holds what you enter; once the claim is confirmed, a registered company may replace it,
    see `GET /v1/me`
    """
    status: OrganisationStatus
    """`unconfirmed` until a registrar has examined evidence that you act for the company"""
    user_id: str



class ReinstateRequest(TypedDict):
    cause: SuspensionCause



class RemedyResponse(TypedDict):
    """What is needed to complete an incomplete rule."""
    also: NotRequired[list[str]]
    """further kinds of documents that are missing"""
    by_staff: NotRequired[bool]
    """true: staff act next, not the company"""
    evidence: NotRequired[str | None]
    """kind of document that is missing"""
    field: NotRequired[str | None]
    """member of the product (JSON pointer), of its `/site`, or `declaration`"""



class ReportedChangeResponse(TypedDict):
    """A change as the holder reported it."""
    certificate: str
    id: str
    on: str
    reported_at: str
    state: MatterState
    text: str
    what: MatterCause



class ResendRequest(TypedDict):
    since: str
    """every event since then that was not delivered is sent; at most 30 days ago"""



class ResidencyCloseRequest(TypedDict):
    on: str
    """last day or day of cancellation; not in the future"""
    reason: str



class ResidencyEffectResponse(TypedDict):
    """The effects on the residency and on the certificates that depend on it."""
    certificates: list[dict[str, str]]
    """`number` and `action` of each affected certificate; `cause` of an opened matter"""
    dry_run: bool
    kind: ResidencyChangeKind
    organisation_id: str
    park_code: str
    residency_id: str



class ResidencyRequest(TypedDict):
    holder_voen: str
    """as printed on the park's certificate"""
    incentive_until: NotRequired[str | None]
    organisation_id: str
    park_code: str
    planned_investment_azn: NotRequired[float | str | None]
    planned_jobs: NotRequired[int | None]
    plot_ha: NotRequired[float | str | None]
    plot_no: NotRequired[str | None]
    """number of the plot, as printed on the park's certificate"""
    registration_no: NotRequired[str | None]
    stage: NotRequired[ProductionStage | None]
    starts_on: NotRequired[str | None]
    status: ResidencyStatus



class ResidencyResponse(TypedDict):
    cancelled_on: str | None
    confirmed_on: str
    ends_on: str | None
    """last day, inclusive; null while open"""
    holder_voen: str
    id: str
    incentive_until: str | None
    """end of the tax incentive, not of the residency"""
    organisation_id: str
    park_code: str
    planned_investment_azn: str | None
    planned_jobs: int | None
    plot_ha: str | None
    plot_no: str | None
    registration_no: str | None
    source: str
    """who stated it last: `registrar`, or `import:` and the id of an import"""
    stage: ProductionStage | None
    starts_on: str | None
    status: ResidencyStatus
    version: int



class ResidentImportResponse(TypedDict):
    """The effects of the file, line by line."""
    certificates: list[dict[str, str]]
    """`number` and `action` of each certificate that is suspended, reinstated or gets a matter"""
    dry_run: bool
    errors: NotRequired[list[dict[str, Any]]]
    """errors that belong to no line"""
    file_name: str
    import_id: str | None
    """null for a dry run and if nothing changed"""
    lines: list[dict[str, Any]]
    """`line`, `party_id`, `voen`, `action`, `changes`, `remarks` and `errors` of each line"""
    remarks: NotRequired[list[dict[str, Any]]]
    """remarks that belong to no line"""
    sha256: str
    totals: dict[str, Any]



class ResolutionRequest(TypedDict):
    accept: bool
    reason: str
    rule: str



class ResolverDescription(TypedDict):
    """What this resolver understands, in the members that GS1 defines."""
    linkTypeDefaultCanBeLinkset: bool
    name: str
    resolverRoot: str
    supportedLinkType: list[LinkTypeVocabulary]
    supportedPrimaryKeys: list[str]



class RevokeRequest(TypedDict):
    reason: RevocationReason



class RulesetResponse(TypedDict):
    content: dict[str, Any]
    """rules with clause, parameters and reasons, as published"""
    digest: str
    """SHA-256 over the canonical JSON of the content"""
    published_at: str
    version: str



class SanctionsCandidateResponse(TypedDict):
    company_name: str
    """the name of the company that it resembles"""
    country: str
    decision: SanctionsDecisionResponse | None
    """the newest that holds; null: undecided"""
    entry_id: str
    entry_sha256: str
    listed_name: str
    """the name of the entry that resembles"""
    names: list[str]
    programme: str
    score: int
    """0–100"""



class SanctionsDecisionRequest(TypedDict):
    decision: Resemblance
    entry_id: str
    entry_sha256: str
    reason: str



class SanctionsDecisionResponse(TypedDict):
    decided_at: str
    decided_by: str
    decision: Resemblance
    reason: str



class SanctionsScreeningResponse(TypedDict):
    candidates: list[SanctionsCandidateResponse]
    is_clear: bool
    """a list was compared and every candidate is decided to be different"""
    list_sha256: str | None
    """hash of the list that was compared; null: none was ever loaded"""
    loaded_at: str | None
    threshold: int | None



class SchemeResponse(TypedDict):
    assessment_level: Literal['authority-benchmark', 'authority-mandate', 'authority-globalmra', 'authority-peer', 'authority-extended-mra', 'scheme-self', 'scheme-cab', 'no-endorsement']
    """assessment level of certificates, as UNTP names it"""
    authority: NotRequired[AuthorityResponse | None]
    """authority that owns the mark; null: only `owner` is stated"""
    code: str
    current_ruleset: str
    emblem: NotRequired[str | None]
    """name of its emblem; null: the neutral emblem"""
    kind: SchemeKind
    legal_notes: list[dict[str, str]]
    names: dict[str, str]
    owner: str
    term_months: int



class SchemeSummaryResponse(TypedDict):
    code: str
    name: str



class SecondFactorCodeRequest(TypedDict):
    otp: str



class SecondFactorEnrolmentResponse(TypedDict):
    otpauth: str | None
    """`otpauth:` address of the secret, for a QR code"""
    secret: str | None
    """secret for the authenticator; shown once, in this answer only: null where the answer is given again to a retry"""



class SecondFactorResponse(TypedDict):
    enrolled: bool
    good_until: str | None
    """until then this session may take decisions; null: enter a code first"""



class SessionResponse(TypedDict):
    created_at: str
    end_session_url: str | None
    """where the browser signs out of the provider; null: none opened the session, or it has no address"""
    expires_at: str
    """no renewal moves it"""
    provider: str | None
    """name of the provider that opened it; null: none did"""



class SignOnCodeResponse(TypedDict):
    code: str
    """for `POST /v1/auth/token`, or for `POST /v1/me/identities`; good once"""
    expires_in: int
    """seconds"""
    state: str | None
    """as the client sent it"""



class SiteRequest(TypedDict):
    country: NotRequired[str]
    """ISO 3166-1 alpha-2"""
    district: str
    """in Azerbaijan one of its districts, in az, en or ru, with or without “rayonu”, in any spelling"""
    name: str
    park_code: NotRequired[str | None]
    production_started_on: NotRequired[str | None]
    """first day of series production here"""



class SiteResponse(TypedDict):
    country: str
    district: str
    economic_region: str | None
    """follows from the district"""
    id: str
    name: str
    park_code: str | None
    production_started_on: str | None
    source: RecordSource
    """whether the resident register or the applicant states it"""
    version: int



class SiteUpdateRequest(TypedDict):
    """What can change. The answer of `GET` is accepted as it is."""
    country: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    district: NotRequired[str | None]
    """in any spelling; null: unchanged"""
    economic_region: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    id: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    name: str
    park_code: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    production_started_on: str | None
    source: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    version: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""



class StaffCredentialList(TypedDict):
    items: list[StaffCredentialResponse]



class StaffCredentialRequest(TypedDict):
    name: str
    """by which you know the authenticator"""
    registration: dict[str, Any]
    """`RegistrationResponseJSON` of WebAuthn, from a browser or from `mik authenticator register`"""



class StaffCredentialResponse(TypedDict):
    credential_id: str
    """given by the authenticator, base64url"""
    id: str
    name: str
    registered_at: str
    removed_at: str | None
    sha256: str
    """hash of the credential in the public log"""



class StageRequest(TypedDict):
    stage: ProductionStage



class StepRequest(TypedDict):
    """A step of the production process, in the order of execution."""
    country: NotRequired[str | None]
    """ISO 3166-1 alpha-2; null: not known"""
    district: NotRequired[str | None]
    """in Azerbaijan one of its districts, in az, en or ru"""
    is_essential: NotRequired[bool]
    name: str
    operation: str
    """code or name from `GET /v1/operations`; for any other text a reviewer decides"""
    subcontractor: NotRequired[str | None]



class StepResponse(TypedDict):
    country: str | None
    district: str | None
    is_essential: bool
    name: str
    operation: str
    """code of the list of operations, or the text that was entered"""
    subcontractor: str | None



class SuspendRequest(TypedDict):
    cause: SuspensionCause
    note: NotRequired[str | None]
    """internal note; not shown to the public"""



class TimelineEntryResponse(TypedDict):
    at: str
    by: Literal['applicant', 'staff', 'system']
    event: str
    name: str | None
    """name of the user; names of staff are shown to staff only"""
    note: str | None
    state: State | None



class TokenErrorResponse(TypedDict):
    """Error response of RFC 6749 §5.2."""
    error: str
    error_description: str



class TokenResponse(TypedDict):
    access_token: str
    expires_in: int
    """seconds"""
    refresh_token: NotRequired[str | None]
    """for users; can be used once, the response contains the next one"""
    scope: NotRequired[str | None]
    """for API clients: scopes of this token, separated by spaces"""
    token_type: NotRequired[Literal['Bearer']]



class UnitResponse(TypedDict):
    code: str
    names: dict[str, str]
    """language → name: az, en, ru"""
    signs: dict[str, str]
    """language → symbol after a number"""



class UnitsResponse(TypedDict):
    confirmed: bool
    """false: a proposal that the owner of the marks has not confirmed"""
    digest: str
    """SHA-256 over all closed lists; a ruleset names it as `lists_digest`"""
    items: list[UnitResponse]
    version: str



class UnreadResponse(TypedDict):
    unread: int
    """how many of all your notices you have not read now"""



class UserCreateRequest(TypedDict):
    email: str
    full_name: str
    roles: NotRequired[list[Literal['registrar', 'reviewer', 'approver', 'owner', 'auditor', 'inspector']]]
    """proposed roles; another owner confirms each"""



class UserCreateResponse(TypedDict):
    active: bool
    created_at: str
    email: str
    full_name: str
    id: str
    proposals: list[ProposalResponse]
    roles: list[Role]
    second_factor: bool
    """whether an authenticator is active"""



class UserResponse(TypedDict):
    active: bool
    created_at: str
    email: str
    full_name: str
    id: str
    roles: list[Role]
    second_factor: bool
    """whether an authenticator is active"""



class ValuePeriod(TypedDict):
    begins: str
    ends: str
    max_months: NotRequired[int | None]



class ValueSpec(TypedDict):
    choices: NotRequired[list[str]]
    name: BilingualText
    optional: NotRequired[bool]
    type: ValueType



class VerificationResponse(TypedDict):
    as_of: str | None
    certificate: CertificateResponse | None
    checks: list[dict[str, Any]]
    demo: NotRequired[bool]
    """true: this is a demo; otherwise the member is absent"""
    expect: NotRequired[dict[str, Literal['match', 'differs']] | None]
    """only where it was asked: an answer for each field given, null without a certificate"""
    links: dict[str, Any]
    message: str
    verdict: Verdict



class VisitWaiverResponse(TypedDict):
    """The decision of an owner that no site visit is needed."""
    reason: str
    waived_at: str
    waived_by: str | None
    """staff only"""



class WatchMessageResponse(TypedDict):
    """The same for every address."""
    message: str



class WatchRequest(TypedDict):
    email: str
    kind: WatchKind
    language: NotRequired[Literal['az', 'en', 'ru'] | None]
    """of the messages: az, en or ru"""
    value: str
    """number of the certificate, id of the holder (in the address of its page), or 2, 4 or 6 digits of an HS code"""



class WebhookRequest(TypedDict):
    description: NotRequired[str | None]
    event_types: NotRequired[list[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None]
    """types of events that are sent; null: all"""
    follows: NotRequired[list[FollowedRequest]]
    """certificates of others whose events are sent as well, without the reason"""
    url: str
    """public address with https://; requests are sent to it and follow no redirects"""



class WebhookResponse(TypedDict):
    created_at: str
    description: str | None
    disabled_at: str | None
    disabled_because: DisableReason | None
    """`failing`: five days without success; `gone`: it answered 410"""
    event_types: list[str] | None
    """null: all"""
    failing_since: str | None
    """first failure since the last success"""
    follows: list[FollowedResponse]
    id: str
    previous_secret_until: str | None
    """until then each request has a second signature, by the secret before"""
    state: EndpointState
    url: str
    version: int



class WebhookUpdateRequest(TypedDict):
    """The whole of what can change. The answer of `GET` is accepted as it is."""
    created_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    description: NotRequired[str | None]
    disabled_at: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    disabled_because: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    event_types: NotRequired[list[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None]
    """types of events that are sent; null: all"""
    failing_since: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    follows: NotRequired[list[FollowedRequest]]
    """certificates of others whose events are sent as well, without the reason"""
    id: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    previous_secret_until: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    state: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""
    url: str
    """public address with https://; requests are sent to it and follow no redirects"""
    version: NotRequired[Any]
    """read-only: may be left out; only the value of `GET` is accepted"""



class WebhookWithSecretResponse(TypedDict):
    created_at: str
    description: str | None
    disabled_at: str | None
    disabled_because: DisableReason | None
    """`failing`: five days without success; `gone`: it answered 410"""
    event_types: list[str] | None
    """null: all"""
    failing_since: str | None
    """first failure since the last success"""
    follows: list[FollowedResponse]
    id: str
    previous_secret_until: str | None
    """until then each request has a second signature, by the secret before"""
    secret: str | None
    """shown once, in this answer only: null where the answer is given again to a retry"""
    state: EndpointState
    url: str
    version: int

