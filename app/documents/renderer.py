"""Render QR tokens, codes, labels and the signed PDF certificate.

Rendering is slow: run it on a thread of the `RenderPool`, never inside a transaction.
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
from app.core.text.marking import Marking
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
    """Data of a certificate for rendering. `version` is that of its row."""

    facts: PdfFacts
    qr_token: QrToken
    version: int


@dataclass(frozen=True, slots=True)
class DocumentRenderer:
    """Render documents; one instance per worker.

    `signer` is called for each document; `signing_identity` is None where PDF signing is not configured.
    """

    signer: Callable[[], Signer]
    signing_identity: PdfSigningIdentity | None
    cache: ArtifactCache
    timestamp_url: str = ""
    marking: Marking | None = None  # on every document

    def qr_token(self, expected: QrToken) -> str:
        """Return the QR token of this content, signed with the active key.

        A cached token is verified each time.
        """
        signer = self.signer()
        key = hashlib.sha256(expected.payload()).hexdigest()[:24] + short_kid(signer.kid)
        for _ in range(2):
            text = self.cache.get_or_create(
                expected.number, "stamp", key, lambda: qr_token.sign_qr_token(expected, signer).encode("ascii")
            ).decode("ascii", "replace")
            try:
                if qr_token.verify_qr_token(text, {signer.kid: signer.public}) == expected:
                    return text
            except QrTokenRejected:
                log.warning("the cached QR token of %s is damaged and is signed again", expected.number)
            self.cache.delete(expected.number, "stamp", key)
        return qr_token.sign_qr_token(expected, signer)

    def qr_url(self, data: DocumentData) -> str:
        """Return the address in the QR code."""
        return qr_token.url_with_token(data.facts.url, self.qr_token(data.qr_token))

    def qr_svg(self, data: DocumentData) -> bytes:
        """Draw the code of the address with the QR token.

        The image is cached: drawing takes a processor for some hundredths of a second.
        """
        url = self.qr_url(data)
        return self._get_or_draw(data, "qr-svg", url, lambda: qr_codes.qr_svg(url).encode("ascii"))

    def qr_png(self, data: DocumentData) -> bytes:
        url = self.qr_url(data)
        return self._get_or_draw(data, "qr-png", url, lambda: qr_codes.qr_png(url))

    def label(self, data: DocumentData) -> bytes:
        drawable, url, number = typesetter.drawable_characters(), data.facts.url, data.facts.number
        mark = to_printable(data.facts.mark_name, drawable)
        holder = to_printable(data.facts.holder_name_az or data.facts.holder_name, drawable)
        create = partial(qr_codes.label_svg, url, mark=mark, holder=holder, number=number, marking=self.marking)
        return self._get_or_draw(data, "label", f"{url}\0{mark}\0{holder}\0{self.marking}", lambda: create().encode())

    def _get_or_draw(self, data: DocumentData, kind: str, content: str, create: Callable[[], bytes]) -> bytes:
        key = hashlib.sha256(f"{qr_codes.DRAWING_VERSION}\0{content}".encode()).hexdigest()[:32]
        return self.cache.get_or_create(data.facts.number, kind, key, create)

    def cache_key(self, data: DocumentData, third_language: str | None) -> str:
        """Hash everything that the PDF depends on.

        This is content, version, language, address, template, fonts, keys and time-stamp server.
        """
        inputs = {
            "content": self._build_content(data, third_language, ""),
            "version": data.version,
            "template": typesetter.template_version(),
            "stamp": short_kid(self.signer().kid),
            "organisation": self._require_signing_identity().fingerprint,
            "timestamp": self.timestamp_url,
        }
        return hashlib.sha256(jws.dump_json(inputs)).hexdigest()[:32]

    def certificate_pdf(self, data: DocumentData, third_language: str | None, now: datetime) -> bytes:
        """Return the signed PDF. Raises `PdfSigningUnavailable`, `TypesettingFailed`."""
        identity = self._require_signing_identity()
        identity.require_valid(now)
        kind = f"paper-{content.pdf_languages(third_language)[-1]}"
        create = partial(self._render_pdf, data, third_language, identity)
        return self.cache.get_or_create(data.facts.number, kind, self.cache_key(data, third_language), create)

    def _render_pdf(self, data: DocumentData, third_language: str | None, identity: PdfSigningIdentity) -> bytes:
        qr = qr_codes.qr_svg(self.qr_url(data))
        try:
            pdf = typesetter.render_pdf(self._build_content(data, third_language, qr), data.facts.issued_on)
        except typesetter.TypesettingFailed:
            # Some combinations of marks cannot be drawn by any font; letters without marks always can.
            log.warning("the names of %s are printed without diacritical marks", data.facts.number)
            pdf = typesetter.render_pdf(self._build_content(data, third_language, qr, bare=True), data.facts.issued_on)
        return signer.sign_pdf(pdf, identity, timestamp_url=self.timestamp_url)

    def _build_content(
        self, data: DocumentData, third_language: str | None, qr: str, *, bare: bool = False
    ) -> Mapping[str, Any]:
        clean = partial(to_printable, drawable=typesetter.drawable_characters(), bare=bare)
        return content.build_content(data.facts, third_language, qr, clean, marking=self.marking)

    def _require_signing_identity(self) -> PdfSigningIdentity:
        if self.signing_identity is None:
            raise PdfSigningUnavailable("Signed PDF files are not set up here; codes and labels are.")
        return self.signing_identity
