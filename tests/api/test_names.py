"""A name that could not stand on a certificate is refused when it is entered, not months later at the approval."""

import pytest

from tests.factories import product, voen_of

DISGUISED = {
    "Sample\u200bPipe": "holds the character U+200B, which is not shown",
    "Sample\u200fPipe": "holds the character U+200F, which is not shown",
    "S\u0430mple Pipe": "mixes letters of several alphabets in “S\u0430mple” (Cyrillic, Latin)",
}


@pytest.mark.parametrize(("name", "told"), DISGUISED.items())
def test_of_a_product(shared_app, name, told):
    company = shared_app.set_up_company(evidence=False)
    body = product(company.site_id, names={"az": "Boru", "en": name})
    answer = company.post("/v1/products", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/names/en"
    assert error["detail"].startswith(f"This name {told}")


@pytest.mark.parametrize(("name", "told"), DISGUISED.items())
def test_of_a_company(shared_app, name, told):
    member = {"full_name": "Aysel Nümunə", "email": "names@sample.example", "password": "a long enough secret"}
    body = {"legal_name_az": "“Nümunə” MMC", "legal_name_en": name, "legal_form": "MMC", "voen": voen_of(77)}
    answer = shared_app.send_registration(body | {"member": member})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/legal_name_en"
    assert error["detail"].startswith(f"This name {told}")
