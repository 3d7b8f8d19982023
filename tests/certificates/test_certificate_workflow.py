"""What can happen to a certificate: the law itself."""

import pytest

from app.certificates.model import CertificateStatus as Status
from app.certificates.status_workflow import FINAL_STATUSES, CertificateAction, next_status
from app.core.errors import WrongState

pytestmark = pytest.mark.pure


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
@pytest.mark.parametrize("deed", CertificateAction)
def test_what_has_ended_stays_ended(status, deed):
    with pytest.raises(WrongState) as refused:
        next_status(status, deed)
    assert refused.value.data["allowed"] == []


def test_an_inquiry_outlives_a_surrender():
    for deed, following in (
        (CertificateAction.REVOKE, Status.REVOKED),
        (CertificateAction.REINSTATE, Status.SURRENDERED),
    ):
        assert next_status(Status.SURRENDERED, deed, during_investigation=True) is following
    for deed in (CertificateAction.SUSPEND, CertificateAction.SURRENDER):
        with pytest.raises(WrongState) as refused:
            next_status(Status.SURRENDERED, deed, during_investigation=True)
        assert refused.value.data["allowed"] == ["reinstate", "revoke"]
    with pytest.raises(WrongState):
        next_status(Status.REVOKED, CertificateAction.REVOKE, during_investigation=True)
    assert next_status(Status.ACTIVE, CertificateAction.SUSPEND, during_investigation=True) is Status.SUSPENDED


def test_a_refusal_names_the_moves_allowed_now():
    with pytest.raises(WrongState) as refused:
        next_status(Status.ACTIVE, CertificateAction.REINSTATE)
    assert refused.value.data["allowed"] == ["suspend", "revoke", "surrender"]
