"""Which writes of staff take a recent second factor, and why the others do not (docs/decisions/0062); which of them are
confirmed with an authenticator.

`history/test_every_write.py` sends each with a password only. Every write that staff can make is in one of the two.
"""

NEEDED = frozenset(
    {
        "PUT /v1/sites/{site_id}",  # by the registrar
        "PUT /v1/members/{member_id}/administrator",  # by the registrar
        "DELETE /v1/members/{member_id}/administrator",  # by the registrar
        "POST /v1/claims/{claim_id}/propose",
        "POST /v1/claims/{claim_id}/confirm",
        "POST /v1/claims/{claim_id}/refuse",
        "POST /v1/organisations/{organisation_id}/evidence",
        "POST /v1/applications/{application_id}/evidence",  # by registrar and reviewers
        "POST /v1/organisations/{organisation_id}/sanctions-screening/decisions",
        "POST /v1/evidence/{evidence_id}/confirm",
        "POST /v1/evidence/{evidence_id}/withdraw-confirmation",
        "POST /v1/residencies",
        "POST /v1/residencies/{residency_id}/end",
        "POST /v1/residencies/{residency_id}/cancel",
        "POST /v1/residencies/{residency_id}/restore",
        "PUT /v1/residencies/{residency_id}/stage",
        "POST /v1/register/imports",
        "POST /v1/applications/{application_id}/recommend",
        "POST /v1/applications/{application_id}/approve",
        "POST /v1/applications/{application_id}/reject",
        "POST /v1/applications/{application_id}/return",
        "POST /v1/applications/{application_id}/visit-waiver",
        "POST /v1/certificates/{number}/suspend",
        "POST /v1/certificates/{number}/reinstate",
        "POST /v1/certificates/{number}/revoke",
        "POST /v1/matters/{matter_id}/close",
        "POST /v1/me/credentials",
        "POST /v1/me/identities",
        "DELETE /v1/me/identities/{identity_id}",
        "POST /v1/me/passkeys",
        "DELETE /v1/me/passkeys/{passkey_id}",
        "DELETE /v1/me/credentials/{credential_id}",
        "POST /v1/calendar/holidays",
        "POST /v1/users",
        "DELETE /v1/users/{user_id}",
        "DELETE /v1/users/{user_id}/roles/{role}",
        "POST /v1/users/{user_id}/password-resets",
        "POST /v1/proposals",
        "POST /v1/proposals/{proposal_id}/confirm",
        "POST /v1/proposals/{proposal_id}/refuse",
        "POST /v1/proposals/{proposal_id}/withdraw",
    }
)

CONFIRMED = frozenset(
    {
        "POST /v1/applications/{application_id}/approve",
        "POST /v1/applications/{application_id}/reject",
        "POST /v1/certificates/{number}/suspend",
        "POST /v1/certificates/{number}/reinstate",
        "POST /v1/certificates/{number}/revoke",
        "POST /v1/proposals/{proposal_id}/confirm",
    }
)
"""Decisions that take the signature of the person's own authenticator as well (docs/decisions/0074)."""

_WHO_WORKS_ON_IT = "It says who works on the case; what the dossier holds stays."
_OWN_LIST = "A list of numbers is the reader's own; a verification changes nothing."
_OWN_ACCOUNT = "It is about the account of the caller alone."

NOT_NEEDED = {
    "POST /v1/verify/manifests": _OWN_LIST,
    "POST /v1/verify/manifests/{manifest_id}/cancel": _OWN_LIST,
    "POST /v1/applications/assign": _WHO_WORKS_ON_IT,
    "POST /v1/applications/{application_id}/claim": _WHO_WORKS_ON_IT,
    "POST /v1/applications/{application_id}/release": _WHO_WORKS_ON_IT,
    "POST /v1/applications/{application_id}/hand-over": _WHO_WORKS_ON_IT,
    "POST /v1/applications/{application_id}/notes": (
        "Notes of staff for staff are no part of the dossier, and no rule reads them."
    ),
    "POST /v1/applications/{application_id}/request-information": (
        "A question; what is certified rests on what is confirmed later."
    ),
    "POST /v1/mail-deliveries/{mail_id}/retry": "It sends again what was written by its cause; it decides nothing.",
    "POST /v1/jobs/{job_id}/retry": "It runs again what was enqueued by its cause; it decides nothing.",
    "POST /v1/me/password": f"{_OWN_ACCOUNT} It takes the present password and ends the other sessions.",
    "POST /v1/me/second-factor": f"{_OWN_ACCOUNT} The first authenticator takes the password, each later one a code.",
    "POST /v1/me/second-factor/confirm": f"{_OWN_ACCOUNT} It takes a code of the new authenticator.",
}
"""Route → why a password is enough."""
