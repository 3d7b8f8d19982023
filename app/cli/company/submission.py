"""Bring the content of a file to the service by the client library: site, product, documents, application.

Every step reads before it writes: a run that was cut off is completed by the next one, and a second complete run adds
nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from app.cli.company.application_file import ApplicationFile, Fault, FileDocument, subject_for
from app.core.text.normalize import normalize
from made_in_karabakh import Client, NotValid
from made_in_karabakh import models as m

Report = Callable[[str], None]


class NoCompany(Exception):
    """The person who is signed in acts for no company."""


class FieldsRefused(Exception):
    """The service refuses values of the file; `faults` names their places."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


class Submission:
    """Run the steps of one file with the client of a signed-in person."""

    def __init__(self, mik: Client, file: ApplicationFile, report: Report) -> None:
        self._mik, self._file, self._report = mik, file, report

    def store(self) -> m.ProductResponse:
        """Enter the site and the product, upload the documents, as far as they are missing; return the product."""
        company = self._mik.account.get_me()["organisation"]
        if company is None:
            raise NoCompany
        site_id = self._site()
        product = self._product(site_id)
        ids = self._upload(company["id"], product["id"], site_id)
        if self._file.proofs:
            product = self._replace(product, self._body(site_id, ids))
        return product

    def assess(self, product_id: str) -> m.AssessmentResponse:
        (assessment,) = self._mik.schemes.assess(self._file.scheme, {"product_ids": [product_id]})
        return assessment

    def found(self) -> m.ApplicationResponse | None:
        """Return the application with the reference of the file; None where there is none, or it came to nothing."""
        for found in self._mik.applications.list(reference=self._file.reference, scheme=self._file.scheme):
            if found["state"] not in {"withdrawn", "lapsed", "rejected"}:
                return self._mik.applications.get(found["id"])
        return None

    def draft(self, product_id: str) -> m.ApplicationResponse:
        made = self._mik.applications.create(
            {"scheme": self._file.scheme, "product_ids": [product_id], "reference": self._file.reference}
        )
        self._report(f"Drafted {made['number']}.")
        return made

    def declare(self, application_id: str, accept: Callable[[str], bool]) -> bool:
        """Declare the present content, where it is not declared yet and the person accepts the text."""
        present = self._mik.applications.get_declaration(application_id)
        made = present["declaration"]
        if made is not None and made["covers_present"]:
            return True
        if not accept(present["text"]["en"]):
            return False
        body: m.DeclarationRequest = {
            "text_version": present["text_version"],
            "declared_hash": present["declared_hash"],
        }
        self._mik.applications.create_declaration(application_id, body)
        return True

    def submit(self, application: m.ApplicationResponse) -> m.ApplicationResponse:
        return self._mik.applications.submit(application["id"], version=application["version"])

    def _site(self) -> str:
        wanted: Any = dict(self._file.site)
        for site in self._mik.sites.list():
            if normalize(site["name"]) == normalize(str(wanted["name"])):
                return site["id"]
        made = self._refusing("/site", lambda: self._mik.sites.create(wanted))
        self._report(f"Entered the site {made['name']}.")
        return str(made["id"])

    def _product(self, site_id: str) -> m.ProductResponse:
        body = self._body(site_id, {})
        for product in self._mik.products.list():
            if product["reference"] == self._file.reference:
                if self._file.proofs:
                    return product  # is replaced once the documents have ids
                return self._replace(product, body)
        made: m.ProductResponse = self._refusing("/product", lambda: self._mik.products.create(body))
        self._report(f"Entered the product {self._file.reference}.")
        return made

    def _replace(self, product: m.ProductResponse, body: Any) -> m.ProductResponse:
        """Replace the product; the same content changes nothing, not even its version."""
        replaced: m.ProductResponse = self._refusing(
            "/product", lambda: self._mik.products.replace(product["id"], body, version=product["version"])
        )
        if replaced["version"] != product["version"]:
            self._report(f"Changed the product {self._file.reference}.")
        return replaced

    def _body(self, site_id: str, ids: dict[str, str]) -> Any:
        body = {"reference": self._file.reference, **self._file.product, "site_id": site_id}
        if ids:
            body["materials"] = [
                {**line, "proofs": [ids[name] for name in self._file.proofs.get(at, ())]}
                for at, line in enumerate(body.get("materials", ()))
            ]
        return body

    def _upload(self, company_id: str, product_id: str, site_id: str) -> dict[str, str]:
        """Upload the documents that are not there; return file name → id of each."""
        present = self._mik.evidence.list(company_id)
        ids = {}
        for document in self._file.documents:
            about = subject_for(document.scope, UUID(product_id), UUID(site_id))
            product_ids = [str(each) for each in about.product_ids]
            about_site = None if about.site_id is None else str(about.site_id)
            found = next((e for e in present if _is_same(e, document, product_ids, about_site)), None)
            if found is None:
                found = self._add(company_id, document, product_ids, about_site)
                self._report(f"Uploaded {document.path.name} as {document.kind}.")
            ids[document.path.name] = found["id"]
        return ids

    def _add(
        self, company_id: str, document: FileDocument, product_ids: list[str], site_id: str | None
    ) -> m.EvidenceResponse:
        stated, kind = document.details, document.kind
        made: m.EvidenceResponse = self._refusing(
            document.pointer,
            lambda: self._mik.evidence.add(
                company_id,
                file=(document.path.name, document.content),
                kind=kind,  # type: ignore[arg-type]  # checked against the list of kinds, which grows
                product_id=product_ids or None,
                site_id=site_id,
                issued_on=stated.issued_on,
                valid_until=stated.valid_until,
                number=stated.number,
                values=dict(stated.values),
            ),
        )
        return made

    def _refusing(self, place: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except NotValid as why:
            raise FieldsRefused(list(self._faults(place, why))) from why

    def _faults(self, place: str, why: NotValid) -> Iterator[Fault]:
        for each in why.errors or ({"pointer": "", "detail": why.detail},):
            pointer = place + str(each["pointer"])
            yield Fault(self._file.line_of(pointer), pointer, str(each["detail"]))


def _is_same(present: m.EvidenceResponse, document: FileDocument, product_ids: list[str], site_id: str | None) -> bool:
    """Return whether the service has this file, of this kind and about the same."""
    return (
        present["withdrawn_at"] is None
        and (present["kind"], present["sha256"], present["site_id"]) == (document.kind, document.sha256, site_id)
        and set(present["product_ids"]) == set(product_ids)
    )
