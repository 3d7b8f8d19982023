"""What can happen to a certificate: the law itself."""

import pytest

from app.certificates.model import CertificateStatus as Status
from app.certificates.status_workflow import FINAL, Deed, step
from app.core.errors import WrongState


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize("deed", Deed)
def test_what_has_ended_stays_ended(status, deed):
    with pytest.raises(WrongState) as refused:
        step(status, deed)
    assert refused.value.data["allowed"] == []


def test_an_inquiry_outlives_a_surrender():
    for deed, following in ((Deed.REVOKE, Status.REVOKED), (Deed.REINSTATE, Status.SURRENDERED)):
        assert step(Status.SURRENDERED, deed, during_investigation=True) is following
    for deed in (Deed.SUSPEND, Deed.SURRENDER):
        with pytest.raises(WrongState) as refused:
            step(Status.SURRENDERED, deed, during_investigation=True)
        assert refused.value.data["allowed"] == ["reinstate", "revoke"]
    with pytest.raises(WrongState):
        step(Status.REVOKED, Deed.REVOKE, during_investigation=True)
    assert step(Status.ACTIVE, Deed.SUSPEND, during_investigation=True) is Status.SUSPENDED


def test_a_refusal_names_the_moves_allowed_now():
    with pytest.raises(WrongState) as refused:
        step(Status.ACTIVE, Deed.REINSTATE)
    assert refused.value.data["allowed"] == ["suspend", "revoke", "surrender"]
