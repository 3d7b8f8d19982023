"""Making what people hold in their hands: stamp, codes, label, signed paper. Slow work: on a thread, never inside a
transaction, a few at once.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from app.core.crypto import jws
from app.core.crypto.jwk import short_kid
from app.core.crypto.signer import Signer
from app.documents import qr_codes, qr_token
from app.documents.artifact_cache import ArtifactCache
from app.documents.pdf import content, signer, typesetter
from app.documents.pdf.content import PdfFacts
from app.documents.pdf.printable import to_printable
from app.documents.pdf.signing_certificate import PdfSigningIdentity, PdfSigningUnavailable
from app.documents.qr_token import QrToken, QrTokenRejected

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DocumentData:
    """A certificate as it is now, for the press. `version` is that of its row."""

    facts: PdfFacts
    qr_token: QrToken
    version: int


@dataclass(frozen=True, slots=True)
class DocumentRenderer:
    """One for each worker. `signer` is asked anew each time; `organisation` is None where papers were not set up."""

    signer: Callable[[], Signer]
    signing_identity: PdfSigningIdentity | None
    cache: ArtifactCache
    timestamp_url: str = ""
    demo: bool = False  # what comes from a demo says so

    def qr_token(self, wanted: QrToken) -> str:
        """The one stamp of this content under the present key, checked whenever it is taken out."""
        signer = self.signer()
        key = hashlib.sha256(wanted.payload()).hexdigest()[:24] + short_kid(signer.kid)
        for _ in range(2):
            text = self.cache.get_or_create(
                wanted.number, "stamp", key, lambda: qr_token.sign_qr_token(wanted, signer).encode("ascii")
            ).decode("ascii", "replace")
            try:
                if qr_token.verify_qr_token(text, {signer.kid: signer.public}) == wanted:
                    return text
            except QrTokenRejected:
                log.warning("the kept stamp of %s is damaged: made anew", wanted.number)
            self.cache.delete(wanted.number, "stamp", key)
        return qr_token.sign_qr_token(wanted, signer)

    def qr_url(self, order: DocumentData) -> str:
        """The address in the QR code."""
        return qr_token.url_with_token(order.facts.url, self.qr_token(order.qr_token))

    def qr_svg(self, order: DocumentData) -> bytes:
        """The code of the stamped address; drawn once, which takes a processor for some hundredths of a second."""
        url = self.qr_url(order)
        return self._get_or_draw(order, "qr-svg", url, lambda: qr_codes.qr_svg(url).encode("ascii"))

    def qr_png(self, order: DocumentData) -> bytes:
        url = self.qr_url(order)
        return self._get_or_draw(order, "qr-png", url, lambda: qr_codes.qr_png(url))

    def label(self, order: DocumentData) -> bytes:
        drawable, url, number = typesetter.drawable_characters(), order.facts.url, order.facts.number
        mark = to_printable(order.facts.mark_name, drawable)
        holder = to_printable(order.facts.holder_name_az or order.facts.holder_name, drawable)
        make = partial(qr_codes.label_svg, url, mark=mark, holder=holder, number=number, demo=self.demo)
        return self._get_or_draw(order, "label", f"{url}\0{mark}\0{holder}\0{self.demo}", lambda: make().encode())

    def _get_or_draw(self, order: DocumentData, kind: str, content: str, make: Callable[[], bytes]) -> bytes:
        key = hashlib.sha256(f"{qr_codes.DRAWING_VERSION}\0{content}".encode()).hexdigest()[:32]
        return self.cache.get_or_create(order.facts.number, kind, key, make)

    def cache_key(self, order: DocumentData, third: str | None) -> str:
        """A name for all that the paper depends on: content, version, language, address, template, fonts, signers."""
        inputs = {
            "content": self._build_content(order, third, ""),
            "version": order.version,
            "template": typesetter.template_version(),
            "stamp": short_kid(self.signer().kid),
            "organisation": self._require_signing_identity().fingerprint,
            "timestamp": self.timestamp_url,
        }
        return hashlib.sha256(jws.dump_json(inputs)).hexdigest()[:32]

    def certificate_pdf(self, order: DocumentData, third: str | None, now: datetime) -> bytes:
        """The signed PDF. Raises PapersCannotBeSigned, CannotBeSet."""
        organisation = self._require_signing_identity()
        organisation.require_valid(now)
        kind = f"paper-{content.pdf_languages(third)[-1]}"
        make = partial(self._render_pdf, order, third, organisation)
        return self.cache.get_or_create(order.facts.number, kind, self.cache_key(order, third), make)

    def _render_pdf(self, order: DocumentData, third: str | None, organisation: PdfSigningIdentity) -> bytes:
        qr = qr_codes.qr_svg(self.qr_url(order))
        try:
            pdf = typesetter.render_pdf(self._build_content(order, third, qr), order.facts.issued_on)
        except typesetter.TypesettingFailed:
            # Names may pile up marks in ways that no font can draw; letters alone always can be.
            log.warning("the names of %s are set without marks", order.facts.number)
            pdf = typesetter.render_pdf(self._build_content(order, third, qr, bare=True), order.facts.issued_on)
        return signer.sign_pdf(pdf, organisation, timestamp_url=self.timestamp_url)

    def _build_content(
        self, order: DocumentData, third: str | None, qr: str, *, bare: bool = False
    ) -> Mapping[str, Any]:
        clean = partial(to_printable, drawable=typesetter.drawable_characters(), bare=bare)
        return content.build_content(order.facts, third, qr, clean, demo=self.demo)

    def _require_signing_identity(self) -> PdfSigningIdentity:
        if self.signing_identity is None:
            raise PdfSigningUnavailable("Signed PDF files are not set up here; codes and labels are.")
        return self.signing_identity
