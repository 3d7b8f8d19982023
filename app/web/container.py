"""The services of one web worker, built once by `app/main.py` and read through `app.web.dependencies.get_container`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.applications.evidence.file_store import EvidenceFiles
from app.applications.evidence.quotas import Quotas
from app.auth.access_tokens import AccessTokens
from app.auth.credentials.passwords import Passwords
from app.certificates.issuance import Issuance
from app.certificates.status_list_publisher import StatusLists
from app.core.crypto.secret_box import Seal
from app.core.database import Database
from app.core.settings import Settings
from app.documents.render_pool import RenderPool
from app.documents.renderer import Press
from app.notifications.delivery import MailDelivery
from app.signing.key_documents import KeyDocuments
from app.signing.key_provider import KeyKeeper
from app.verification.metrics import Tally
from app.verification.service import VerificationDesk
from app.web.limits.concurrency import Gates, Uploads
from app.web.middleware import RequestIds
from app.web.read_audit import ReadingTrail


@dataclass(frozen=True, slots=True)
class Container:
    """Every service that a route, a dependency or the fast path may use; `clock` returns aware moments."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    is_migrated: Callable[[Database], bool]
    secret_box: Seal
    passwords: Passwords
    access_tokens: AccessTokens
    concurrency: Gates
    uploads: Uploads
    keys: KeyKeeper
    key_documents: KeyDocuments
    issuance: Issuance
    status_lists: StatusLists
    verification: VerificationDesk
    verdict_counts: Tally
    evidence_files: EvidenceFiles
    quotas: Quotas
    documents: Press
    render_pool: RenderPool
    reading_trail: ReadingTrail
    mail: MailDelivery
    request_ids: RequestIds
