"""Hold the services of one web worker, built by `app/main.py` and read through `dependencies.get_container`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.applications.evidence.file_store import EvidenceFileStore
from app.applications.evidence.quotas import Quotas
from app.applications.evidence.virus_scanner import VirusScanner
from app.auth.access_tokens import AccessTokens
from app.auth.credentials.passwords import PasswordHasher
from app.auth.credentials.relying_party import RelyingParty
from app.auth.proposals import ProposalService
from app.auth.sign_on.flow import SignOn
from app.certificates.issuance import IssuerContext
from app.certificates.status_list_publisher import StatusListPublisher
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.settings import Settings
from app.documents.render_pool import RenderPool
from app.documents.renderer import DocumentRenderer
from app.notifications.delivery import MailDelivery
from app.signing.key_documents import KeyDocuments
from app.signing.key_provider import KeyProvider
from app.transparency.verified_log import VerifiedLog
from app.transparency.witness_rounds import WitnessRounds
from app.verification.metrics import VerdictCounter
from app.verification.service import VerificationService
from app.verification.static_export import StaticExport
from app.web.limits.concurrency import ConcurrencyLimits, UploadLimits
from app.web.middleware import RequestIdGenerator
from app.web.read_audit import ReadAudit
from app.webhooks.sender import WebhookSender


@dataclass(frozen=True, slots=True)
class Container:
    """List every service that a route, a dependency or the fast path uses. `clock` returns aware datetimes."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    is_migrated: Callable[[Database], bool]
    secret_box: SecretBox
    passwords: PasswordHasher
    access_tokens: AccessTokens
    concurrency: ConcurrencyLimits
    uploads: UploadLimits
    log: VerifiedLog
    keys: KeyProvider
    key_documents: KeyDocuments
    issuance: IssuerContext
    proposals: ProposalService
    relying_party: RelyingParty
    sign_on: SignOn
    status_lists: StatusListPublisher
    static_export: StaticExport | None
    verification: VerificationService
    verdict_counts: VerdictCounter
    evidence_files: EvidenceFileStore
    virus_scanner: VirusScanner | None
    quotas: Quotas
    documents: DocumentRenderer
    render_pool: RenderPool
    reading_trail: ReadAudit
    mail: MailDelivery
    witnesses: WitnessRounds
    webhook_sender: WebhookSender
    request_ids: RequestIdGenerator
