"""The services of one web worker, built once by `app/main.py` and read through `app.web.deps.get_container`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.access.passwords import Passwords
from app.access.seal import Seal
from app.access.tokens import AccessTokens
from app.applications.files import EvidenceFiles
from app.applications.quotas import Quotas
from app.certificates.issuing import Issuance
from app.certificates.status_list_service import StatusLists
from app.db import Database
from app.documents.press import Press
from app.documents.render_pool import RenderPool
from app.ledger.keeper import KeyKeeper
from app.ledger.key_documents import KeyDocuments
from app.notifications.delivery import MailDelivery
from app.settings import Settings
from app.verification.desk import VerificationDesk
from app.verification.tally import Tally
from app.web.gate import Gates, Uploads
from app.web.middleware import RequestIds
from app.web.reading_trail import ReadingTrail


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
