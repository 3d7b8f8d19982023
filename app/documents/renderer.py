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
from app.documents.artifact_cache import Drawer
from app.documents.pdf import content, signer, typesetter
from app.documents.pdf.content import PaperFacts
from app.documents.pdf.printable import legible
from app.documents.pdf.signing_certificate import Organisation, PapersCannotBeSigned
from app.documents.qr_token import Stamp, StampRefused

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate as it is now, for the press. `version` is that of its row."""

    facts: PaperFacts
    stamp: Stamp
    version: int


@dataclass(frozen=True, slots=True)
class Press:
    """One for each worker. `signer` is asked anew each time; `organisation` is None where papers were not set up."""

    signer: Callable[[], Signer]
    organisation: Organisation | None
    drawer: Drawer
    timestamp_url: str = ""
    demo: bool = False  # what comes from a demo says so

    def stamp(self, wanted: Stamp) -> str:
        """The one stamp of this content under the present key, checked whenever it is taken out."""
        signer = self.signer()
        key = hashlib.sha256(wanted.payload()).hexdigest()[:24] + short_kid(signer.kid)
        for _ in range(2):
            text = self.drawer.kept(
                wanted.number, "stamp", key, lambda: qr_token.make(wanted, signer).encode("ascii")
            ).decode("ascii", "replace")
            try:
                if qr_token.read(text, {signer.kid: signer.public}) == wanted:
                    return text
            except StampRefused:
                log.warning("the kept stamp of %s is damaged: made anew", wanted.number)
            self.drawer.discard(wanted.number, "stamp", key)
        return qr_token.make(wanted, signer)

    def url(self, order: Order) -> str:
        """The address in the QR code."""
        return qr_token.stamped_url(order.facts.url, self.stamp(order.stamp))

    def qr_svg(self, order: Order) -> bytes:
        """The code of the stamped address; drawn once, which takes a processor for some hundredths of a second."""
        url = self.url(order)
        return self._drawn(order, "qr-svg", url, lambda: qr_codes.qr_svg(url).encode("ascii"))

    def qr_png(self, order: Order) -> bytes:
        url = self.url(order)
        return self._drawn(order, "qr-png", url, lambda: qr_codes.qr_png(url))

    def label(self, order: Order) -> bytes:
        drawable, url, number = typesetter.drawable(), order.facts.url, order.facts.number
        mark = legible(order.facts.mark_name, drawable)
        holder = legible(order.facts.holder_name_az or order.facts.holder_name, drawable)
        make = partial(qr_codes.label_svg, url, mark=mark, holder=holder, number=number, demo=self.demo)
        return self._drawn(order, "label", f"{url}\0{mark}\0{holder}\0{self.demo}", lambda: make().encode())

    def _drawn(self, order: Order, kind: str, content: str, make: Callable[[], bytes]) -> bytes:
        key = hashlib.sha256(f"{qr_codes.EDITION}\0{content}".encode()).hexdigest()[:32]
        return self.drawer.kept(order.facts.number, kind, key, make)

    def paper_key(self, order: Order, third: str | None) -> str:
        """A name for all that the paper depends on: content, version, language, address, template, fonts, signers."""
        inputs = {
            "content": self._content(order, third, ""),
            "version": order.version,
            "template": typesetter.template_version(),
            "stamp": short_kid(self.signer().kid),
            "organisation": self._organisation().fingerprint,
            "timestamp": self.timestamp_url,
        }
        return hashlib.sha256(jws.dump_json(inputs)).hexdigest()[:32]

    def paper(self, order: Order, third: str | None, now: datetime) -> bytes:
        """The signed PDF. Raises PapersCannotBeSigned, CannotBeSet."""
        organisation = self._organisation()
        organisation.must_be_valid(now)
        kind = f"paper-{content.spoken(third)[-1]}"
        make = partial(self._make, order, third, organisation)
        return self.drawer.kept(order.facts.number, kind, self.paper_key(order, third), make)

    def _make(self, order: Order, third: str | None, organisation: Organisation) -> bytes:
        qr = qr_codes.qr_svg(self.url(order))
        try:
            pdf = typesetter.typeset(self._content(order, third, qr), order.facts.issued_on)
        except typesetter.CannotBeSet:
            # Names may pile up marks in ways that no font can draw; letters alone always can be.
            log.warning("the names of %s are set without marks", order.facts.number)
            pdf = typesetter.typeset(self._content(order, third, qr, bare=True), order.facts.issued_on)
        return signer.sign(pdf, organisation, timestamp_url=self.timestamp_url)

    def _content(self, order: Order, third: str | None, qr: str, *, bare: bool = False) -> Mapping[str, Any]:
        clean = partial(legible, drawable=typesetter.drawable(), bare=bare)
        return content.content(order.facts, third, qr, clean, demo=self.demo)

    def _organisation(self) -> Organisation:
        if self.organisation is None:
            raise PapersCannotBeSigned("Signed PDF files are not set up here; codes and labels are.")
        return self.organisation
