"""Operations of the service by resource. Written by generate.py from docs/openapi.json."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from made_in_karabakh import models as m
from made_in_karabakh.call import Call, Upload, Version

if TYPE_CHECKING:
    from made_in_karabakh.client import AsyncClient, Client


class Account:
    def __init__(self, client: Client) -> None:
        self._client = client

    def set_password(self, body: m.PasswordResetConfirmRequest) -> None:
        """Set a password with a reset token.

        The token can be used once, until the time stated in the message. All sessions of the account end.
        """
        call: Call[None] = Call('POST', '/v1/auth/password-reset', signed=False, body=body)
        return self._client.run(call)

    def request_password_reset(self, body: m.PasswordResetRequest, *, idempotency_key: str | None = None) -> m.MessageSentResponse:
        """Request a password-reset token.

        If the address has an account, a message with a one-time token for `POST /v1/auth/password-reset` is sent to
        it.
        The response does not reveal whether it has one. Limit: 20 requests from one network in 15 minutes.
        """
        call: Call[m.MessageSentResponse] = Call('POST', '/v1/auth/password-resets', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def step_up_authentication(self, body: m.SecondFactorCodeRequest) -> m.SecondFactorResponse:
        """Enter a code of the authenticator (step-up).

        Renews the second factor of this session for ten minutes; the access token stays the same. Each code can be
        used
        once, and failed attempts are limited.
        """
        call: Call[m.SecondFactorResponse] = Call('POST', '/v1/auth/step-up', signed=True, body=body)
        return self._client.run(call)

    def get_me(self, *, organisation: str | None = None) -> m.CurrentUserResponse:
        """Get the signed-in user or API client.

        The account of the access token, its current roles, and the company that it acts for.
        """
        call: Call[m.CurrentUserResponse] = Call('GET', '/v1/me', signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def list_credentials(self) -> m.StaffCredentialList:
        """List one's authenticators.

        For staff: those that confirm decisions now, oldest first.
        """
        call: Call[m.StaffCredentialList] = Call('GET', '/v1/me/credentials', signed=True, repeatable=True)
        return self._client.run(call)

    def register_credential(self, body: m.StaffCredentialRequest, *, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Register an authenticator.

        For staff with a second factor. Makes a proposal of the kind `staff-credential`: the authenticator confirms
        decisions once an owner, not you, has confirmed it (`POST /v1/proposals/{id}/confirm`). It is then named in
        the
        public log by its hash.
        """
        call: Call[m.ProposalResponse] = Call('POST', '/v1/me/credentials', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_registration_options(self) -> m.RegistrationOptionsResponse:
        """Get the options of a registration.

        For staff: what a browser asks an authenticator for a new key with.
        """
        call: Call[m.RegistrationOptionsResponse] = Call('GET', '/v1/me/credentials/options', signed=True, repeatable=True)
        return self._client.run(call)

    def remove_credential(self, credential_id: str, *, idempotency_key: str | None = None) -> m.StaffCredentialResponse:
        """Remove an authenticator.

        For staff with a second factor; `id` of the list. It confirms nothing from now on.
        """
        call: Call[m.StaffCredentialResponse] = Call('DELETE', ('/v1/me/credentials/{credential_id}', credential_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_identities(self) -> m.IdentityList:
        """List one's identities at providers.

        Those that sign in to the own account, oldest first.
        """
        call: Call[m.IdentityList] = Call('GET', '/v1/me/identities', signed=True, repeatable=True)
        return self._client.run(call)

    def link_identity(self, body: m.IdentityRequest, *, idempotency_key: str | None = None) -> m.IdentityResponse:
        """Link an identity at a provider.

        From now on the identity signs in to the own account. `code` is of a sign-in that began with `purpose=link`.

        Needs a sign-in of the last ten minutes, or a second factor. The person is told by mail.
        """
        call: Call[m.IdentityResponse] = Call('POST', '/v1/me/identities', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def unlink_identity(self, identity_id: str, *, idempotency_key: str | None = None) -> None:
        """Unlink an identity.

        It signs in no more, and the sessions that it opened end. Needs a sign-in of the last ten minutes, or a
        second
        factor. The person is told by mail.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/identities/{identity_id}', identity_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_passkeys(self) -> m.PasskeyList:
        """List one's passkeys.

        Those that sign in to the own account, oldest first.
        """
        call: Call[m.PasskeyList] = Call('GET', '/v1/me/passkeys', signed=True, repeatable=True)
        return self._client.run(call)

    def register_passkey(self, body: m.PasskeyRequest, *, idempotency_key: str | None = None) -> m.PasskeyResponse:
        """Register a passkey.

        It signs in to the own account from now on, and counts as a second factor. It confirms no decisions: for
        these
        see `/v1/me/credentials`. Needs a sign-in of the last ten minutes, or a second factor. The person is told by
        mail.
        """
        call: Call[m.PasskeyResponse] = Call('POST', '/v1/me/passkeys', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_passkey_registration_options(self) -> m.PasskeyRegistrationOptions:
        """Get the options of a passkey's registration.

        What a browser asks an authenticator for a new passkey with.
        """
        call: Call[m.PasskeyRegistrationOptions] = Call('POST', '/v1/me/passkeys/options', signed=True)
        return self._client.run(call)

    def remove_passkey(self, passkey_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a passkey.

        It signs in no more. Needs a sign-in of the last ten minutes, or a second factor. The person is told by
        mail.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/passkeys/{passkey_id}', passkey_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def rename_passkey(self, passkey_id: str, body: m.PasskeyNameRequest, *, idempotency_key: str | None = None) -> m.PasskeyResponse:
        """Rename a passkey.

        For one's own account.
        """
        call: Call[m.PasskeyResponse] = Call('PUT', ('/v1/me/passkeys/{passkey_id}', passkey_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def change_password(self, body: m.PasswordChangeRequest) -> None:
        """Change the password.

        Needs the present password. All your sessions end, including this one: sign in again. Failed attempts are
        limited.
        """
        call: Call[None] = Call('POST', '/v1/me/password', signed=True, body=body)
        return self._client.run(call)

    def begin_second_factor_enrolment(self, *, idempotency_key: str | None = None) -> m.SecondFactorEnrolmentResponse:
        """Set up an authenticator.

        For staff. The authenticator is active once a code is confirmed; until then an earlier one stays active.

        To replace an authenticator, enter one of its codes first. If it is lost, two owners can reset it.
        """
        call: Call[m.SecondFactorEnrolmentResponse] = Call('POST', '/v1/me/second-factor', signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def confirm_second_factor_enrolment(self, body: m.SecondFactorCodeRequest, *, idempotency_key: str | None = None) -> m.SecondFactorResponse:
        """Confirm the authenticator with a code.

        The authenticator becomes active, and this session has a recent second factor.
        """
        call: Call[m.SecondFactorResponse] = Call('POST', '/v1/me/second-factor/confirm', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_session_of_user(self) -> m.SessionResponse:
        """Get one's session.

        The session of the access token. To sign out: `POST /v1/auth/revoke`, then send the browser to
        `end_session_url`, so that it signs out of the provider too (RP-Initiated Logout 1.0).
        """
        call: Call[m.SessionResponse] = Call('GET', '/v1/me/session', signed=True, repeatable=True)
        return self._client.run(call)


class AsyncAccount:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def set_password(self, body: m.PasswordResetConfirmRequest) -> None:
        """Set a password with a reset token.

        The token can be used once, until the time stated in the message. All sessions of the account end.
        """
        call: Call[None] = Call('POST', '/v1/auth/password-reset', signed=False, body=body)
        return await self._client.run(call)

    async def request_password_reset(self, body: m.PasswordResetRequest, *, idempotency_key: str | None = None) -> m.MessageSentResponse:
        """Request a password-reset token.

        If the address has an account, a message with a one-time token for `POST /v1/auth/password-reset` is sent to
        it.
        The response does not reveal whether it has one. Limit: 20 requests from one network in 15 minutes.
        """
        call: Call[m.MessageSentResponse] = Call('POST', '/v1/auth/password-resets', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def step_up_authentication(self, body: m.SecondFactorCodeRequest) -> m.SecondFactorResponse:
        """Enter a code of the authenticator (step-up).

        Renews the second factor of this session for ten minutes; the access token stays the same. Each code can be
        used
        once, and failed attempts are limited.
        """
        call: Call[m.SecondFactorResponse] = Call('POST', '/v1/auth/step-up', signed=True, body=body)
        return await self._client.run(call)

    async def get_me(self, *, organisation: str | None = None) -> m.CurrentUserResponse:
        """Get the signed-in user or API client.

        The account of the access token, its current roles, and the company that it acts for.
        """
        call: Call[m.CurrentUserResponse] = Call('GET', '/v1/me', signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def list_credentials(self) -> m.StaffCredentialList:
        """List one's authenticators.

        For staff: those that confirm decisions now, oldest first.
        """
        call: Call[m.StaffCredentialList] = Call('GET', '/v1/me/credentials', signed=True, repeatable=True)
        return await self._client.run(call)

    async def register_credential(self, body: m.StaffCredentialRequest, *, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Register an authenticator.

        For staff with a second factor. Makes a proposal of the kind `staff-credential`: the authenticator confirms
        decisions once an owner, not you, has confirmed it (`POST /v1/proposals/{id}/confirm`). It is then named in
        the
        public log by its hash.
        """
        call: Call[m.ProposalResponse] = Call('POST', '/v1/me/credentials', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_registration_options(self) -> m.RegistrationOptionsResponse:
        """Get the options of a registration.

        For staff: what a browser asks an authenticator for a new key with.
        """
        call: Call[m.RegistrationOptionsResponse] = Call('GET', '/v1/me/credentials/options', signed=True, repeatable=True)
        return await self._client.run(call)

    async def remove_credential(self, credential_id: str, *, idempotency_key: str | None = None) -> m.StaffCredentialResponse:
        """Remove an authenticator.

        For staff with a second factor; `id` of the list. It confirms nothing from now on.
        """
        call: Call[m.StaffCredentialResponse] = Call('DELETE', ('/v1/me/credentials/{credential_id}', credential_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list_identities(self) -> m.IdentityList:
        """List one's identities at providers.

        Those that sign in to the own account, oldest first.
        """
        call: Call[m.IdentityList] = Call('GET', '/v1/me/identities', signed=True, repeatable=True)
        return await self._client.run(call)

    async def link_identity(self, body: m.IdentityRequest, *, idempotency_key: str | None = None) -> m.IdentityResponse:
        """Link an identity at a provider.

        From now on the identity signs in to the own account. `code` is of a sign-in that began with `purpose=link`.

        Needs a sign-in of the last ten minutes, or a second factor. The person is told by mail.
        """
        call: Call[m.IdentityResponse] = Call('POST', '/v1/me/identities', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def unlink_identity(self, identity_id: str, *, idempotency_key: str | None = None) -> None:
        """Unlink an identity.

        It signs in no more, and the sessions that it opened end. Needs a sign-in of the last ten minutes, or a
        second
        factor. The person is told by mail.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/identities/{identity_id}', identity_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list_passkeys(self) -> m.PasskeyList:
        """List one's passkeys.

        Those that sign in to the own account, oldest first.
        """
        call: Call[m.PasskeyList] = Call('GET', '/v1/me/passkeys', signed=True, repeatable=True)
        return await self._client.run(call)

    async def register_passkey(self, body: m.PasskeyRequest, *, idempotency_key: str | None = None) -> m.PasskeyResponse:
        """Register a passkey.

        It signs in to the own account from now on, and counts as a second factor. It confirms no decisions: for
        these
        see `/v1/me/credentials`. Needs a sign-in of the last ten minutes, or a second factor. The person is told by
        mail.
        """
        call: Call[m.PasskeyResponse] = Call('POST', '/v1/me/passkeys', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_passkey_registration_options(self) -> m.PasskeyRegistrationOptions:
        """Get the options of a passkey's registration.

        What a browser asks an authenticator for a new passkey with.
        """
        call: Call[m.PasskeyRegistrationOptions] = Call('POST', '/v1/me/passkeys/options', signed=True)
        return await self._client.run(call)

    async def remove_passkey(self, passkey_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a passkey.

        It signs in no more. Needs a sign-in of the last ten minutes, or a second factor. The person is told by
        mail.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/passkeys/{passkey_id}', passkey_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def rename_passkey(self, passkey_id: str, body: m.PasskeyNameRequest, *, idempotency_key: str | None = None) -> m.PasskeyResponse:
        """Rename a passkey.

        For one's own account.
        """
        call: Call[m.PasskeyResponse] = Call('PUT', ('/v1/me/passkeys/{passkey_id}', passkey_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def change_password(self, body: m.PasswordChangeRequest) -> None:
        """Change the password.

        Needs the present password. All your sessions end, including this one: sign in again. Failed attempts are
        limited.
        """
        call: Call[None] = Call('POST', '/v1/me/password', signed=True, body=body)
        return await self._client.run(call)

    async def begin_second_factor_enrolment(self, *, idempotency_key: str | None = None) -> m.SecondFactorEnrolmentResponse:
        """Set up an authenticator.

        For staff. The authenticator is active once a code is confirmed; until then an earlier one stays active.

        To replace an authenticator, enter one of its codes first. If it is lost, two owners can reset it.
        """
        call: Call[m.SecondFactorEnrolmentResponse] = Call('POST', '/v1/me/second-factor', signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def confirm_second_factor_enrolment(self, body: m.SecondFactorCodeRequest, *, idempotency_key: str | None = None) -> m.SecondFactorResponse:
        """Confirm the authenticator with a code.

        The authenticator becomes active, and this session has a recent second factor.
        """
        call: Call[m.SecondFactorResponse] = Call('POST', '/v1/me/second-factor/confirm', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_session_of_user(self) -> m.SessionResponse:
        """Get one's session.

        The session of the access token. To sign out: `POST /v1/auth/revoke`, then send the browser to
        `end_session_url`, so that it signs out of the provider too (RP-Initiated Logout 1.0).
        """
        call: Call[m.SessionResponse] = Call('GET', '/v1/me/session', signed=True, repeatable=True)
        return await self._client.run(call)


class Agents:
    def __init__(self, client: Client) -> None:
        self._client = client

    def grant_authority(self, body: m.AuthorityRequest, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Offer an authority.

        For administrators of a confirmed company. The person with this address is told by mail, and acts for the
        company
        once they have accepted it: in these scopes, on these days, and naming the company in the header
        `Organisation` of
        each request. What a member does in person, such as a declaration, stays with the company.
        """
        call: Call[m.AgentAuthorityResponse] = Call('POST', '/v1/authorities', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def revoke_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Revoke an authority.

        For administrators of the company. From now on the agent does not act for it.
        """
        call: Call[m.AgentAuthorityResponse] = Call('DELETE', ('/v1/authorities/{authority_id}', authority_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_own_authorities(self) -> m.AuthorityList:
        """List one's authorities.

        What was offered to the own address, and what was accepted, newest first.
        """
        call: Call[m.AuthorityList] = Call('GET', '/v1/me/authorities', signed=True, repeatable=True)
        return self._client.run(call)

    def give_up_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> None:
        """Give up an authority.

        Or decline one that was offered.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/authorities/{authority_id}', authority_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def accept_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Accept an authority.

        For a member of another company. While an authority is in force, each request about a company names it in
        the
        header `Organisation`, also one about the own company.
        """
        call: Call[m.AgentAuthorityResponse] = Call('POST', ('/v1/me/authorities/{authority_id}/accept', authority_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_authorities(self, organisation_id: str) -> m.AuthorityList:
        """List the authorities that a company gave.

        For members of the company and for staff: who acts for it, or did, in what and when. The newest 500.
        """
        call: Call[m.AuthorityList] = Call('GET', ('/v1/organisations/{organisation_id}/authorities', organisation_id), signed=True, repeatable=True)
        return self._client.run(call)


class AsyncAgents:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def grant_authority(self, body: m.AuthorityRequest, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Offer an authority.

        For administrators of a confirmed company. The person with this address is told by mail, and acts for the
        company
        once they have accepted it: in these scopes, on these days, and naming the company in the header
        `Organisation` of
        each request. What a member does in person, such as a declaration, stays with the company.
        """
        call: Call[m.AgentAuthorityResponse] = Call('POST', '/v1/authorities', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def revoke_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Revoke an authority.

        For administrators of the company. From now on the agent does not act for it.
        """
        call: Call[m.AgentAuthorityResponse] = Call('DELETE', ('/v1/authorities/{authority_id}', authority_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list_own_authorities(self) -> m.AuthorityList:
        """List one's authorities.

        What was offered to the own address, and what was accepted, newest first.
        """
        call: Call[m.AuthorityList] = Call('GET', '/v1/me/authorities', signed=True, repeatable=True)
        return await self._client.run(call)

    async def give_up_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> None:
        """Give up an authority.

        Or decline one that was offered.
        """
        call: Call[None] = Call('DELETE', ('/v1/me/authorities/{authority_id}', authority_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def accept_authority(self, authority_id: str, *, idempotency_key: str | None = None) -> m.AgentAuthorityResponse:
        """Accept an authority.

        For a member of another company. While an authority is in force, each request about a company names it in
        the
        header `Organisation`, also one about the own company.
        """
        call: Call[m.AgentAuthorityResponse] = Call('POST', ('/v1/me/authorities/{authority_id}/accept', authority_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list_authorities(self, organisation_id: str) -> m.AuthorityList:
        """List the authorities that a company gave.

        For members of the company and for staff: who acts for it, or did, in what and when. The newest 500.
        """
        call: Call[m.AuthorityList] = Call('GET', ('/v1/organisations/{organisation_id}/authorities', organisation_id), signed=True, repeatable=True)
        return await self._client.run(call)


class ApiClients:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.ApiClientResponse]:
        """List API clients.

        Revoked clients are listed as well, with `revoked_at`.
        """
        call: Call[m.ApiClientResponse] = Call('GET', '/v1/api-clients', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.ApiClientRequest, *, idempotency_key: str | None = None) -> m.ApiClientWithSecretResponse:
        """Create an API client.

        For administrators of the company. The secret is shown once; only its hash is stored. Add another secret
        before
        `expires_at`.
        """
        call: Call[m.ApiClientWithSecretResponse] = Call('POST', '/v1/api-clients', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def revoke(self, client_id: str, *, idempotency_key: str | None = None) -> m.ApiClientResponse:
        """Revoke an API client.

        For administrators of the company. The access tokens of the client end at once.
        """
        call: Call[m.ApiClientResponse] = Call('DELETE', ('/v1/api-clients/{client_id}', client_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, client_id: str, *, organisation: str | None = None) -> m.ApiClientResponse:
        """Get an API client.

        Includes its active secrets, without their text.
        """
        call: Call[m.ApiClientResponse] = Call('GET', ('/v1/api-clients/{client_id}', client_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def add_secret(self, client_id: str, *, idempotency_key: str | None = None) -> m.NewClientSecretResponse:
        """Add a secret to an API client.

        For administrators. Both secrets work until you end the old one, so that the client is never interrupted.
        """
        call: Call[m.NewClientSecretResponse] = Call('POST', ('/v1/api-clients/{client_id}/secrets', client_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def end_secret(self, client_id: str, secret_id: str, *, idempotency_key: str | None = None) -> m.ClientSecretResponse:
        """End a secret of an API client.

        For administrators. Access tokens issued for this secret end at once; those of the other secret stay valid.
        """
        call: Call[m.ClientSecretResponse] = Call('DELETE', ('/v1/api-clients/{client_id}/secrets/{secret_id}', client_id, secret_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncApiClients:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.ApiClientResponse]:
        """List API clients.

        Revoked clients are listed as well, with `revoked_at`.
        """
        call: Call[m.ApiClientResponse] = Call('GET', '/v1/api-clients', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.ApiClientRequest, *, idempotency_key: str | None = None) -> m.ApiClientWithSecretResponse:
        """Create an API client.

        For administrators of the company. The secret is shown once; only its hash is stored. Add another secret
        before
        `expires_at`.
        """
        call: Call[m.ApiClientWithSecretResponse] = Call('POST', '/v1/api-clients', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def revoke(self, client_id: str, *, idempotency_key: str | None = None) -> m.ApiClientResponse:
        """Revoke an API client.

        For administrators of the company. The access tokens of the client end at once.
        """
        call: Call[m.ApiClientResponse] = Call('DELETE', ('/v1/api-clients/{client_id}', client_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, client_id: str, *, organisation: str | None = None) -> m.ApiClientResponse:
        """Get an API client.

        Includes its active secrets, without their text.
        """
        call: Call[m.ApiClientResponse] = Call('GET', ('/v1/api-clients/{client_id}', client_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def add_secret(self, client_id: str, *, idempotency_key: str | None = None) -> m.NewClientSecretResponse:
        """Add a secret to an API client.

        For administrators. Both secrets work until you end the old one, so that the client is never interrupted.
        """
        call: Call[m.NewClientSecretResponse] = Call('POST', ('/v1/api-clients/{client_id}/secrets', client_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def end_secret(self, client_id: str, secret_id: str, *, idempotency_key: str | None = None) -> m.ClientSecretResponse:
        """End a secret of an API client.

        For administrators. Access tokens issued for this secret end at once; those of the other secret stay valid.
        """
        call: Call[m.ClientSecretResponse] = Call('DELETE', ('/v1/api-clients/{client_id}/secrets/{secret_id}', client_id, secret_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Applications:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, state: m.State | None = None, scheme: str | None = None, reference: str | None = None, assignee: str | None = None, overdue: bool | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.ApplicationSummaryResponse]:
        """List applications.

        Oldest first. A company sees its own applications; staff see those of all companies, without drafts.
        """
        call: Call[m.ApplicationSummaryResponse] = Call('GET', '/v1/applications', signed=True, headers={'Organisation': organisation}, query={'state': state, 'scheme': scheme, 'reference': reference, 'assignee': assignee, 'overdue': overdue, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.ApplicationCreateRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Create a draft application.

        One scheme, 1 to 50 products. Staff do not see a draft before you submit it.
        """
        call: Call[m.ApplicationResponse] = Call('POST', '/v1/applications', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def export_csv(self, *, bom: bool | None = None, organisation: str | None = None) -> Iterator[bytes]:
        """Export applications of your company as CSV.

        Oldest first, with a header line. New columns are added at the end. A cell that a spreadsheet would read as
        a
        formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/applications.csv', signed=True, headers={'Organisation': organisation}, query={'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, organisation: str | None = None) -> Iterator[bytes]:
        """Export applications of your company as JSON Lines.

        One application per line, oldest first, as in `GET /v1/applications`.
        """
        call: Call[bytes] = Call('GET', '/v1/applications.jsonl', signed=True, headers={'Organisation': organisation}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    def get(self, application_id: str, *, organisation: str | None = None) -> m.ApplicationResponse:
        """Get an application.

        Members marked “staff only” are null for the company.
        """
        call: Call[m.ApplicationResponse] = Call('GET', ('/v1/applications/{application_id}', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def replace(self, application_id: str, body: m.ApplicationUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Replace the content of a draft application.

        Replaces products and reference. Only while the application is a draft. The answer of `GET` sent back
        changes
        nothing, not even the version.
        """
        call: Call[m.ApplicationResponse] = Call('PUT', ('/v1/applications/{application_id}', application_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_assessment(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.AssessmentResponse]:
        """Get the newest assessment of each product.

        Every rule with its outcome, made when the application was submitted, answered, recommended or decided.
        """
        call: Call[m.AssessmentResponse] = Call('GET', ('/v1/applications/{application_id}/assessment', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.all_of(call)

    def copy(self, application_id: str, body: m.ApplicationCopyRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Copy an application into a new draft.

        A new draft for the same products, whatever became of the earlier application. Declaration, documents,
        questions
        and findings of the earlier one stay with it: declare again, and upload again what this application needs.
        Documents
        of your company count for every application. A retired product is refused (422): then create the draft
        yourself.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/copy', application_id), signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_declaration(self, application_id: str, *, organisation: str | None = None) -> m.DeclarationResponse:
        """Get the declaration and its text.

        The text to accept, the hash to declare, and the newest declaration. `POST` to this address declares.
        """
        call: Call[m.DeclarationResponse] = Call('GET', ('/v1/applications/{application_id}/declaration', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def create_declaration(self, application_id: str, body: m.DeclarationRequest, *, idempotency_key: str | None = None) -> m.DeclarationResponse:
        """Declare that all facts are true and complete.

        For members of the company, not for API clients (403). The declaration covers what your company has entered
        and
        uploaded. If that changes, declare again before you submit or answer. If hash or text version is outdated,
        the
        answer is 409 `declaration-outdated` with the current ones.
        """
        call: Call[m.DeclarationResponse] = Call('POST', ('/v1/applications/{application_id}/declaration', application_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_earlier_decisions(self, application_id: str, *, same_company: bool | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[dict[str, Any]]:
        """List earlier decisions on the same HS headings.

        Decisions under the same scheme on the HS headings of this application. Staff get a page of decisions; a
        company
        gets, for each heading, its own decisions and the counts of others, without pages.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/applications/{application_id}/earlier-decisions', application_id), signed=True, headers={'Organisation': organisation}, query={'same_company': same_company, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def respond_to_questions(self, application_id: str, body: m.AnswersRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Answer the questions of the reviewer.

        Answer every open question. You can correct products and evidence first. The application returns to review.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/respond', application_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def submit(self, application_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Submit an application.

        The dossier is assessed and frozen. If required information is missing, the answer lists it and nothing is
        sent.

        Declare the current content first; otherwise the answer is 409 `declaration-missing` with the hash to
        declare.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/submit', application_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_timeline(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.TimelineEntryResponse]:
        """Get the timeline of an application.

        Oldest first. For the applicant the names of staff and internal notes are left out.
        """
        call: Call[m.TimelineEntryResponse] = Call('GET', ('/v1/applications/{application_id}/timeline', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.all_of(call)

    def withdraw(self, application_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Withdraw an application.

        Possible until a decision is made. You can apply for the products again.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/withdraw', application_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncApplications:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, state: m.State | None = None, scheme: str | None = None, reference: str | None = None, assignee: str | None = None, overdue: bool | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.ApplicationSummaryResponse]:
        """List applications.

        Oldest first. A company sees its own applications; staff see those of all companies, without drafts.
        """
        call: Call[m.ApplicationSummaryResponse] = Call('GET', '/v1/applications', signed=True, headers={'Organisation': organisation}, query={'state': state, 'scheme': scheme, 'reference': reference, 'assignee': assignee, 'overdue': overdue, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.ApplicationCreateRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Create a draft application.

        One scheme, 1 to 50 products. Staff do not see a draft before you submit it.
        """
        call: Call[m.ApplicationResponse] = Call('POST', '/v1/applications', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def export_csv(self, *, bom: bool | None = None, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export applications of your company as CSV.

        Oldest first, with a header line. New columns are added at the end. A cell that a spreadsheet would read as
        a
        formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/applications.csv', signed=True, headers={'Organisation': organisation}, query={'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export applications of your company as JSON Lines.

        One application per line, oldest first, as in `GET /v1/applications`.
        """
        call: Call[bytes] = Call('GET', '/v1/applications.jsonl', signed=True, headers={'Organisation': organisation}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    async def get(self, application_id: str, *, organisation: str | None = None) -> m.ApplicationResponse:
        """Get an application.

        Members marked “staff only” are null for the company.
        """
        call: Call[m.ApplicationResponse] = Call('GET', ('/v1/applications/{application_id}', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def replace(self, application_id: str, body: m.ApplicationUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Replace the content of a draft application.

        Replaces products and reference. Only while the application is a draft. The answer of `GET` sent back
        changes
        nothing, not even the version.
        """
        call: Call[m.ApplicationResponse] = Call('PUT', ('/v1/applications/{application_id}', application_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_assessment(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.AssessmentResponse]:
        """Get the newest assessment of each product.

        Every rule with its outcome, made when the application was submitted, answered, recommended or decided.
        """
        call: Call[m.AssessmentResponse] = Call('GET', ('/v1/applications/{application_id}/assessment', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.all_of(call)

    async def copy(self, application_id: str, body: m.ApplicationCopyRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Copy an application into a new draft.

        A new draft for the same products, whatever became of the earlier application. Declaration, documents,
        questions
        and findings of the earlier one stay with it: declare again, and upload again what this application needs.
        Documents
        of your company count for every application. A retired product is refused (422): then create the draft
        yourself.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/copy', application_id), signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_declaration(self, application_id: str, *, organisation: str | None = None) -> m.DeclarationResponse:
        """Get the declaration and its text.

        The text to accept, the hash to declare, and the newest declaration. `POST` to this address declares.
        """
        call: Call[m.DeclarationResponse] = Call('GET', ('/v1/applications/{application_id}/declaration', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def create_declaration(self, application_id: str, body: m.DeclarationRequest, *, idempotency_key: str | None = None) -> m.DeclarationResponse:
        """Declare that all facts are true and complete.

        For members of the company, not for API clients (403). The declaration covers what your company has entered
        and
        uploaded. If that changes, declare again before you submit or answer. If hash or text version is outdated,
        the
        answer is 409 `declaration-outdated` with the current ones.
        """
        call: Call[m.DeclarationResponse] = Call('POST', ('/v1/applications/{application_id}/declaration', application_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list_earlier_decisions(self, application_id: str, *, same_company: bool | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """List earlier decisions on the same HS headings.

        Decisions under the same scheme on the HS headings of this application. Staff get a page of decisions; a
        company
        gets, for each heading, its own decisions and the counts of others, without pages.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/applications/{application_id}/earlier-decisions', application_id), signed=True, headers={'Organisation': organisation}, query={'same_company': same_company, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def respond_to_questions(self, application_id: str, body: m.AnswersRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Answer the questions of the reviewer.

        Answer every open question. You can correct products and evidence first. The application returns to review.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/respond', application_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def submit(self, application_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Submit an application.

        The dossier is assessed and frozen. If required information is missing, the answer lists it and nothing is
        sent.

        Declare the current content first; otherwise the answer is 409 `declaration-missing` with the hash to
        declare.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/submit', application_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_timeline(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.TimelineEntryResponse]:
        """Get the timeline of an application.

        Oldest first. For the applicant the names of staff and internal notes are left out.
        """
        call: Call[m.TimelineEntryResponse] = Call('GET', ('/v1/applications/{application_id}/timeline', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.all_of(call)

    async def withdraw(self, application_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Withdraw an application.

        Possible until a decision is made. You can apply for the products again.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/withdraw', application_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Audit:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_audit_events(self, *, event: str | None = None, subject: str | None = None, actor: str | None = None, since: datetime | date | str | None = None, until: datetime | date | str | None = None, page_size: int | None = None) -> Iterator[m.AuditEventResponse]:
        """List audit events.

        Oldest first. `mik doctor --only audit` recomputes the chain and names the first row that was changed.
        """
        call: Call[m.AuditEventResponse] = Call('GET', '/v1/audit', signed=True, query={'event': event, 'subject': subject, 'actor': actor, 'from': since, 'to': until, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)


class AsyncAudit:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list_audit_events(self, *, event: str | None = None, subject: str | None = None, actor: str | None = None, since: datetime | date | str | None = None, until: datetime | date | str | None = None, page_size: int | None = None) -> AsyncIterator[m.AuditEventResponse]:
        """List audit events.

        Oldest first. `mik doctor --only audit` recomputes the chain and names the first row that was changed.
        """
        call: Call[m.AuditEventResponse] = Call('GET', '/v1/audit', signed=True, query={'event': event, 'subject': subject, 'actor': actor, 'from': since, 'to': until, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)


class Calendar:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_holidays(self, *, year: int | None = None) -> m.CalendarResponse:
        """List the holidays of a year.

        Deadlines are counted in working days: Monday to Friday without these holidays.
        """
        call: Call[m.CalendarResponse] = Call('GET', '/v1/calendar', signed=False, query={'year': year}, repeatable=True)
        return self._client.run(call)

    def announce_holidays(self, body: m.HolidayAnnouncementRequest, *, idempotency_key: str | None = None) -> m.CalendarResponse:
        """Announce the moved holidays of a year.

        For owners with a second factor. Replaces the announced days of this year; deadlines change at once.
        Announce
        substitute days for holidays on a weekend, and days exchanged by decision, with the occasion `other`.
        """
        call: Call[m.CalendarResponse] = Call('POST', '/v1/calendar/holidays', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncCalendar:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list_holidays(self, *, year: int | None = None) -> m.CalendarResponse:
        """List the holidays of a year.

        Deadlines are counted in working days: Monday to Friday without these holidays.
        """
        call: Call[m.CalendarResponse] = Call('GET', '/v1/calendar', signed=False, query={'year': year}, repeatable=True)
        return await self._client.run(call)

    async def announce_holidays(self, body: m.HolidayAnnouncementRequest, *, idempotency_key: str | None = None) -> m.CalendarResponse:
        """Announce the moved holidays of a year.

        For owners with a second factor. Replaces the announced days of this year; deadlines change at once.
        Announce
        substitute days for holidays on a weekend, and days exchanged by decision, with the occasion `other`.
        """
        call: Call[m.CalendarResponse] = Call('POST', '/v1/calendar/holidays', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class CertificateStatus:
    def __init__(self, client: Client) -> None:
        self._client = client

    def report_certificate_change(self, number: str, body: m.ChangeReportRequest, *, idempotency_key: str | None = None) -> m.ReportedChangeResponse:
        """Report a change that affects a certificate.

        For members of the holder, at the latest ten days after the change. Product and site can be changed while
        the
        report is open; the certified description stays the same.
        """
        call: Call[m.ReportedChangeResponse] = Call('POST', ('/v1/certificates/{number}/changes', number), signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_certificate_description(self, number: str, *, organisation: str | None = None) -> m.DescriptionResponse:
        """Get the certified description.

        For the holder and for staff who read cases. Frozen at issue: it never changes.
        """
        call: Call[m.DescriptionResponse] = Call('GET', ('/v1/certificates/{number}/description', number), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def reinstate_certificate(self, number: str, body: m.ReinstateRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Lift a cause of suspension.

        For owners. The certificate is active again when its last cause ends. A certificate surrendered during an
        investigation stays surrendered; only the cause ends.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/reinstate', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def revoke_certificate(self, number: str, body: m.RevokeRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Propose to revoke a certificate.

        For owners, against the version of the certificate. Makes a proposal of the kind `revocation`; the
        certificate is
        revoked when another owner confirms it (`POST /v1/proposals/{id}/confirm`). Until then it may be suspended.

        Final, with a reason from the closed list, which is public. Also possible for a certificate that was
        surrendered
        during an investigation.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/certificates/{number}/revoke', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def surrender_certificate(self, number: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Surrender a certificate.

        For the holder, at any time; final. While the certificate is suspended for cause, or a matter about it is
        open,
        it is recorded as surrendered during an investigation (`during_investigation`), which continues.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/surrender', number), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def suspend_certificate(self, number: str, body: m.SuspendRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Suspend a certificate.

        For owners, with one cause. A certificate can have several causes; it is active again when all have ended.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/suspend', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncCertificateStatus:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def report_certificate_change(self, number: str, body: m.ChangeReportRequest, *, idempotency_key: str | None = None) -> m.ReportedChangeResponse:
        """Report a change that affects a certificate.

        For members of the holder, at the latest ten days after the change. Product and site can be changed while
        the
        report is open; the certified description stays the same.
        """
        call: Call[m.ReportedChangeResponse] = Call('POST', ('/v1/certificates/{number}/changes', number), signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_certificate_description(self, number: str, *, organisation: str | None = None) -> m.DescriptionResponse:
        """Get the certified description.

        For the holder and for staff who read cases. Frozen at issue: it never changes.
        """
        call: Call[m.DescriptionResponse] = Call('GET', ('/v1/certificates/{number}/description', number), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def reinstate_certificate(self, number: str, body: m.ReinstateRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Lift a cause of suspension.

        For owners. The certificate is active again when its last cause ends. A certificate surrendered during an
        investigation stays surrendered; only the cause ends.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/reinstate', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def revoke_certificate(self, number: str, body: m.RevokeRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Propose to revoke a certificate.

        For owners, against the version of the certificate. Makes a proposal of the kind `revocation`; the
        certificate is
        revoked when another owner confirms it (`POST /v1/proposals/{id}/confirm`). Until then it may be suspended.

        Final, with a reason from the closed list, which is public. Also possible for a certificate that was
        surrendered
        during an investigation.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/certificates/{number}/revoke', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def surrender_certificate(self, number: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Surrender a certificate.

        For the holder, at any time; final. While the certificate is suspended for cause, or a matter about it is
        open,
        it is recorded as surrendered during an investigation (`during_investigation`), which continues.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/surrender', number), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def suspend_certificate(self, number: str, body: m.SuspendRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.CertificateResponse:
        """Suspend a certificate.

        For owners, with one cause. A certificate can have several causes; it is active again when all have ended.
        """
        call: Call[m.CertificateResponse] = Call('POST', ('/v1/certificates/{number}/suspend', number), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Certificates:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> Iterator[m.OwnCertificateResponse]:
        """List certificates of your company.

        Newest first; filters are combined. Also as a file: `GET /v1/my/certificates.csv` and `.jsonl`.
        """
        call: Call[m.OwnCertificateResponse] = Call('GET', '/v1/my/certificates', signed=True, headers={'Organisation': organisation}, query={'limit': page_size, 'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True)
        return self._client.pages(call)

    def export_csv(self, *, bom: bool | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> Iterator[bytes]:
        """Export certificates of your company as CSV.

        Newest first, with the filters of the list and a header line. New columns are added at the end. A cell that
        a
        spreadsheet would read as a formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/my/certificates.csv', signed=True, headers={'Organisation': organisation}, query={'bom': bom, 'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> Iterator[bytes]:
        """Export certificates of your company as JSON Lines.

        One certificate per line, newest first, as in the list.
        """
        call: Call[bytes] = Call('GET', '/v1/my/certificates.jsonl', signed=True, headers={'Organisation': organisation}, query={'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)


class AsyncCertificates:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> AsyncIterator[m.OwnCertificateResponse]:
        """List certificates of your company.

        Newest first; filters are combined. Also as a file: `GET /v1/my/certificates.csv` and `.jsonl`.
        """
        call: Call[m.OwnCertificateResponse] = Call('GET', '/v1/my/certificates', signed=True, headers={'Organisation': organisation}, query={'limit': page_size, 'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True)
        return self._client.pages(call)

    def export_csv(self, *, bom: bool | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export certificates of your company as CSV.

        Newest first, with the filters of the list and a header line. New columns are added at the end. A cell that
        a
        spreadsheet would read as a formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/my/certificates.csv', signed=True, headers={'Organisation': organisation}, query={'bom': bom, 'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, scheme: str | None = None, status: m.EffectiveStatus | None = None, product: str | None = None, site: str | None = None, expiring_before: datetime | date | str | None = None, updated_since: datetime | date | str | None = None, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export certificates of your company as JSON Lines.

        One certificate per line, newest first, as in the list.
        """
        call: Call[bytes] = Call('GET', '/v1/my/certificates.jsonl', signed=True, headers={'Organisation': organisation}, query={'scheme': scheme, 'status': status, 'product': product, 'site': site, 'expiring_before': expiring_before, 'updated_since': updated_since}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)


class Claims:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, state: m.ClaimState | None = None, voen: str | None = None, page_size: int | None = None) -> Iterator[m.ClaimSummaryResponse]:
        """List claims.

        Staff who read cases see all claims, filtered by state and VÖEN; others see their own.
        """
        call: Call[m.ClaimSummaryResponse] = Call('GET', '/v1/claims', signed=True, query={'state': state, 'voen': voen, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, *, file: Upload, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], legal_form: str, legal_name_az: str, legal_name_en: str, number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, voen: str, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Create another claim with new evidence.

        For a person whose claim was refused. Upload evidence that was not part of a refused claim. Nothing is taken
        over
        from refused claims.
        """
        call: Call[m.ClaimResponse] = Call('POST', '/v1/claims', signed=True, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'legal_form': legal_form, 'legal_name_az': legal_name_az, 'legal_name_en': legal_name_en, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values, 'voen': voen}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, claim_id: str) -> m.ClaimResponse:
        """Get a claim.

        The claimant sees the claim; staff also see other claims with this VÖEN, their evidence, and the company.
        """
        call: Call[m.ClaimResponse] = Call('GET', ('/v1/claims/{claim_id}', claim_id), signed=True, repeatable=True)
        return self._client.run(call)

    def confirm(self, claim_id: str, body: m.ClaimConfirmRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Confirm a claim.

        For registrars who have examined evidence that this person acts for the company. What the claimant entered
        moves
        to the company, and all other claims with this VÖEN are refused.

        A disputed claim (others act for the company already) needs two registrars and ten days: 409 `not-proposed`,
        403 for
        the registrar who proposed it, 409 `objections-open`. The claimant becomes a further member; other claims
        stay open.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/confirm', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def propose_confirmation(self, claim_id: str, body: m.ClaimProposalRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Propose to confirm a disputed claim.

        Another registrar confirms it, at the earliest ten days after the company's members could see the claim.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/propose', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def refuse(self, claim_id: str, body: m.ReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Refuse a claim.

        The claim is closed: the claimant sees the notice only, and nothing that was entered moves to a company.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/refuse', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_competing(self, organisation_id: str) -> Sequence[m.CompetingClaimResponse]:
        """List claims of other people to your company.

        For members of a confirmed company. If you do not know the person, contact the registrar before
        `objections_until`: two registrars must agree before a claimant becomes a member.
        """
        call: Call[m.CompetingClaimResponse] = Call('GET', ('/v1/organisations/{organisation_id}/claims', organisation_id), signed=True, repeatable=True)
        return self._client.all_of(call)


class AsyncClaims:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, state: m.ClaimState | None = None, voen: str | None = None, page_size: int | None = None) -> AsyncIterator[m.ClaimSummaryResponse]:
        """List claims.

        Staff who read cases see all claims, filtered by state and VÖEN; others see their own.
        """
        call: Call[m.ClaimSummaryResponse] = Call('GET', '/v1/claims', signed=True, query={'state': state, 'voen': voen, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, *, file: Upload, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], legal_form: str, legal_name_az: str, legal_name_en: str, number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, voen: str, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Create another claim with new evidence.

        For a person whose claim was refused. Upload evidence that was not part of a refused claim. Nothing is taken
        over
        from refused claims.
        """
        call: Call[m.ClaimResponse] = Call('POST', '/v1/claims', signed=True, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'legal_form': legal_form, 'legal_name_az': legal_name_az, 'legal_name_en': legal_name_en, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values, 'voen': voen}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, claim_id: str) -> m.ClaimResponse:
        """Get a claim.

        The claimant sees the claim; staff also see other claims with this VÖEN, their evidence, and the company.
        """
        call: Call[m.ClaimResponse] = Call('GET', ('/v1/claims/{claim_id}', claim_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def confirm(self, claim_id: str, body: m.ClaimConfirmRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Confirm a claim.

        For registrars who have examined evidence that this person acts for the company. What the claimant entered
        moves
        to the company, and all other claims with this VÖEN are refused.

        A disputed claim (others act for the company already) needs two registrars and ten days: 409 `not-proposed`,
        403 for
        the registrar who proposed it, 409 `objections-open`. The claimant becomes a further member; other claims
        stay open.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/confirm', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def propose_confirmation(self, claim_id: str, body: m.ClaimProposalRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Propose to confirm a disputed claim.

        Another registrar confirms it, at the earliest ten days after the company's members could see the claim.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/propose', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def refuse(self, claim_id: str, body: m.ReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ClaimResponse:
        """Refuse a claim.

        The claim is closed: the claimant sees the notice only, and nothing that was entered moves to a company.
        """
        call: Call[m.ClaimResponse] = Call('POST', ('/v1/claims/{claim_id}/refuse', claim_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list_competing(self, organisation_id: str) -> Sequence[m.CompetingClaimResponse]:
        """List claims of other people to your company.

        For members of a confirmed company. If you do not know the person, contact the registrar before
        `objections_until`: two registrars must agree before a claimant becomes a member.
        """
        call: Call[m.CompetingClaimResponse] = Call('GET', ('/v1/organisations/{organisation_id}/claims', organisation_id), signed=True, repeatable=True)
        return await self._client.all_of(call)


class Events:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, after: str | None = None, type: Sequence[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.PublicEventResponse]:
        """List the events of your company.

        In the order of commits, without a gap: an event that you have not seen is never before `after`.

        Store the id of the last event and ask with it again. `Link` leads on while there are more. Events about
        accounts
        are for administrators.
        """
        call: Call[m.PublicEventResponse] = Call('GET', '/v1/events', signed=True, headers={'Organisation': organisation}, query={'after': after, 'type': type, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)


class AsyncEvents:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, after: str | None = None, type: Sequence[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.PublicEventResponse]:
        """List the events of your company.

        In the order of commits, without a gap: an event that you have not seen is never before `after`.

        Store the id of the last event and ask with it again. `Link` leads on while there are more. Events about
        accounts
        are for administrators.
        """
        call: Call[m.PublicEventResponse] = Call('GET', '/v1/events', signed=True, headers={'Organisation': organisation}, query={'after': after, 'type': type, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)


class Evidence:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_of_application(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.EvidenceResponse]:
        """List evidence documents of an application.

        Documents added to the application, oldest first. Companies do not see those that only staff supply.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/applications/{application_id}/evidence', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.all_of(call)

    def add_to_application(self, application_id: str, *, file: Upload, organisation: str | None = None, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Upload an evidence document to an application.

        The company adds documents until it submits, and again when information is requested; registrars and
        reviewers
        add results of their own checks (tax register, sanctions lists, resident register) until the decision. The
        same
        document sent twice is stored once.

        Dates, number and values are stated by you. Rules read a document after a member of staff has confirmed it;
        a
        document added by staff is confirmed by another member of staff.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/applications/{application_id}/evidence', application_id), signed=True, headers={'Organisation': organisation}, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def remove_from_application(self, application_id: str, evidence_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> None:
        """Remove an evidence document from an application.

        Only while the application is a draft. A submitted document cannot be removed.
        """
        call: Call[None] = Call('DELETE', ('/v1/applications/{application_id}/evidence/{evidence_id}', application_id, evidence_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def download_of_application(self, application_id: str, evidence_id: str, *, organisation: str | None = None) -> Iterator[bytes]:
        """Download an evidence document of an application.

        Always sent as an attachment: browsers must not render uploaded files. Downloads by staff are recorded.
        """
        call: Call[bytes] = Call('GET', ('/v1/applications/{application_id}/evidence/{evidence_id}', application_id, evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='*/*')
        return self._client.stream(call)

    def list_kinds(self) -> Sequence[m.EvidenceKind]:
        """List kinds of evidence documents.

        Each kind with its suppliers, its subject, its dates and the values that are read from the document.
        """
        call: Call[m.EvidenceKind] = Call('GET', '/v1/evidence-kinds', signed=False, repeatable=True)
        return self._client.all_of(call)

    def get(self, evidence_id: str, *, organisation: str | None = None) -> m.EvidenceResponse:
        """Get an evidence document.

        Visible to its company and to staff; not to the company if only staff supply its kind.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/evidence/{evidence_id}', evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def confirm(self, evidence_id: str, body: m.EvidenceConfirmRequest, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Confirm an evidence document.

        For registrars and reviewers. Rules read confirmed documents; an earlier recommendation becomes void. What
        the
        company stated at upload stays in `entered`.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/confirm', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def download(self, evidence_id: str, *, organisation: str | None = None) -> Iterator[bytes]:
        """Download an evidence document.

        Always sent as an attachment. Downloads by staff are recorded.
        """
        call: Call[bytes] = Call('GET', ('/v1/evidence/{evidence_id}/file', evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='*/*')
        return self._client.stream(call)

    def withdraw(self, evidence_id: str, body: m.EvidenceWithdrawRequest, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Withdraw an evidence document.

        For members of the company, of a document for all applications. It stays stored and no longer counts.

        Not possible while an application under review depends on it (409 `evidence-in-use`). If a valid certificate
        depends
        on it, a matter is opened.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/withdraw', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def withdraw_confirmation(self, evidence_id: str, body: m.ConfirmationWithdrawRequest | None | None = None, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Withdraw a confirmation.

        For registrars and reviewers. The document stays and can be confirmed again.

        Also possible after the decision. If a valid certificate depends on the document, a reason is required and a
        matter
        about each such certificate is opened.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/withdraw-confirmation', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list(self, organisation_id: str, *, organisation: str | None = None) -> Sequence[m.EvidenceResponse]:
        """List evidence documents of a company.

        Documents for all applications, oldest first. Visible to members of the company and to staff.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/organisations/{organisation_id}/evidence', organisation_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.all_of(call)

    def add(self, organisation_id: str, *, file: Upload, organisation: str | None = None, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Upload an evidence document for all applications.

        For members of the company, registrars and reviewers: authority to sign, permits, extracts of the tax
        register.

        The document counts for every application of the company, after a member of staff has confirmed it; a
        document added
        by staff is confirmed by another member of staff.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/organisations/{organisation_id}/evidence', organisation_id), signed=True, headers={'Organisation': organisation}, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values}, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncEvidence:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list_of_application(self, application_id: str, *, organisation: str | None = None) -> Sequence[m.EvidenceResponse]:
        """List evidence documents of an application.

        Documents added to the application, oldest first. Companies do not see those that only staff supply.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/applications/{application_id}/evidence', application_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.all_of(call)

    async def add_to_application(self, application_id: str, *, file: Upload, organisation: str | None = None, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Upload an evidence document to an application.

        The company adds documents until it submits, and again when information is requested; registrars and
        reviewers
        add results of their own checks (tax register, sanctions lists, resident register) until the decision. The
        same
        document sent twice is stored once.

        Dates, number and values are stated by you. Rules read a document after a member of staff has confirmed it;
        a
        document added by staff is confirmed by another member of staff.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/applications/{application_id}/evidence', application_id), signed=True, headers={'Organisation': organisation}, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def remove_from_application(self, application_id: str, evidence_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> None:
        """Remove an evidence document from an application.

        Only while the application is a draft. A submitted document cannot be removed.
        """
        call: Call[None] = Call('DELETE', ('/v1/applications/{application_id}/evidence/{evidence_id}', application_id, evidence_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def download_of_application(self, application_id: str, evidence_id: str, *, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Download an evidence document of an application.

        Always sent as an attachment: browsers must not render uploaded files. Downloads by staff are recorded.
        """
        call: Call[bytes] = Call('GET', ('/v1/applications/{application_id}/evidence/{evidence_id}', application_id, evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='*/*')
        return self._client.stream(call)

    async def list_kinds(self) -> Sequence[m.EvidenceKind]:
        """List kinds of evidence documents.

        Each kind with its suppliers, its subject, its dates and the values that are read from the document.
        """
        call: Call[m.EvidenceKind] = Call('GET', '/v1/evidence-kinds', signed=False, repeatable=True)
        return await self._client.all_of(call)

    async def get(self, evidence_id: str, *, organisation: str | None = None) -> m.EvidenceResponse:
        """Get an evidence document.

        Visible to its company and to staff; not to the company if only staff supply its kind.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/evidence/{evidence_id}', evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def confirm(self, evidence_id: str, body: m.EvidenceConfirmRequest, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Confirm an evidence document.

        For registrars and reviewers. Rules read confirmed documents; an earlier recommendation becomes void. What
        the
        company stated at upload stays in `entered`.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/confirm', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def download(self, evidence_id: str, *, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Download an evidence document.

        Always sent as an attachment. Downloads by staff are recorded.
        """
        call: Call[bytes] = Call('GET', ('/v1/evidence/{evidence_id}/file', evidence_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='*/*')
        return self._client.stream(call)

    async def withdraw(self, evidence_id: str, body: m.EvidenceWithdrawRequest, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Withdraw an evidence document.

        For members of the company, of a document for all applications. It stays stored and no longer counts.

        Not possible while an application under review depends on it (409 `evidence-in-use`). If a valid certificate
        depends
        on it, a matter is opened.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/withdraw', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def withdraw_confirmation(self, evidence_id: str, body: m.ConfirmationWithdrawRequest | None | None = None, *, version: Version, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Withdraw a confirmation.

        For registrars and reviewers. The document stays and can be confirmed again.

        Also possible after the decision. If a valid certificate depends on the document, a reason is required and a
        matter
        about each such certificate is opened.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/evidence/{evidence_id}/withdraw-confirmation', evidence_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def list(self, organisation_id: str, *, organisation: str | None = None) -> Sequence[m.EvidenceResponse]:
        """List evidence documents of a company.

        Documents for all applications, oldest first. Visible to members of the company and to staff.
        """
        call: Call[m.EvidenceResponse] = Call('GET', ('/v1/organisations/{organisation_id}/evidence', organisation_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.all_of(call)

    async def add(self, organisation_id: str, *, file: Upload, organisation: str | None = None, issued_on: datetime | date | str | None = None, kind: Literal['company-registration', 'park-residency', 'process-description', 'bill-of-materials', 'photo', 'other', 'authority-to-sign', 'conformity-document', 'permit', 'volume-statement', 'ownership-statement', 'origin-document', 'supplier-declaration', 'production-record', 'grower-letter', 'cost-statement', 'capacity-statement', 'lot-report', 'export-record', 'name-consent', 'municipality-letter', 'local-material', 'food-registration', 'tax-status', 'background-check', 'register-snapshot', 'resident-project', 'specification-check', 'trademark-search', 'inspection-record'], number: str | None = None, product_id: Sequence[str] | None = None, site_id: str | None = None, valid_until: datetime | date | str | None = None, values: Mapping[str, Any] | str | None = None, idempotency_key: str | None = None) -> m.EvidenceResponse:
        """Upload an evidence document for all applications.

        For members of the company, registrars and reviewers: authority to sign, permits, extracts of the tax
        register.

        The document counts for every application of the company, after a member of staff has confirmed it; a
        document added
        by staff is confirmed by another member of staff.
        """
        call: Call[m.EvidenceResponse] = Call('POST', ('/v1/organisations/{organisation_id}/evidence', organisation_id), signed=True, headers={'Organisation': organisation}, files={'file': file}, form={'issued_on': issued_on, 'kind': kind, 'number': number, 'product_id': product_id, 'site_id': site_id, 'valid_until': valid_until, 'values': values}, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Health:
    def __init__(self, client: Client) -> None:
        self._client = client

    def get_liveness(self) -> m.HealthResponse:
        """Check that the process runs.

        Answers without the database.
        """
        call: Call[m.HealthResponse] = Call('GET', '/health/live', signed=False, repeatable=True)
        return self._client.run(call)

    def get_readiness(self) -> m.HealthResponse:
        """Check that the database is reachable and migrated.

        503 while the database does not answer or is not migrated to this version.
        """
        call: Call[m.HealthResponse] = Call('GET', '/health/ready', signed=False, repeatable=True)
        return self._client.run(call)


class AsyncHealth:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def get_liveness(self) -> m.HealthResponse:
        """Check that the process runs.

        Answers without the database.
        """
        call: Call[m.HealthResponse] = Call('GET', '/health/live', signed=False, repeatable=True)
        return await self._client.run(call)

    async def get_readiness(self) -> m.HealthResponse:
        """Check that the database is reachable and migrated.

        503 while the database does not answer or is not migrated to this version.
        """
        call: Call[m.HealthResponse] = Call('GET', '/health/ready', signed=False, repeatable=True)
        return await self._client.run(call)


class Imports:
    def __init__(self, client: Client) -> None:
        self._client = client

    def import_applications(self, *, file: Upload, mode: m.ImportMode | None = None, dry_run: bool | None = None, organisation: str | None = None, idempotency_key: str | None = None) -> m.ImportResponse:
        """Import draft applications from CSV or XLSX.

        Each line becomes a draft, as in `POST /v1/applications`; products are named by reference or id. A person of
        your
        company declares and submits the drafts one by one.
        """
        call: Call[m.ImportResponse] = Call('POST', '/v1/imports/applications', signed=True, headers={'Organisation': organisation}, query={'mode': mode, 'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def import_products(self, *, file: Upload, mode: m.ImportMode | None = None, dry_run: bool | None = None, organisation: str | None = None, idempotency_key: str | None = None) -> m.ImportResponse:
        """Import products from CSV or XLSX.

        Products with materials, steps and costs, as in `POST /v1/products`: an XLSX file has a sheet for each
        table, a
        CSV file says in `record` what a line is. Every fault is named by line and column. If nothing was written
        because of
        faults, the answer is 422 `import-refused` with all of them. Try it first with `dry_run=true`.
        """
        call: Call[m.ImportResponse] = Call('POST', '/v1/imports/products', signed=True, headers={'Organisation': organisation}, query={'mode': mode, 'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_template(self, name: str) -> Iterator[bytes]:
        """Get the template of an import.

        `products.csv`, `products.xlsx`, `applications.csv` or `applications.xlsx`: the header, an explanation of
        each
        column and the closed lists.
        """
        call: Call[bytes] = Call('GET', ('/v1/imports/templates/{name}', name), signed=False, repeatable=True, accept='*/*')
        return self._client.stream(call)


class AsyncImports:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def import_applications(self, *, file: Upload, mode: m.ImportMode | None = None, dry_run: bool | None = None, organisation: str | None = None, idempotency_key: str | None = None) -> m.ImportResponse:
        """Import draft applications from CSV or XLSX.

        Each line becomes a draft, as in `POST /v1/applications`; products are named by reference or id. A person of
        your
        company declares and submits the drafts one by one.
        """
        call: Call[m.ImportResponse] = Call('POST', '/v1/imports/applications', signed=True, headers={'Organisation': organisation}, query={'mode': mode, 'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def import_products(self, *, file: Upload, mode: m.ImportMode | None = None, dry_run: bool | None = None, organisation: str | None = None, idempotency_key: str | None = None) -> m.ImportResponse:
        """Import products from CSV or XLSX.

        Products with materials, steps and costs, as in `POST /v1/products`: an XLSX file has a sheet for each
        table, a
        CSV file says in `record` what a line is. Every fault is named by line and column. If nothing was written
        because of
        faults, the answer is 422 `import-refused` with all of them. Try it first with `dry_run=true`.
        """
        call: Call[m.ImportResponse] = Call('POST', '/v1/imports/products', signed=True, headers={'Organisation': organisation}, query={'mode': mode, 'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def get_template(self, name: str) -> AsyncIterator[bytes]:
        """Get the template of an import.

        `products.csv`, `products.xlsx`, `applications.csv` or `applications.xlsx`: the header, an explanation of
        each
        column and the closed lists.
        """
        call: Call[bytes] = Call('GET', ('/v1/imports/templates/{name}', name), signed=False, repeatable=True, accept='*/*')
        return self._client.stream(call)


class Inbox:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_inbox(self, *, unread: bool | None = None, type: Sequence[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None = None, page_size: int | None = None, cursor: str | None = None) -> m.InboxResponse:
        """List your notices.

        Newest first: what your company, or you yourself, were told. Notices about accounts are for administrators.

        A notice is there within seconds of its cause. API clients read `GET /v1/events` instead.
        """
        call: Call[m.InboxResponse] = Call('GET', '/v1/inbox', signed=True, query={'unread': unread, 'type': type, 'limit': page_size, 'cursor': cursor}, repeatable=True)
        return self._client.run(call)

    def mark_all_read(self, body: m.ReadUpToRequest) -> m.UnreadResponse:
        """Mark notices as read.

        Marks the notice and all before it: those that came since the list was read stay unread.
        """
        call: Call[m.UnreadResponse] = Call('POST', '/v1/inbox/read', signed=True, body=body)
        return self._client.run(call)

    def mark_notice_read(self, notice_id: str) -> m.UnreadResponse:
        """Mark a notice as read.

        For you alone: others of your company have read it when they mark it. Marking it again changes nothing.
        """
        call: Call[m.UnreadResponse] = Call('POST', ('/v1/inbox/{notice_id}/read', notice_id), signed=True)
        return self._client.run(call)

    def get_notification_settings(self) -> m.NotificationSettings:
        """Get your notification settings.

        At first everything is mailed. `PUT` accepts what this gives.
        """
        call: Call[m.NotificationSettings] = Call('GET', '/v1/me/notification-settings', signed=True, repeatable=True)
        return self._client.run(call)

    def change_notification_settings(self, body: m.NotificationSettings) -> m.NotificationSettings:
        """Change your notification settings.

        Mails on which rights or deadlines depend cannot be switched off: 422 names them.
        """
        call: Call[m.NotificationSettings] = Call('PUT', '/v1/me/notification-settings', signed=True, body=body)
        return self._client.run(call)


class AsyncInbox:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list_inbox(self, *, unread: bool | None = None, type: Sequence[Literal['application.submitted', 'application.information_requested', 'application.answered', 'application.answer_due', 'application.ended', 'application.decided', 'claim.decided', 'claim.disputed', 'certificate.issued', 'certificate.suspended', 'certificate.reinstated', 'certificate.revoked', 'certificate.surrendered', 'certificate.superseded', 'certificate.reissued', 'certificate.varied', 'certificate.extended', 'certificate.renewable', 'certificate.expiring', 'certificate.expired', 'evidence.changed', 'evidence.expiring', 'residency.changed', 'licence.offered', 'licence.changed', 'licence.ending', 'mark_registration.expiring', 'mark_registration.ended', 'matter.opened', 'matter.step', 'matter.answer_due', 'matter.overdue', 'matter.decided', 'manifest.finished', 'ruleset.affects_you', 'account.address_to_confirm', 'account.invited', 'account.password_reset', 'account.rights_changed', 'account.new_device', 'account.webhook_disabled']] | None = None, page_size: int | None = None, cursor: str | None = None) -> m.InboxResponse:
        """List your notices.

        Newest first: what your company, or you yourself, were told. Notices about accounts are for administrators.

        A notice is there within seconds of its cause. API clients read `GET /v1/events` instead.
        """
        call: Call[m.InboxResponse] = Call('GET', '/v1/inbox', signed=True, query={'unread': unread, 'type': type, 'limit': page_size, 'cursor': cursor}, repeatable=True)
        return await self._client.run(call)

    async def mark_all_read(self, body: m.ReadUpToRequest) -> m.UnreadResponse:
        """Mark notices as read.

        Marks the notice and all before it: those that came since the list was read stay unread.
        """
        call: Call[m.UnreadResponse] = Call('POST', '/v1/inbox/read', signed=True, body=body)
        return await self._client.run(call)

    async def mark_notice_read(self, notice_id: str) -> m.UnreadResponse:
        """Mark a notice as read.

        For you alone: others of your company have read it when they mark it. Marking it again changes nothing.
        """
        call: Call[m.UnreadResponse] = Call('POST', ('/v1/inbox/{notice_id}/read', notice_id), signed=True)
        return await self._client.run(call)

    async def get_notification_settings(self) -> m.NotificationSettings:
        """Get your notification settings.

        At first everything is mailed. `PUT` accepts what this gives.
        """
        call: Call[m.NotificationSettings] = Call('GET', '/v1/me/notification-settings', signed=True, repeatable=True)
        return await self._client.run(call)

    async def change_notification_settings(self, body: m.NotificationSettings) -> m.NotificationSettings:
        """Change your notification settings.

        Mails on which rights or deadlines depend cannot be switched off: 422 names them.
        """
        call: Call[m.NotificationSettings] = Call('PUT', '/v1/me/notification-settings', signed=True, body=body)
        return await self._client.run(call)


class Jobs:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, state: m.JobState | None = None, name: str | None = None, page_size: int | None = None) -> Iterator[m.JobResponse]:
        """List background jobs.

        Oldest first, for owners and auditors. Jobs that are done are deleted after 30 days.
        """
        call: Call[m.JobResponse] = Call('GET', '/v1/jobs', signed=True, query={'state': state, 'name': name, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def get(self, job_id: str) -> m.JobResponse:
        """Get a background job.

        The `ETag` is the version to send in `If-Match` when you retry it.
        """
        call: Call[m.JobResponse] = Call('GET', ('/v1/jobs/{job_id}', job_id), signed=True, repeatable=True)
        return self._client.run(call)

    def retry(self, job_id: str, *, version: Version, idempotency_key: str | None = None) -> m.JobResponse:
        """Retry a parked job.

        For owners. A worker runs it at once, and again after failures, as when it was new.
        """
        call: Call[m.JobResponse] = Call('POST', ('/v1/jobs/{job_id}/retry', job_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_mail_deliveries(self, *, state: m.MailState | None = None, page_size: int | None = None) -> Iterator[m.MailDeliveryResponse]:
        """List mails and their errors.

        Oldest first, for owners and auditors. Mails that are delivered or void are deleted after 30 days.
        """
        call: Call[m.MailDeliveryResponse] = Call('GET', '/v1/mail-deliveries', signed=True, query={'state': state, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def retry_mail_delivery(self, mail_id: str, *, idempotency_key: str | None = None) -> m.MailDeliveryResponse:
        """Send a failed mail again.

        For owners, once the cause is repaired. A mail whose code has ended is not sent again: the person asks for a
        new
        one.
        """
        call: Call[m.MailDeliveryResponse] = Call('POST', ('/v1/mail-deliveries/{mail_id}/retry', mail_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncJobs:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, state: m.JobState | None = None, name: str | None = None, page_size: int | None = None) -> AsyncIterator[m.JobResponse]:
        """List background jobs.

        Oldest first, for owners and auditors. Jobs that are done are deleted after 30 days.
        """
        call: Call[m.JobResponse] = Call('GET', '/v1/jobs', signed=True, query={'state': state, 'name': name, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def get(self, job_id: str) -> m.JobResponse:
        """Get a background job.

        The `ETag` is the version to send in `If-Match` when you retry it.
        """
        call: Call[m.JobResponse] = Call('GET', ('/v1/jobs/{job_id}', job_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def retry(self, job_id: str, *, version: Version, idempotency_key: str | None = None) -> m.JobResponse:
        """Retry a parked job.

        For owners. A worker runs it at once, and again after failures, as when it was new.
        """
        call: Call[m.JobResponse] = Call('POST', ('/v1/jobs/{job_id}/retry', job_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list_mail_deliveries(self, *, state: m.MailState | None = None, page_size: int | None = None) -> AsyncIterator[m.MailDeliveryResponse]:
        """List mails and their errors.

        Oldest first, for owners and auditors. Mails that are delivered or void are deleted after 30 days.
        """
        call: Call[m.MailDeliveryResponse] = Call('GET', '/v1/mail-deliveries', signed=True, query={'state': state, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def retry_mail_delivery(self, mail_id: str, *, idempotency_key: str | None = None) -> m.MailDeliveryResponse:
        """Send a failed mail again.

        For owners, once the cause is repaired. A mail whose code has ended is not sent again: the person asks for a
        new
        one.
        """
        call: Call[m.MailDeliveryResponse] = Call('POST', ('/v1/mail-deliveries/{mail_id}/retry', mail_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Keys:
    def __init__(self, client: Client) -> None:
        self._client = client

    def get_did_document(self) -> dict[str, Any]:
        """Get the DID document of the issuer.

        The keys as JsonWebKey. A compromised key stays listed, but not in `assertionMethod`.
        """
        call: Call[dict[str, Any]] = Call('GET', '/.well-known/did.json', signed=False, repeatable=True, accept='application/did+json')
        return self._client.run(call)

    def get_jwks(self) -> dict[str, Any]:
        """Get the public keys (RFC 7517).

        The keys that verify signatures of certificates offline.
        """
        call: Call[dict[str, Any]] = Call('GET', '/.well-known/jwks.json', signed=False, repeatable=True, accept='application/jwk-set+json')
        return self._client.run(call)

    def get_credential_context(self, shape: str) -> dict[str, Any]:
        """Get the JSON-LD context of certificates.

        The third entry of `@context` in every certificate. It never changes.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/contexts/{shape}', shape), signed=False, repeatable=True, accept='application/ld+json')
        return self._client.run(call)

    def get_render_template(self, shape: str) -> str:
        """Get the render template of certificates.

        The address in `renderMethod` of every certificate from `certificate-3` on: a Handlebars template in HTML.
        It
        never changes, and `digestMultibase` in the certificate is its digest.
        """
        call: Call[str] = Call('GET', ('/v1/render-templates/{shape}', shape), signed=False, repeatable=True, accept='text/html')
        return self._client.text(call)

    def get_credential_schema(self, shape: str) -> dict[str, Any]:
        """Get the JSON Schema of certificates.

        The address in `credentialSchema` of every certificate. It never changes.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/schemas/{shape}', shape), signed=False, repeatable=True, accept='application/schema+json')
        return self._client.run(call)


class AsyncKeys:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def get_did_document(self) -> dict[str, Any]:
        """Get the DID document of the issuer.

        The keys as JsonWebKey. A compromised key stays listed, but not in `assertionMethod`.
        """
        call: Call[dict[str, Any]] = Call('GET', '/.well-known/did.json', signed=False, repeatable=True, accept='application/did+json')
        return await self._client.run(call)

    async def get_jwks(self) -> dict[str, Any]:
        """Get the public keys (RFC 7517).

        The keys that verify signatures of certificates offline.
        """
        call: Call[dict[str, Any]] = Call('GET', '/.well-known/jwks.json', signed=False, repeatable=True, accept='application/jwk-set+json')
        return await self._client.run(call)

    async def get_credential_context(self, shape: str) -> dict[str, Any]:
        """Get the JSON-LD context of certificates.

        The third entry of `@context` in every certificate. It never changes.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/contexts/{shape}', shape), signed=False, repeatable=True, accept='application/ld+json')
        return await self._client.run(call)

    async def get_render_template(self, shape: str) -> str:
        """Get the render template of certificates.

        The address in `renderMethod` of every certificate from `certificate-3` on: a Handlebars template in HTML.
        It
        never changes, and `digestMultibase` in the certificate is its digest.
        """
        call: Call[str] = Call('GET', ('/v1/render-templates/{shape}', shape), signed=False, repeatable=True, accept='text/html')
        return await self._client.text(call)

    async def get_credential_schema(self, shape: str) -> dict[str, Any]:
        """Get the JSON Schema of certificates.

        The address in `credentialSchema` of every certificate. It never changes.
        """
        call: Call[dict[str, Any]] = Call('GET', ('/v1/schemas/{shape}', shape), signed=False, repeatable=True, accept='application/schema+json')
        return await self._client.run(call)


class Manifests:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.ManifestResponse]:
        """List your manifests.

        Oldest first: those of your company, or as staff your own. They are deleted some weeks after their end.
        """
        call: Call[m.ManifestResponse] = Call('GET', '/v1/verify/manifests', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, *, file: Upload, organisation: str | None = None, idempotency_key: str | None = None) -> m.ManifestResponse:
        """Verify a list of numbers.

        Up to 100,000 numbers, evaluated in the background; watch `done`, then read the result. A number that is
        mistyped
        or unknown is a verdict, not an error.
        """
        call: Call[m.ManifestResponse] = Call('POST', '/v1/verify/manifests', signed=True, headers={'Organisation': organisation}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, manifest_id: str, *, organisation: str | None = None) -> m.ManifestResponse:
        """Get a manifest and its progress.

        `state` is `running`, `finished` or `cancelled`.
        """
        call: Call[m.ManifestResponse] = Call('GET', ('/v1/verify/manifests/{manifest_id}', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def cancel(self, manifest_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ManifestResponse:
        """Cancel a manifest.

        What is evaluated already is thrown away; there is no result.
        """
        call: Call[m.ManifestResponse] = Call('POST', ('/v1/verify/manifests/{manifest_id}/cancel', manifest_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_rows(self, manifest_id: str, *, organisation: str | None = None) -> Iterator[bytes]:
        """Get the verdicts of a manifest as CSV.

        One line for each number, in the order of the file: line, sent, number, verdict, valid_until, as_of. The
        SHA-256
        of this file is in the signed result. A cell that a spreadsheet would read as a formula begins with an
        apostrophe.
        """
        call: Call[bytes] = Call('GET', ('/v1/verify/manifests/{manifest_id}/result.csv', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def get_result(self, manifest_id: str, *, organisation: str | None = None) -> str:
        """Get the signed result of a manifest.

        A compact JWS (ES256, `typ` `manifest-result+jwt`) by a key of `/.well-known/jwks.json`: the SHA-256 of the
        file
        that was sent and of `result.csv`, the count of each verdict, the moments of evaluation and the checkpoint
        of the
        public log.
        """
        call: Call[str] = Call('GET', ('/v1/verify/manifests/{manifest_id}/result.jwt', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='application/jwt')
        return self._client.text(call)


class AsyncManifests:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.ManifestResponse]:
        """List your manifests.

        Oldest first: those of your company, or as staff your own. They are deleted some weeks after their end.
        """
        call: Call[m.ManifestResponse] = Call('GET', '/v1/verify/manifests', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, *, file: Upload, organisation: str | None = None, idempotency_key: str | None = None) -> m.ManifestResponse:
        """Verify a list of numbers.

        Up to 100,000 numbers, evaluated in the background; watch `done`, then read the result. A number that is
        mistyped
        or unknown is a verdict, not an error.
        """
        call: Call[m.ManifestResponse] = Call('POST', '/v1/verify/manifests', signed=True, headers={'Organisation': organisation}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, manifest_id: str, *, organisation: str | None = None) -> m.ManifestResponse:
        """Get a manifest and its progress.

        `state` is `running`, `finished` or `cancelled`.
        """
        call: Call[m.ManifestResponse] = Call('GET', ('/v1/verify/manifests/{manifest_id}', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def cancel(self, manifest_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ManifestResponse:
        """Cancel a manifest.

        What is evaluated already is thrown away; there is no result.
        """
        call: Call[m.ManifestResponse] = Call('POST', ('/v1/verify/manifests/{manifest_id}/cancel', manifest_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def get_rows(self, manifest_id: str, *, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Get the verdicts of a manifest as CSV.

        One line for each number, in the order of the file: line, sent, number, verdict, valid_until, as_of. The
        SHA-256
        of this file is in the signed result. A cell that a spreadsheet would read as a formula begins with an
        apostrophe.
        """
        call: Call[bytes] = Call('GET', ('/v1/verify/manifests/{manifest_id}/result.csv', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    async def get_result(self, manifest_id: str, *, organisation: str | None = None) -> str:
        """Get the signed result of a manifest.

        A compact JWS (ES256, `typ` `manifest-result+jwt`) by a key of `/.well-known/jwks.json`: the SHA-256 of the
        file
        that was sent and of `result.csv`, the count of each verdict, the moments of evaluation and the checkpoint
        of the
        public log.
        """
        call: Call[str] = Call('GET', ('/v1/verify/manifests/{manifest_id}/result.jwt', manifest_id), signed=True, headers={'Organisation': organisation}, repeatable=True, accept='application/jwt')
        return await self._client.text(call)


class Matters:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, state: m.MatterState | None = None, kind: m.MatterKind | None = None, certificate: str | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None) -> Iterator[m.MatterResponse]:
        """List matters about certificates.

        For owners, registrars and auditors; oldest first. Filters are combined.
        """
        call: Call[m.MatterResponse] = Call('GET', '/v1/matters', signed=True, query={'state': state, 'kind': kind, 'certificate': certificate, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def get(self, matter_id: str) -> m.MatterResponse:
        """Get a matter.

        The `ETag` is the version to send in `If-Match` when you close it.
        """
        call: Call[m.MatterResponse] = Call('GET', ('/v1/matters/{matter_id}', matter_id), signed=True, repeatable=True)
        return self._client.run(call)

    def close(self, matter_id: str, body: m.MatterCloseRequest, *, version: Version, idempotency_key: str | None = None) -> m.MatterResponse:
        """Close a matter.

        For owners and registrars; final. The status of the certificate does not change: suspend, reinstate or
        revoke it
        separately.

        A matter upheld with a reason for revocation bars later applications, also if the certificate was
        surrendered.
        """
        call: Call[m.MatterResponse] = Call('POST', ('/v1/matters/{matter_id}/close', matter_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_reports(self, *, page_size: int | None = None) -> Iterator[m.MisuseReportResponse]:
        """List reports of misuse.

        For owners, registrars and auditors; oldest first.
        """
        call: Call[m.MisuseReportResponse] = Call('GET', '/v1/reports', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def get_report_photo(self, report_id: str) -> Iterator[bytes]:
        """Download the photo of a report.

        For owners, registrars and auditors. Sent as an attachment.
        """
        call: Call[bytes] = Call('GET', ('/v1/reports/{report_id}/photo', report_id), signed=True, repeatable=True, accept='image/*')
        return self._client.stream(call)


class AsyncMatters:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, state: m.MatterState | None = None, kind: m.MatterKind | None = None, certificate: str | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None) -> AsyncIterator[m.MatterResponse]:
        """List matters about certificates.

        For owners, registrars and auditors; oldest first. Filters are combined.
        """
        call: Call[m.MatterResponse] = Call('GET', '/v1/matters', signed=True, query={'state': state, 'kind': kind, 'certificate': certificate, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def get(self, matter_id: str) -> m.MatterResponse:
        """Get a matter.

        The `ETag` is the version to send in `If-Match` when you close it.
        """
        call: Call[m.MatterResponse] = Call('GET', ('/v1/matters/{matter_id}', matter_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def close(self, matter_id: str, body: m.MatterCloseRequest, *, version: Version, idempotency_key: str | None = None) -> m.MatterResponse:
        """Close a matter.

        For owners and registrars; final. The status of the certificate does not change: suspend, reinstate or
        revoke it
        separately.

        A matter upheld with a reason for revocation bars later applications, also if the certificate was
        surrendered.
        """
        call: Call[m.MatterResponse] = Call('POST', ('/v1/matters/{matter_id}/close', matter_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list_reports(self, *, page_size: int | None = None) -> AsyncIterator[m.MisuseReportResponse]:
        """List reports of misuse.

        For owners, registrars and auditors; oldest first.
        """
        call: Call[m.MisuseReportResponse] = Call('GET', '/v1/reports', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def get_report_photo(self, report_id: str) -> AsyncIterator[bytes]:
        """Download the photo of a report.

        For owners, registrars and auditors. Sent as an attachment.
        """
        call: Call[bytes] = Call('GET', ('/v1/reports/{report_id}/photo', report_id), signed=True, repeatable=True, accept='image/*')
        return self._client.stream(call)


class Members:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_invitations(self, *, page_size: int | None = None) -> Iterator[m.InvitationResponse]:
        """List open invitations of your company.

        Invitations that are neither accepted, withdrawn nor expired.
        """
        call: Call[m.InvitationResponse] = Call('GET', '/v1/invitations', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create_invitation(self, body: m.InvitationRequest, *, idempotency_key: str | None = None) -> m.InvitationResponse:
        """Invite a member.

        For administrators of a confirmed company. A token is mailed to the invited address; it can be used once,
        within
        a week.
        """
        call: Call[m.InvitationResponse] = Call('POST', '/v1/invitations', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def accept_invitation(self, body: m.InvitationAcceptRequest, *, idempotency_key: str | None = None) -> m.InvitationAcceptResponse:
        """Accept an invitation.

        No account is needed: this creates it, with the invited address. Then sign in.
        """
        call: Call[m.InvitationAcceptResponse] = Call('POST', '/v1/invitations/accept', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def withdraw_invitation(self, invitation_id: str, *, idempotency_key: str | None = None) -> m.InvitationResponse:
        """Withdraw an invitation.

        For administrators of the company. The mailed token can no longer be used.
        """
        call: Call[m.InvitationResponse] = Call('DELETE', ('/v1/invitations/{invitation_id}', invitation_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list(self, *, page_size: int | None = None) -> Iterator[m.MemberResponse]:
        """List members of your company.

        Oldest first. For members of a company, not for API clients.
        """
        call: Call[m.MemberResponse] = Call('GET', '/v1/members', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def remove(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberRemovalResponse:
        """Remove a member or leave the company.

        Administrators remove members; every member may leave. Sessions and tokens end at once, and a removed member
        is
        informed by mail. The last administrator cannot be removed (409 `last-administrator`).
        """
        call: Call[m.MemberRemovalResponse] = Call('DELETE', ('/v1/members/{member_id}', member_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def revoke_administrator(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberResponse:
        """Revoke administrator rights of a member.

        For administrators, also for themselves, and for registrars. The user stays a member. The last administrator
        cannot lose these rights (409 `last-administrator`).
        """
        call: Call[m.MemberResponse] = Call('DELETE', ('/v1/members/{member_id}/administrator', member_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def grant_administrator(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberResponse:
        """Grant administrator rights to a member.

        For administrators of the company, and for registrars with a recent second factor if the company has no
        administrator. The member is informed by mail.
        """
        call: Call[m.MemberResponse] = Call('PUT', ('/v1/members/{member_id}/administrator', member_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncMembers:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list_invitations(self, *, page_size: int | None = None) -> AsyncIterator[m.InvitationResponse]:
        """List open invitations of your company.

        Invitations that are neither accepted, withdrawn nor expired.
        """
        call: Call[m.InvitationResponse] = Call('GET', '/v1/invitations', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create_invitation(self, body: m.InvitationRequest, *, idempotency_key: str | None = None) -> m.InvitationResponse:
        """Invite a member.

        For administrators of a confirmed company. A token is mailed to the invited address; it can be used once,
        within
        a week.
        """
        call: Call[m.InvitationResponse] = Call('POST', '/v1/invitations', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def accept_invitation(self, body: m.InvitationAcceptRequest, *, idempotency_key: str | None = None) -> m.InvitationAcceptResponse:
        """Accept an invitation.

        No account is needed: this creates it, with the invited address. Then sign in.
        """
        call: Call[m.InvitationAcceptResponse] = Call('POST', '/v1/invitations/accept', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def withdraw_invitation(self, invitation_id: str, *, idempotency_key: str | None = None) -> m.InvitationResponse:
        """Withdraw an invitation.

        For administrators of the company. The mailed token can no longer be used.
        """
        call: Call[m.InvitationResponse] = Call('DELETE', ('/v1/invitations/{invitation_id}', invitation_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list(self, *, page_size: int | None = None) -> AsyncIterator[m.MemberResponse]:
        """List members of your company.

        Oldest first. For members of a company, not for API clients.
        """
        call: Call[m.MemberResponse] = Call('GET', '/v1/members', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def remove(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberRemovalResponse:
        """Remove a member or leave the company.

        Administrators remove members; every member may leave. Sessions and tokens end at once, and a removed member
        is
        informed by mail. The last administrator cannot be removed (409 `last-administrator`).
        """
        call: Call[m.MemberRemovalResponse] = Call('DELETE', ('/v1/members/{member_id}', member_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def revoke_administrator(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberResponse:
        """Revoke administrator rights of a member.

        For administrators, also for themselves, and for registrars. The user stays a member. The last administrator
        cannot lose these rights (409 `last-administrator`).
        """
        call: Call[m.MemberResponse] = Call('DELETE', ('/v1/members/{member_id}/administrator', member_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def grant_administrator(self, member_id: str, *, idempotency_key: str | None = None) -> m.MemberResponse:
        """Grant administrator rights to a member.

        For administrators of the company, and for registrars with a recent second factor if the company has no
        administrator. The member is informed by mail.
        """
        call: Call[m.MemberResponse] = Call('PUT', ('/v1/members/{member_id}/administrator', member_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Organisations:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, status: m.OrganisationStatus | None = None, q: str | None = None, page_size: int | None = None) -> Iterator[m.OrganisationResponse]:
        """List companies.

        For staff. The company that registered first comes first.
        """
        call: Call[m.OrganisationResponse] = Call('GET', '/v1/organisations', signed=True, query={'status': status, 'q': q, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def get(self, organisation_id: str, *, organisation: str | None = None) -> m.OrganisationResponse:
        """Get a company.

        Visible to its members and to staff, with the users of the company.
        """
        call: Call[m.OrganisationResponse] = Call('GET', ('/v1/organisations/{organisation_id}', organisation_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def get_sanctions_screening(self, organisation_id: str) -> m.SanctionsScreeningResponse:
        """Screen a company against the sanctions list.

        For staff. Entries of the newest list whose names resemble those of the company, the most similar first.
        """
        call: Call[m.SanctionsScreeningResponse] = Call('GET', ('/v1/organisations/{organisation_id}/sanctions-screening', organisation_id), signed=True, repeatable=True)
        return self._client.run(call)

    def decide_sanctions_candidate(self, organisation_id: str, body: m.SanctionsDecisionRequest, *, idempotency_key: str | None = None) -> m.SanctionsScreeningResponse:
        """Decide whether a company is an entry of the sanctions list.

        For registrars and reviewers. A decision is never changed; a later one takes its place. It ends when the
        entry
        or a name of the company changes. A background check without a match is confirmed only once every candidate
        is
        decided to be different.
        """
        call: Call[m.SanctionsScreeningResponse] = Call('POST', ('/v1/organisations/{organisation_id}/sanctions-screening/decisions', organisation_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncOrganisations:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, status: m.OrganisationStatus | None = None, q: str | None = None, page_size: int | None = None) -> AsyncIterator[m.OrganisationResponse]:
        """List companies.

        For staff. The company that registered first comes first.
        """
        call: Call[m.OrganisationResponse] = Call('GET', '/v1/organisations', signed=True, query={'status': status, 'q': q, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def get(self, organisation_id: str, *, organisation: str | None = None) -> m.OrganisationResponse:
        """Get a company.

        Visible to its members and to staff, with the users of the company.
        """
        call: Call[m.OrganisationResponse] = Call('GET', ('/v1/organisations/{organisation_id}', organisation_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def get_sanctions_screening(self, organisation_id: str) -> m.SanctionsScreeningResponse:
        """Screen a company against the sanctions list.

        For staff. Entries of the newest list whose names resemble those of the company, the most similar first.
        """
        call: Call[m.SanctionsScreeningResponse] = Call('GET', ('/v1/organisations/{organisation_id}/sanctions-screening', organisation_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def decide_sanctions_candidate(self, organisation_id: str, body: m.SanctionsDecisionRequest, *, idempotency_key: str | None = None) -> m.SanctionsScreeningResponse:
        """Decide whether a company is an entry of the sanctions list.

        For registrars and reviewers. A decision is never changed; a later one takes its place. It ends when the
        entry
        or a name of the company changes. A background check without a match is confirmed only once every candidate
        is
        decided to be different.
        """
        call: Call[m.SanctionsScreeningResponse] = Call('POST', ('/v1/organisations/{organisation_id}/sanctions-screening/decisions', organisation_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Products:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, retired: bool | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.ProductResponse]:
        """List products of your company.

        Oldest first; retired products only with `retired=true`.
        """
        call: Call[m.ProductResponse] = Call('GET', '/v1/products', signed=True, headers={'Organisation': organisation}, query={'retired': retired, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.ProductRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Create a product.

        Codes, bill of materials, process and cost statement, which the rules read. All errors are reported at once.
        """
        call: Call[m.ProductResponse] = Call('POST', '/v1/products', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def export_csv(self, *, retired: bool | None = None, bom: bool | None = None, organisation: str | None = None) -> Iterator[bytes]:
        """Export products of your company as CSV.

        Oldest first, with a header line. Lists in a cell are separated by ` | `; materials, steps and costs are
        counted.
        New columns are added at the end. A cell that a spreadsheet would read as a formula begins with an
        apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/products.csv', signed=True, headers={'Organisation': organisation}, query={'retired': retired, 'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, retired: bool | None = None, organisation: str | None = None) -> Iterator[bytes]:
        """Export products of your company as JSON Lines.

        One product per line, oldest first, as in `GET /v1/products/{product_id}`.
        """
        call: Call[bytes] = Call('GET', '/v1/products.jsonl', signed=True, headers={'Organisation': organisation}, query={'retired': retired}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    def get(self, product_id: str, *, organisation: str | None = None) -> m.ProductResponse:
        """Get a product.

        Visible to its company and to staff.
        """
        call: Call[m.ProductResponse] = Call('GET', ('/v1/products/{product_id}', product_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def replace(self, product_id: str, body: m.ProductReplaceRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Replace a product.

        Not possible while an application for it is under review, unless information was requested. For a certified
        product, report the change of each certificate first (`POST /v1/certificates/{number}/changes`). The answer
        of `GET`
        sent back changes nothing, not even the version.
        """
        call: Call[m.ProductResponse] = Call('PUT', ('/v1/products/{product_id}', product_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def retire(self, product_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Retire a product.

        You can no longer apply for it; its certificates stay as they are.
        """
        call: Call[m.ProductResponse] = Call('POST', ('/v1/products/{product_id}/retire', product_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncProducts:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, retired: bool | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.ProductResponse]:
        """List products of your company.

        Oldest first; retired products only with `retired=true`.
        """
        call: Call[m.ProductResponse] = Call('GET', '/v1/products', signed=True, headers={'Organisation': organisation}, query={'retired': retired, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.ProductRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Create a product.

        Codes, bill of materials, process and cost statement, which the rules read. All errors are reported at once.
        """
        call: Call[m.ProductResponse] = Call('POST', '/v1/products', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def export_csv(self, *, retired: bool | None = None, bom: bool | None = None, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export products of your company as CSV.

        Oldest first, with a header line. Lists in a cell are separated by ` | `; materials, steps and costs are
        counted.
        New columns are added at the end. A cell that a spreadsheet would read as a formula begins with an
        apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/products.csv', signed=True, headers={'Organisation': organisation}, query={'retired': retired, 'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_json_lines(self, *, retired: bool | None = None, organisation: str | None = None) -> AsyncIterator[bytes]:
        """Export products of your company as JSON Lines.

        One product per line, oldest first, as in `GET /v1/products/{product_id}`.
        """
        call: Call[bytes] = Call('GET', '/v1/products.jsonl', signed=True, headers={'Organisation': organisation}, query={'retired': retired}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    async def get(self, product_id: str, *, organisation: str | None = None) -> m.ProductResponse:
        """Get a product.

        Visible to its company and to staff.
        """
        call: Call[m.ProductResponse] = Call('GET', ('/v1/products/{product_id}', product_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def replace(self, product_id: str, body: m.ProductReplaceRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Replace a product.

        Not possible while an application for it is under review, unless information was requested. For a certified
        product, report the change of each certificate first (`POST /v1/certificates/{number}/changes`). The answer
        of `GET`
        sent back changes nothing, not even the version.
        """
        call: Call[m.ProductResponse] = Call('PUT', ('/v1/products/{product_id}', product_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def retire(self, product_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.ProductResponse:
        """Retire a product.

        You can no longer apply for it; its certificates stay as they are.
        """
        call: Call[m.ProductResponse] = Call('POST', ('/v1/products/{product_id}/retire', product_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Proposals:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, state: m.ProposalState | None = None, kind: str | None = None, page_size: int | None = None) -> Iterator[m.ProposalResponse]:
        """List proposals.

        Oldest first, for owners and auditors.
        """
        call: Call[m.ProposalResponse] = Call('GET', '/v1/proposals', signed=True, query={'state': state, 'kind': kind, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def propose_act(self, body: m.ProposalRequest, *, confirmation: str | None = None, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Propose an act.

        For owners. Another owner confirms, who is not the user whom it is about. It expires after some days
        (`expires_at`). A revocation is proposed at `POST /v1/certificates/{number}/revoke`.
        """
        call: Call[m.ProposalResponse] = Call('POST', '/v1/proposals', signed=True, headers={'Mik-Confirmation': confirmation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, proposal_id: str) -> m.ProposalResponse:
        """Get a proposal.

        The `ETag` is the version to send in `If-Match` when you confirm, refuse or withdraw it.
        """
        call: Call[m.ProposalResponse] = Call('GET', ('/v1/proposals/{proposal_id}', proposal_id), signed=True, repeatable=True)
        return self._client.run(call)

    def confirm(self, proposal_id: str, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Confirm a proposal.

        For an owner who neither made the proposal nor is the user whom it is about. It takes effect at once; what
        it
        needs is checked again.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/confirm', proposal_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def refuse(self, proposal_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Refuse a proposal.

        For owners other than the proposer.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/refuse', proposal_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def withdraw(self, proposal_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Withdraw a proposal.

        For the proposer.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/withdraw', proposal_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncProposals:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, state: m.ProposalState | None = None, kind: str | None = None, page_size: int | None = None) -> AsyncIterator[m.ProposalResponse]:
        """List proposals.

        Oldest first, for owners and auditors.
        """
        call: Call[m.ProposalResponse] = Call('GET', '/v1/proposals', signed=True, query={'state': state, 'kind': kind, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def propose_act(self, body: m.ProposalRequest, *, confirmation: str | None = None, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Propose an act.

        For owners. Another owner confirms, who is not the user whom it is about. It expires after some days
        (`expires_at`). A revocation is proposed at `POST /v1/certificates/{number}/revoke`.
        """
        call: Call[m.ProposalResponse] = Call('POST', '/v1/proposals', signed=True, headers={'Mik-Confirmation': confirmation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, proposal_id: str) -> m.ProposalResponse:
        """Get a proposal.

        The `ETag` is the version to send in `If-Match` when you confirm, refuse or withdraw it.
        """
        call: Call[m.ProposalResponse] = Call('GET', ('/v1/proposals/{proposal_id}', proposal_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def confirm(self, proposal_id: str, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Confirm a proposal.

        For an owner who neither made the proposal nor is the user whom it is about. It takes effect at once; what
        it
        needs is checked again.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/confirm', proposal_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def refuse(self, proposal_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Refuse a proposal.

        For owners other than the proposer.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/refuse', proposal_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def withdraw(self, proposal_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ProposalResponse:
        """Withdraw a proposal.

        For the proposer.
        """
        call: Call[m.ProposalResponse] = Call('POST', ('/v1/proposals/{proposal_id}/withdraw', proposal_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class PublicRegister:
    def __init__(self, client: Client) -> None:
        self._client = client

    def search_certificates(self, *, q: str | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, hs6: str | None = None, holder: str | None = None, product: str | None = None, park: str | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None) -> Iterator[m.CertificateResponse]:
        """Search the public register.

        Newest first; filters are combined. Words match by prefix and in all spellings: “Ağdam”, “Agdam”, “Aghdam”
        and
        “Агдам” are equal, as are dotted and dotless i; accents are ignored. A VÖEN finds the certificates of a
        legal
        person; the VÖEN of a natural person finds nothing. `updated_since` finds what was issued or got another
        status; the
        end of a term is no such change.
        """
        call: Call[m.CertificateResponse] = Call('GET', '/v1/certificates', signed=False, query={'q': q, 'scheme': scheme, 'status': status, 'hs6': hs6, 'holder': holder, 'product': product, 'park': park, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def export_certificates_csv(self, *, bom: bool | None = None) -> Iterator[bytes]:
        """Export the public register as CSV.

        RFC 4180 in UTF-8, oldest certificate first, with a header line. New columns are added at the end:
        number, scheme, holder, voen, product_en, product_az, hs6, gtin, park, district, origin_criterion,
        valid_from,
        valid_until, status, status_since, reason, during_investigation (`true` or empty), holder_az, country.

        `status` is the decided status; an active certificate expires after `valid_until`. The VÖEN of a natural
        person is
        left out. A cell that a spreadsheet would read as a formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/certificates.csv', signed=False, query={'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_certificates_json_lines(self) -> Iterator[bytes]:
        """Export the public register as JSON Lines.

        One certificate per line, oldest first, as in `GET /v1/certificates/{number}`.
        """
        call: Call[bytes] = Call('GET', '/v1/certificates.jsonl', signed=False, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    def get_certificate(self, number: str) -> m.CertificateResponse:
        """Get a certificate.

        JSON, or the signed credential with `Accept: application/vc+jwt`.

        The `ETag` of the JSON is the version to send in `If-Match` to suspend, reinstate, revoke or surrender.
        """
        call: Call[m.CertificateResponse] = Call('GET', ('/v1/certificates/{number}', number), signed=False, repeatable=True)
        return self._client.run(call)

    def get_certificate_badge(self, number: str, *, lang: str | None = None) -> str:
        """Get the status of a certificate as an SVG badge.

        Return the current verdict as colour, word and icon. Clients revalidate it with `If-None-Match`.

        Always 200: a number that is unknown or mistyped gets a grey badge.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/badge.svg', number), signed=False, query={'lang': lang}, repeatable=True, accept='image/svg+xml')
        return self._client.text(call)

    def get_certificate_pdf(self, number: str, *, lang: Literal['az', 'en', 'ru', 'fa', 'ar', 'zh', 'de'] | None = None) -> Iterator[bytes]:
        """Get the certificate as a signed PDF.

        In Azerbaijani, English and an optional third language. PDF/A-3 with the credential attached, signed
        (PAdES).
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/certificate.pdf', number), signed=False, query={'lang': lang}, repeatable=True, accept='application/pdf')
        return self._client.stream(call)

    def get_credential(self, number: str) -> str:
        """Get the signed credential of a certificate.

        The signed credential, whatever `Accept` says: for links that name its media type. It changes only if it is
        signed anew after its key was compromised; its status lists and `/v1/verify` say whether it is valid today.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/credential.jwt', number), signed=False, repeatable=True, accept='application/vc+jwt')
        return self._client.text(call)

    def get_feed_of_certificate(self, number: str) -> Iterator[bytes]:
        """Follow a certificate by Atom.

        The newest 50 events: issued, suspended, reinstated, revoked and so on. Ask with `If-None-Match`, at most
        once
        a minute.
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/events.atom', number), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    def get_certificate_label(self, number: str) -> str:
        """Get the label for goods as SVG.

        62 by 20 mm: a QR code of 16 mm with the short address, the name of the scheme, and the number.

        Do not print the code smaller than 14 mm including its white border.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/label.svg', number), signed=False, repeatable=True, accept='image/svg+xml')
        return self._client.text(call)

    def get_certificate_qr_png(self, number: str) -> Iterator[bytes]:
        """Get the QR code of a certificate as PNG.

        The QR code of `qr.svg` as a bitmap.
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/qr.png', number), signed=False, repeatable=True, accept='image/png')
        return self._client.stream(call)

    def get_certificate_qr_svg(self, number: str) -> str:
        """Get the QR code of a certificate as SVG.

        Contains the address of the certificate page and a signed QR token that can be verified offline.

        Print it at least 30 mm wide including its white border. Error correction level M.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/qr.svg', number), signed=False, repeatable=True, accept='image/svg+xml')
        return self._client.text(call)

    def get_feed_of_heading(self, heading: str) -> Iterator[bytes]:
        """Follow the certificates of a heading by Atom.

        Chapter, heading or subheading of the Harmonized System: two, four or six digits.
        """
        call: Call[bytes] = Call('GET', ('/v1/headings/{heading}/events.atom', heading), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    def get_feed_of_holder(self, holder_id: str) -> Iterator[bytes]:
        """Follow the certificates of a holder by Atom.

        `holder_id` is the id in the address of the holder's page in the register.
        """
        call: Call[bytes] = Call('GET', ('/v1/holders/{holder_id}/events.atom', holder_id), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    def list_parks(self) -> Sequence[m.ParkResponse]:
        """List industrial parks and zones.

        Industrial parks, districts and zones that sites and residencies refer to.
        """
        call: Call[m.ParkResponse] = Call('GET', '/v1/parks', signed=False, repeatable=True)
        return self._client.all_of(call)

    def get_park(self, code: str) -> m.ParkResponse:
        """Get a park or zone.

        Names, district, area and legal basis.
        """
        call: Call[m.ParkResponse] = Call('GET', ('/v1/parks/{code}', code), signed=False, repeatable=True)
        return self._client.run(call)

    def submit_report(self, body: m.MisuseReportRequest, *, idempotency_key: str | None = None) -> m.ReceiptResponse:
        """Report misuse.

        No account is needed. Report a forged document, a code that leads to another site, or goods that the
        certificate
        does not cover. Only staff read the report; an e-mail address is optional.

        Limit: ten reports from one network address in 15 minutes.
        """
        call: Call[m.ReceiptResponse] = Call('POST', '/v1/reports', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get_status_list(self, list: str) -> str:
        """Get a status list (W3C Bitstring Status List).

        `revocation-1`, `suspension-1` and so on, as signed `application/vc+jwt`. Certificates name their lists.

        Bit `statusListIndex` is set if the certificate was revoked, surrendered or replaced, or while it is
        suspended. A
        change is in the list at once; clients may cache the list for half a minute.
        """
        call: Call[str] = Call('GET', ('/v1/status-lists/{list}', list), signed=False, repeatable=True, accept='application/vc+jwt')
        return self._client.text(call)

    def request_watch(self, body: m.WatchRequest, *, idempotency_key: str | None = None) -> m.WatchMessageResponse:
        """Follow certificates by mail.

        Without an account: you are mailed within a minute of every change. Confirm the address by the link that is
        sent
        to it; every message has a link that ends it. Limit: 20 requests from one network in 15 minutes.
        """
        call: Call[m.WatchMessageResponse] = Call('POST', '/v1/watches', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def end_watch(self, *, token: str) -> m.WatchMessageResponse:
        """End messages.

        One click of mail programs (RFC 8058). A token that is over is no error.
        """
        call: Call[m.WatchMessageResponse] = Call('POST', '/v1/watches/unsubscribe', signed=False, query={'token': token})
        return self._client.run(call)


class AsyncPublicRegister:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def search_certificates(self, *, q: str | None = None, scheme: str | None = None, status: m.EffectiveStatus | None = None, hs6: str | None = None, holder: str | None = None, product: str | None = None, park: str | None = None, updated_since: datetime | date | str | None = None, page_size: int | None = None) -> AsyncIterator[m.CertificateResponse]:
        """Search the public register.

        Newest first; filters are combined. Words match by prefix and in all spellings: “Ağdam”, “Agdam”, “Aghdam”
        and
        “Агдам” are equal, as are dotted and dotless i; accents are ignored. A VÖEN finds the certificates of a
        legal
        person; the VÖEN of a natural person finds nothing. `updated_since` finds what was issued or got another
        status; the
        end of a term is no such change.
        """
        call: Call[m.CertificateResponse] = Call('GET', '/v1/certificates', signed=False, query={'q': q, 'scheme': scheme, 'status': status, 'hs6': hs6, 'holder': holder, 'product': product, 'park': park, 'updated_since': updated_since, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def export_certificates_csv(self, *, bom: bool | None = None) -> AsyncIterator[bytes]:
        """Export the public register as CSV.

        RFC 4180 in UTF-8, oldest certificate first, with a header line. New columns are added at the end:
        number, scheme, holder, voen, product_en, product_az, hs6, gtin, park, district, origin_criterion,
        valid_from,
        valid_until, status, status_since, reason, during_investigation (`true` or empty), holder_az, country.

        `status` is the decided status; an active certificate expires after `valid_until`. The VÖEN of a natural
        person is
        left out. A cell that a spreadsheet would read as a formula begins with an apostrophe.
        """
        call: Call[bytes] = Call('GET', '/v1/certificates.csv', signed=False, query={'bom': bom}, repeatable=True, accept='text/csv')
        return self._client.stream(call)

    def export_certificates_json_lines(self) -> AsyncIterator[bytes]:
        """Export the public register as JSON Lines.

        One certificate per line, oldest first, as in `GET /v1/certificates/{number}`.
        """
        call: Call[bytes] = Call('GET', '/v1/certificates.jsonl', signed=False, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    async def get_certificate(self, number: str) -> m.CertificateResponse:
        """Get a certificate.

        JSON, or the signed credential with `Accept: application/vc+jwt`.

        The `ETag` of the JSON is the version to send in `If-Match` to suspend, reinstate, revoke or surrender.
        """
        call: Call[m.CertificateResponse] = Call('GET', ('/v1/certificates/{number}', number), signed=False, repeatable=True)
        return await self._client.run(call)

    async def get_certificate_badge(self, number: str, *, lang: str | None = None) -> str:
        """Get the status of a certificate as an SVG badge.

        Return the current verdict as colour, word and icon. Clients revalidate it with `If-None-Match`.

        Always 200: a number that is unknown or mistyped gets a grey badge.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/badge.svg', number), signed=False, query={'lang': lang}, repeatable=True, accept='image/svg+xml')
        return await self._client.text(call)

    def get_certificate_pdf(self, number: str, *, lang: Literal['az', 'en', 'ru', 'fa', 'ar', 'zh', 'de'] | None = None) -> AsyncIterator[bytes]:
        """Get the certificate as a signed PDF.

        In Azerbaijani, English and an optional third language. PDF/A-3 with the credential attached, signed
        (PAdES).
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/certificate.pdf', number), signed=False, query={'lang': lang}, repeatable=True, accept='application/pdf')
        return self._client.stream(call)

    async def get_credential(self, number: str) -> str:
        """Get the signed credential of a certificate.

        The signed credential, whatever `Accept` says: for links that name its media type. It changes only if it is
        signed anew after its key was compromised; its status lists and `/v1/verify` say whether it is valid today.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/credential.jwt', number), signed=False, repeatable=True, accept='application/vc+jwt')
        return await self._client.text(call)

    def get_feed_of_certificate(self, number: str) -> AsyncIterator[bytes]:
        """Follow a certificate by Atom.

        The newest 50 events: issued, suspended, reinstated, revoked and so on. Ask with `If-None-Match`, at most
        once
        a minute.
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/events.atom', number), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    async def get_certificate_label(self, number: str) -> str:
        """Get the label for goods as SVG.

        62 by 20 mm: a QR code of 16 mm with the short address, the name of the scheme, and the number.

        Do not print the code smaller than 14 mm including its white border.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/label.svg', number), signed=False, repeatable=True, accept='image/svg+xml')
        return await self._client.text(call)

    def get_certificate_qr_png(self, number: str) -> AsyncIterator[bytes]:
        """Get the QR code of a certificate as PNG.

        The QR code of `qr.svg` as a bitmap.
        """
        call: Call[bytes] = Call('GET', ('/v1/certificates/{number}/qr.png', number), signed=False, repeatable=True, accept='image/png')
        return self._client.stream(call)

    async def get_certificate_qr_svg(self, number: str) -> str:
        """Get the QR code of a certificate as SVG.

        Contains the address of the certificate page and a signed QR token that can be verified offline.

        Print it at least 30 mm wide including its white border. Error correction level M.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/qr.svg', number), signed=False, repeatable=True, accept='image/svg+xml')
        return await self._client.text(call)

    def get_feed_of_heading(self, heading: str) -> AsyncIterator[bytes]:
        """Follow the certificates of a heading by Atom.

        Chapter, heading or subheading of the Harmonized System: two, four or six digits.
        """
        call: Call[bytes] = Call('GET', ('/v1/headings/{heading}/events.atom', heading), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    def get_feed_of_holder(self, holder_id: str) -> AsyncIterator[bytes]:
        """Follow the certificates of a holder by Atom.

        `holder_id` is the id in the address of the holder's page in the register.
        """
        call: Call[bytes] = Call('GET', ('/v1/holders/{holder_id}/events.atom', holder_id), signed=False, repeatable=True, accept='application/atom+xml')
        return self._client.stream(call)

    async def list_parks(self) -> Sequence[m.ParkResponse]:
        """List industrial parks and zones.

        Industrial parks, districts and zones that sites and residencies refer to.
        """
        call: Call[m.ParkResponse] = Call('GET', '/v1/parks', signed=False, repeatable=True)
        return await self._client.all_of(call)

    async def get_park(self, code: str) -> m.ParkResponse:
        """Get a park or zone.

        Names, district, area and legal basis.
        """
        call: Call[m.ParkResponse] = Call('GET', ('/v1/parks/{code}', code), signed=False, repeatable=True)
        return await self._client.run(call)

    async def submit_report(self, body: m.MisuseReportRequest, *, idempotency_key: str | None = None) -> m.ReceiptResponse:
        """Report misuse.

        No account is needed. Report a forged document, a code that leads to another site, or goods that the
        certificate
        does not cover. Only staff read the report; an e-mail address is optional.

        Limit: ten reports from one network address in 15 minutes.
        """
        call: Call[m.ReceiptResponse] = Call('POST', '/v1/reports', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get_status_list(self, list: str) -> str:
        """Get a status list (W3C Bitstring Status List).

        `revocation-1`, `suspension-1` and so on, as signed `application/vc+jwt`. Certificates name their lists.

        Bit `statusListIndex` is set if the certificate was revoked, surrendered or replaced, or while it is
        suspended. A
        change is in the list at once; clients may cache the list for half a minute.
        """
        call: Call[str] = Call('GET', ('/v1/status-lists/{list}', list), signed=False, repeatable=True, accept='application/vc+jwt')
        return await self._client.text(call)

    async def request_watch(self, body: m.WatchRequest, *, idempotency_key: str | None = None) -> m.WatchMessageResponse:
        """Follow certificates by mail.

        Without an account: you are mailed within a minute of every change. Confirm the address by the link that is
        sent
        to it; every message has a link that ends it. Limit: 20 requests from one network in 15 minutes.
        """
        call: Call[m.WatchMessageResponse] = Call('POST', '/v1/watches', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def end_watch(self, *, token: str) -> m.WatchMessageResponse:
        """End messages.

        One click of mail programs (RFC 8058). A token that is over is no error.
        """
        call: Call[m.WatchMessageResponse] = Call('POST', '/v1/watches/unsubscribe', signed=False, query={'token': token})
        return await self._client.run(call)


class Registration:
    def __init__(self, client: Client) -> None:
        self._client = client

    def request_registration(self, body: m.RegistrationRequest, *, idempotency_key: str | None = None) -> m.MessageSentResponse:
        """Request a registration token by e-mail.

        No account is needed. A message with a one-time token for `POST /v1/registrations/confirm` is sent to the
        address; it expires after a day. If the address has an account, the message says so; the response here is
        the same.
        Limit: ten requests from one network in a day.
        """
        call: Call[m.MessageSentResponse] = Call('POST', '/v1/registrations', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def confirm_registration(self, body: m.RegistrationConfirmRequest, *, idempotency_key: str | None = None) -> m.RegistrationResponse:
        """Register a company and its first member.

        Send the token that was mailed to you. The response is the same whether or not the VÖEN is registered.

        Until a registrar confirms the claim you see only what you enter yourself; you can draft applications and
        assess
        products, but not submit. Upload an extract of the tax register or a power of attorney as evidence.
        """
        call: Call[m.RegistrationResponse] = Call('POST', '/v1/registrations/confirm', signed=False, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncRegistration:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def request_registration(self, body: m.RegistrationRequest, *, idempotency_key: str | None = None) -> m.MessageSentResponse:
        """Request a registration token by e-mail.

        No account is needed. A message with a one-time token for `POST /v1/registrations/confirm` is sent to the
        address; it expires after a day. If the address has an account, the message says so; the response here is
        the same.
        Limit: ten requests from one network in a day.
        """
        call: Call[m.MessageSentResponse] = Call('POST', '/v1/registrations', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def confirm_registration(self, body: m.RegistrationConfirmRequest, *, idempotency_key: str | None = None) -> m.RegistrationResponse:
        """Register a company and its first member.

        Send the token that was mailed to you. The response is the same whether or not the VÖEN is registered.

        Until a registrar confirms the claim you see only what you enter yourself; you can draft applications and
        assess
        products, but not submit. Upload an extract of the tax register or a power of attorney as evidence.
        """
        call: Call[m.RegistrationResponse] = Call('POST', '/v1/registrations/confirm', signed=False, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Residencies:
    def __init__(self, client: Client) -> None:
        self._client = client

    def import_resident_register(self, *, file: Upload, dry_run: bool | None = None, idempotency_key: str | None = None) -> m.ResidentImportResponse:
        """Import the resident register.

        All lines are imported or none. Importing the same file again changes nothing. If a residency ends, the
        certificates that depend on it are suspended.
        """
        call: Call[m.ResidentImportResponse] = Call('POST', '/v1/register/imports', signed=True, query={'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list(self, *, organisation_id: str | None = None, park: str | None = None, only_open: bool | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.ResidencyResponse]:
        """List residencies.

        Oldest first. Staff see all residencies; a company sees its own.
        """
        call: Call[m.ResidencyResponse] = Call('GET', '/v1/residencies', signed=True, headers={'Organisation': organisation}, query={'organisation_id': organisation_id, 'park': park, 'only_open': only_open, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.ResidencyRequest, *, idempotency_key: str | None = None) -> m.ResidencyResponse:
        """Create a residency.

        For registrars with a second factor. Certificates suspended for lack of a residency in this park are active
        again.
        """
        call: Call[m.ResidencyResponse] = Call('POST', '/v1/residencies', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, residency_id: str, *, organisation: str | None = None) -> m.ResidencyResponse:
        """Get a residency.

        Visible to its company and to staff.
        """
        call: Call[m.ResidencyResponse] = Call('GET', ('/v1/residencies/{residency_id}', residency_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def cancel(self, residency_id: str, body: m.ResidencyCloseRequest, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """Cancel a residency.

        Certificates that depend on it are suspended in the same transaction, with cause `residency`.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/cancel', residency_id), signed=True, version=version, query={'dry_run': dry_run}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def end(self, residency_id: str, body: m.ResidencyCloseRequest, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """End a residency.

        Certificates that depend on it are suspended in the same transaction, with cause `residency`.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/end', residency_id), signed=True, version=version, query={'dry_run': dry_run}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def restore(self, residency_id: str, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """Reopen a residency.

        The cause `residency` of its certificates ends; certificates without another cause are active again.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/restore', residency_id), signed=True, version=version, query={'dry_run': dry_run}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def update_production_stage(self, residency_id: str, body: m.StageRequest, *, version: Version, idempotency_key: str | None = None) -> m.ResidencyResponse:
        """Set the production stage.

        A change back from `operating` opens a matter about each certificate that depends on the residency.
        """
        call: Call[m.ResidencyResponse] = Call('PUT', ('/v1/residencies/{residency_id}/stage', residency_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncResidencies:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def import_resident_register(self, *, file: Upload, dry_run: bool | None = None, idempotency_key: str | None = None) -> m.ResidentImportResponse:
        """Import the resident register.

        All lines are imported or none. Importing the same file again changes nothing. If a residency ends, the
        certificates that depend on it are suspended.
        """
        call: Call[m.ResidentImportResponse] = Call('POST', '/v1/register/imports', signed=True, query={'dry_run': dry_run}, files={'file': file}, form={}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list(self, *, organisation_id: str | None = None, park: str | None = None, only_open: bool | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.ResidencyResponse]:
        """List residencies.

        Oldest first. Staff see all residencies; a company sees its own.
        """
        call: Call[m.ResidencyResponse] = Call('GET', '/v1/residencies', signed=True, headers={'Organisation': organisation}, query={'organisation_id': organisation_id, 'park': park, 'only_open': only_open, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.ResidencyRequest, *, idempotency_key: str | None = None) -> m.ResidencyResponse:
        """Create a residency.

        For registrars with a second factor. Certificates suspended for lack of a residency in this park are active
        again.
        """
        call: Call[m.ResidencyResponse] = Call('POST', '/v1/residencies', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, residency_id: str, *, organisation: str | None = None) -> m.ResidencyResponse:
        """Get a residency.

        Visible to its company and to staff.
        """
        call: Call[m.ResidencyResponse] = Call('GET', ('/v1/residencies/{residency_id}', residency_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def cancel(self, residency_id: str, body: m.ResidencyCloseRequest, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """Cancel a residency.

        Certificates that depend on it are suspended in the same transaction, with cause `residency`.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/cancel', residency_id), signed=True, version=version, query={'dry_run': dry_run}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def end(self, residency_id: str, body: m.ResidencyCloseRequest, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """End a residency.

        Certificates that depend on it are suspended in the same transaction, with cause `residency`.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/end', residency_id), signed=True, version=version, query={'dry_run': dry_run}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def restore(self, residency_id: str, *, dry_run: bool | None = None, version: Version, idempotency_key: str | None = None) -> m.ResidencyEffectResponse:
        """Reopen a residency.

        The cause `residency` of its certificates ends; certificates without another cause are active again.
        """
        call: Call[m.ResidencyEffectResponse] = Call('POST', ('/v1/residencies/{residency_id}/restore', residency_id), signed=True, version=version, query={'dry_run': dry_run}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def update_production_stage(self, residency_id: str, body: m.StageRequest, *, version: Version, idempotency_key: str | None = None) -> m.ResidencyResponse:
        """Set the production stage.

        A change back from `operating` opens a matter about each certificate that depends on the residency.
        """
        call: Call[m.ResidencyResponse] = Call('PUT', ('/v1/residencies/{residency_id}/stage', residency_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Review:
    def __init__(self, client: Client) -> None:
        self._client = client

    def assign_applications(self, body: m.AssignRequest, *, idempotency_key: str | None = None) -> Sequence[m.ApplicationSummaryResponse]:
        """Assign submitted applications to a reviewer.

        Only unassigned applications can be assigned. All or none: 409 `not-assignable` names each application that
        cannot be assigned, with its reason.
        """
        call: Call[m.ApplicationSummaryResponse] = Call('POST', '/v1/applications/assign', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.all_of(call)

    def approve_application(self, application_id: str, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Approve and issue certificates.

        For an approver who did not make the recommendation. The products are assessed again. If a result differs
        from
        the recommendation, nothing is issued and the application returns to review (409 `dossier-changed`, `not-
        eligible`
        or `term-too-short`).
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/approve', application_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def claim_application(self, application_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Assign an application to yourself.

        For reviewers, of a submitted application that is not assigned. The review begins.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/claim', application_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def hand_over_application(self, application_id: str, body: m.HandOverRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Hand an application over to another reviewer.

        For the assigned reviewer. Questions and notes stay with the application.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/hand-over', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_application_notes(self, application_id: str, *, page_size: int | None = None) -> Iterator[m.NoteResponse]:
        """List internal notes and reasons.

        Oldest first. Includes the reasons given with actions, such as why an application was returned to review.
        """
        call: Call[m.NoteResponse] = Call('GET', ('/v1/applications/{application_id}/notes', application_id), signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def add_application_note(self, application_id: str, body: m.NoteRequest, *, idempotency_key: str | None = None) -> m.NoteResponse:
        """Add an internal note.

        The applicant cannot read it and does not see that it exists.
        """
        call: Call[m.NoteResponse] = Call('POST', ('/v1/applications/{application_id}/notes', application_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def recommend_decision(self, application_id: str, body: m.RecommendationRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Recommend approval or refusal of every product.

        Refers to the current dossier. A product with a failed rule cannot be recommended for approval; resolve each
        manual rule with a reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/recommend', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def reject_application(self, application_id: str, body: m.CaseReasonRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Reject every product.

        Independent of the recommendation. The applicant reads the reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/reject', application_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def release_application(self, application_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Unassign an application.

        For the assigned reviewer. The application can be assigned again.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/release', application_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def request_information(self, application_id: str, body: m.QuestionsRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Request information from the applicant.

        The processing clock is paused until the applicant has answered.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/request-information', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def return_application_to_review(self, application_id: str, body: m.CaseReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Return an application to review.

        The recommendation becomes void. The assigned reviewer acts next and reads the reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/return', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def waive_site_visit(self, application_id: str, body: m.CaseReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Waive the site visit.

        For an owner with a recent second factor who is not the reviewer of the application. The decision shows the
        reason; an earlier recommendation becomes void.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/visit-waiver', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncReview:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def assign_applications(self, body: m.AssignRequest, *, idempotency_key: str | None = None) -> Sequence[m.ApplicationSummaryResponse]:
        """Assign submitted applications to a reviewer.

        Only unassigned applications can be assigned. All or none: 409 `not-assignable` names each application that
        cannot be assigned, with its reason.
        """
        call: Call[m.ApplicationSummaryResponse] = Call('POST', '/v1/applications/assign', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.all_of(call)

    async def approve_application(self, application_id: str, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Approve and issue certificates.

        For an approver who did not make the recommendation. The products are assessed again. If a result differs
        from
        the recommendation, nothing is issued and the application returns to review (409 `dossier-changed`, `not-
        eligible`
        or `term-too-short`).
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/approve', application_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def claim_application(self, application_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Assign an application to yourself.

        For reviewers, of a submitted application that is not assigned. The review begins.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/claim', application_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def hand_over_application(self, application_id: str, body: m.HandOverRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Hand an application over to another reviewer.

        For the assigned reviewer. Questions and notes stay with the application.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/hand-over', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list_application_notes(self, application_id: str, *, page_size: int | None = None) -> AsyncIterator[m.NoteResponse]:
        """List internal notes and reasons.

        Oldest first. Includes the reasons given with actions, such as why an application was returned to review.
        """
        call: Call[m.NoteResponse] = Call('GET', ('/v1/applications/{application_id}/notes', application_id), signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def add_application_note(self, application_id: str, body: m.NoteRequest, *, idempotency_key: str | None = None) -> m.NoteResponse:
        """Add an internal note.

        The applicant cannot read it and does not see that it exists.
        """
        call: Call[m.NoteResponse] = Call('POST', ('/v1/applications/{application_id}/notes', application_id), signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def recommend_decision(self, application_id: str, body: m.RecommendationRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Recommend approval or refusal of every product.

        Refers to the current dossier. A product with a failed rule cannot be recommended for approval; resolve each
        manual rule with a reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/recommend', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def reject_application(self, application_id: str, body: m.CaseReasonRequest, *, confirmation: str | None = None, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Reject every product.

        Independent of the recommendation. The applicant reads the reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/reject', application_id), signed=True, headers={'Mik-Confirmation': confirmation}, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def release_application(self, application_id: str, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Unassign an application.

        For the assigned reviewer. The application can be assigned again.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/release', application_id), signed=True, version=version, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def request_information(self, application_id: str, body: m.QuestionsRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Request information from the applicant.

        The processing clock is paused until the applicant has answered.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/request-information', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def return_application_to_review(self, application_id: str, body: m.CaseReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Return an application to review.

        The recommendation becomes void. The assigned reviewer acts next and reads the reason.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/return', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def waive_site_visit(self, application_id: str, body: m.CaseReasonRequest, *, version: Version, idempotency_key: str | None = None) -> m.ApplicationResponse:
        """Waive the site visit.

        For an owner with a recent second factor who is not the reviewer of the application. The decision shows the
        reason; an earlier recommendation becomes void.
        """
        call: Call[m.ApplicationResponse] = Call('POST', ('/v1/applications/{application_id}/visit-waiver', application_id), signed=True, version=version, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Schemes:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list_product_flags(self) -> m.FlagsResponse:
        """List flags of products.

        The closed list of flags, and the prefix of the flags that name the partner country of a joint production.
        """
        call: Call[m.FlagsResponse] = Call('GET', '/v1/flags', signed=False, repeatable=True)
        return self._client.run(call)

    def search_headings(self, *, q: str | None = None, page_size: int | None = None, cursor: str | None = None) -> m.HeadingsResponse:
        """Search headings of the Harmonized System 2022.

        In the order of codes. All words must match, by prefix. Titles are in English only, as the service has none
        in
        Azerbaijani and Russian; some are shortened.
        """
        call: Call[m.HeadingsResponse] = Call('GET', '/v1/headings', signed=False, query={'q': q, 'limit': page_size, 'cursor': cursor}, repeatable=True)
        return self._client.run(call)

    def list_process_operations(self) -> m.OperationsResponse:
        """List operations of process steps.

        The closed list of operations. Steps are matched by code or by any of the names; case, punctuation and
        spaces are
        ignored. Any other text counts as `other`: a reviewer decides.
        """
        call: Call[m.OperationsResponse] = Call('GET', '/v1/operations', signed=False, repeatable=True)
        return self._client.run(call)

    def list(self) -> Sequence[m.SchemeResponse]:
        """List schemes.

        Each scheme certifies one mark and has its own rules.
        """
        call: Call[m.SchemeResponse] = Call('GET', '/v1/schemes', signed=False, repeatable=True)
        return self._client.all_of(call)

    def get(self, code: str) -> m.SchemeResponse:
        """Get a scheme.

        Names, owner, term, legal notes and the version of the current ruleset.
        """
        call: Call[m.SchemeResponse] = Call('GET', ('/v1/schemes/{code}', code), signed=False, repeatable=True)
        return self._client.run(call)

    def assess(self, code: str, body: m.DryAssessmentRequest, *, organisation: str | None = None) -> Sequence[m.AssessmentResponse]:
        """Assess products before applying.

        Every rule with its outcome, the values that it read, and what is missing. Nothing is stored.
        """
        call: Call[m.AssessmentResponse] = Call('POST', ('/v1/schemes/{code}/assessments', code), signed=True, headers={'Organisation': organisation}, body=body, repeatable=True)
        return self._client.all_of(call)

    def get_ruleset_impact(self, code: str, *, version: str) -> Iterator[bytes]:
        """Report what another version of the rules would change.

        Each active or suspended certificate and each open application is evaluated by the current version and by
        the
        named one. JSON Lines: the compared versions (`impact`), each product whose outcome differs (`changed`), and
        the
        counts (`summary`); a response without the last line is incomplete. A version of an earlier edition of the
        rules, or
        with other closed lists, is 409 `ruleset-not-judged`.
        """
        call: Call[bytes] = Call('GET', ('/v1/schemes/{code}/impact', code), signed=True, query={'version': version}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    def list_rulesets(self, code: str) -> Sequence[m.RulesetResponse]:
        """List the published rulesets of a scheme.

        Newest first. A published ruleset never changes; a decision names the version that was applied. Rulesets of
        an
        earlier edition are returned as they were published.
        """
        call: Call[m.RulesetResponse] = Call('GET', ('/v1/schemes/{code}/rulesets', code), signed=False, repeatable=True)
        return self._client.all_of(call)

    def list_product_units(self) -> m.UnitsResponse:
        """List units of products.

        The closed list of units. A unit is matched by code, symbol or any of the names: “1000 pcs” is `1000_pcs`.
        """
        call: Call[m.UnitsResponse] = Call('GET', '/v1/units', signed=False, repeatable=True)
        return self._client.run(call)


class AsyncSchemes:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list_product_flags(self) -> m.FlagsResponse:
        """List flags of products.

        The closed list of flags, and the prefix of the flags that name the partner country of a joint production.
        """
        call: Call[m.FlagsResponse] = Call('GET', '/v1/flags', signed=False, repeatable=True)
        return await self._client.run(call)

    async def search_headings(self, *, q: str | None = None, page_size: int | None = None, cursor: str | None = None) -> m.HeadingsResponse:
        """Search headings of the Harmonized System 2022.

        In the order of codes. All words must match, by prefix. Titles are in English only, as the service has none
        in
        Azerbaijani and Russian; some are shortened.
        """
        call: Call[m.HeadingsResponse] = Call('GET', '/v1/headings', signed=False, query={'q': q, 'limit': page_size, 'cursor': cursor}, repeatable=True)
        return await self._client.run(call)

    async def list_process_operations(self) -> m.OperationsResponse:
        """List operations of process steps.

        The closed list of operations. Steps are matched by code or by any of the names; case, punctuation and
        spaces are
        ignored. Any other text counts as `other`: a reviewer decides.
        """
        call: Call[m.OperationsResponse] = Call('GET', '/v1/operations', signed=False, repeatable=True)
        return await self._client.run(call)

    async def list(self) -> Sequence[m.SchemeResponse]:
        """List schemes.

        Each scheme certifies one mark and has its own rules.
        """
        call: Call[m.SchemeResponse] = Call('GET', '/v1/schemes', signed=False, repeatable=True)
        return await self._client.all_of(call)

    async def get(self, code: str) -> m.SchemeResponse:
        """Get a scheme.

        Names, owner, term, legal notes and the version of the current ruleset.
        """
        call: Call[m.SchemeResponse] = Call('GET', ('/v1/schemes/{code}', code), signed=False, repeatable=True)
        return await self._client.run(call)

    async def assess(self, code: str, body: m.DryAssessmentRequest, *, organisation: str | None = None) -> Sequence[m.AssessmentResponse]:
        """Assess products before applying.

        Every rule with its outcome, the values that it read, and what is missing. Nothing is stored.
        """
        call: Call[m.AssessmentResponse] = Call('POST', ('/v1/schemes/{code}/assessments', code), signed=True, headers={'Organisation': organisation}, body=body, repeatable=True)
        return await self._client.all_of(call)

    def get_ruleset_impact(self, code: str, *, version: str) -> AsyncIterator[bytes]:
        """Report what another version of the rules would change.

        Each active or suspended certificate and each open application is evaluated by the current version and by
        the
        named one. JSON Lines: the compared versions (`impact`), each product whose outcome differs (`changed`), and
        the
        counts (`summary`); a response without the last line is incomplete. A version of an earlier edition of the
        rules, or
        with other closed lists, is 409 `ruleset-not-judged`.
        """
        call: Call[bytes] = Call('GET', ('/v1/schemes/{code}/impact', code), signed=True, query={'version': version}, repeatable=True, accept='application/x-ndjson')
        return self._client.stream(call)

    async def list_rulesets(self, code: str) -> Sequence[m.RulesetResponse]:
        """List the published rulesets of a scheme.

        Newest first. A published ruleset never changes; a decision names the version that was applied. Rulesets of
        an
        earlier edition are returned as they were published.
        """
        call: Call[m.RulesetResponse] = Call('GET', ('/v1/schemes/{code}/rulesets', code), signed=False, repeatable=True)
        return await self._client.all_of(call)

    async def list_product_units(self) -> m.UnitsResponse:
        """List units of products.

        The closed list of units. A unit is matched by code, symbol or any of the names: “1000 pcs” is `1000_pcs`.
        """
        call: Call[m.UnitsResponse] = Call('GET', '/v1/units', signed=False, repeatable=True)
        return await self._client.run(call)


class Sites:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.SiteResponse]:
        """List production sites of your company.

        The site that was added first comes first.
        """
        call: Call[m.SiteResponse] = Call('GET', '/v1/sites', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.SiteRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.SiteResponse:
        """Create a production site.

        The economic region follows from the district; the park must be located in that district.
        """
        call: Call[m.SiteResponse] = Call('POST', '/v1/sites', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, site_id: str, *, organisation: str | None = None) -> m.SiteResponse:
        """Get a production site.

        Visible to its company and to staff.
        """
        call: Call[m.SiteResponse] = Call('GET', ('/v1/sites/{site_id}', site_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def update(self, site_id: str, body: m.SiteUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.SiteResponse:
        """Update a production site.

        For a site of a certified product, report the change of each certificate first. Only a registrar changes the
        district of a site that comes from the resident register (409 `register-says` for others). The answer of
        `GET` sent
        back changes nothing, not even the version.
        """
        call: Call[m.SiteResponse] = Call('PUT', ('/v1/sites/{site_id}', site_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncSites:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.SiteResponse]:
        """List production sites of your company.

        The site that was added first comes first.
        """
        call: Call[m.SiteResponse] = Call('GET', '/v1/sites', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.SiteRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.SiteResponse:
        """Create a production site.

        The economic region follows from the district; the park must be located in that district.
        """
        call: Call[m.SiteResponse] = Call('POST', '/v1/sites', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, site_id: str, *, organisation: str | None = None) -> m.SiteResponse:
        """Get a production site.

        Visible to its company and to staff.
        """
        call: Call[m.SiteResponse] = Call('GET', ('/v1/sites/{site_id}', site_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def update(self, site_id: str, body: m.SiteUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.SiteResponse:
        """Update a production site.

        For a site of a certified product, report the change of each certificate first. Only a registrar changes the
        district of a site that comes from the resident register (409 `register-says` for others). The answer of
        `GET` sent
        back changes nothing, not even the version.
        """
        call: Call[m.SiteResponse] = Call('PUT', ('/v1/sites/{site_id}', site_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class TransparencyLog:
    def __init__(self, client: Client) -> None:
        self._client = client

    def get_log_checkpoint(self, *, witnessed: bool | None = None) -> str:
        """Get the signed checkpoint of the log.

        A signed note (C2SP tlog-checkpoint): name of the log, number of entries, root hash of the Merkle tree; then
        the
        signature of the log, and those of the witnesses that have seen it. `Mik-Witnesses` says how many have.
        """
        call: Call[str] = Call('GET', '/log/checkpoint', signed=False, query={'witnessed': witnessed}, repeatable=True, accept='text/plain')
        return self._client.text(call)

    def get_log_consistency_proof(self, *, first: int, second: int) -> m.ConsistencyProofResponse:
        """Get a consistency proof between two checkpoints.

        Proves that the log of the later checkpoint contains that of the earlier one unchanged.
        """
        call: Call[m.ConsistencyProofResponse] = Call('GET', '/log/consistency', signed=False, query={'first': first, 'second': second}, repeatable=True)
        return self._client.run(call)

    def get_log_tile(self, coordinates: str) -> Iterator[bytes]:
        """Get a tile of hashes or of entries.

        `{level}/{N}` contains 256 hashes of 32 bytes, `entries/{N}` contains 256 entries, each after its length in
        two
        bytes. N is in groups of three digits (`x001/234`); `.p/{W}` returns the first W of an incomplete tile.
        Entries are
        canonical JSON without personal data.
        """
        call: Call[bytes] = Call('GET', ('/log/tile/{coordinates}', coordinates), signed=False, repeatable=True, accept='application/octet-stream')
        return self._client.stream(call)

    def get_log_key(self) -> str:
        """Get the key that verifies checkpoints.

        One line: name, key id, Ed25519 key (C2SP signed-note). It never changes: store it to detect another log.
        """
        call: Call[str] = Call('GET', '/log/vkey', signed=False, repeatable=True, accept='text/plain')
        return self._client.text(call)

    def get_certificate_log_proof(self, number: str) -> str:
        """Get the inclusion proof of a certificate.

        A `tlog-proof`: index of the entry `certificate.issued`, or of `certificate.reissued` where it was signed
        anew,
        path of hashes, checkpoint. Verifiable offline.

        The checkpoint is the newest that enough witnesses have seen, if it contains the entry. `Mik-Witnesses` says
        how
        many have: `seen by 2 of 3 witnesses at 2026-11-28T06:00:00Z`, or `not yet witnessed, age 5 min`.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/log-proof', number), signed=False, repeatable=True, accept='text/plain')
        return self._client.text(call)


class AsyncTransparencyLog:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def get_log_checkpoint(self, *, witnessed: bool | None = None) -> str:
        """Get the signed checkpoint of the log.

        A signed note (C2SP tlog-checkpoint): name of the log, number of entries, root hash of the Merkle tree; then
        the
        signature of the log, and those of the witnesses that have seen it. `Mik-Witnesses` says how many have.
        """
        call: Call[str] = Call('GET', '/log/checkpoint', signed=False, query={'witnessed': witnessed}, repeatable=True, accept='text/plain')
        return await self._client.text(call)

    async def get_log_consistency_proof(self, *, first: int, second: int) -> m.ConsistencyProofResponse:
        """Get a consistency proof between two checkpoints.

        Proves that the log of the later checkpoint contains that of the earlier one unchanged.
        """
        call: Call[m.ConsistencyProofResponse] = Call('GET', '/log/consistency', signed=False, query={'first': first, 'second': second}, repeatable=True)
        return await self._client.run(call)

    def get_log_tile(self, coordinates: str) -> AsyncIterator[bytes]:
        """Get a tile of hashes or of entries.

        `{level}/{N}` contains 256 hashes of 32 bytes, `entries/{N}` contains 256 entries, each after its length in
        two
        bytes. N is in groups of three digits (`x001/234`); `.p/{W}` returns the first W of an incomplete tile.
        Entries are
        canonical JSON without personal data.
        """
        call: Call[bytes] = Call('GET', ('/log/tile/{coordinates}', coordinates), signed=False, repeatable=True, accept='application/octet-stream')
        return self._client.stream(call)

    async def get_log_key(self) -> str:
        """Get the key that verifies checkpoints.

        One line: name, key id, Ed25519 key (C2SP signed-note). It never changes: store it to detect another log.
        """
        call: Call[str] = Call('GET', '/log/vkey', signed=False, repeatable=True, accept='text/plain')
        return await self._client.text(call)

    async def get_certificate_log_proof(self, number: str) -> str:
        """Get the inclusion proof of a certificate.

        A `tlog-proof`: index of the entry `certificate.issued`, or of `certificate.reissued` where it was signed
        anew,
        path of hashes, checkpoint. Verifiable offline.

        The checkpoint is the newest that enough witnesses have seen, if it contains the entry. `Mik-Witnesses` says
        how
        many have: `seen by 2 of 3 witnesses at 2026-11-28T06:00:00Z`, or `not yet witnessed, age 5 min`.
        """
        call: Call[str] = Call('GET', ('/v1/certificates/{number}/log-proof', number), signed=False, repeatable=True, accept='text/plain')
        return await self._client.text(call)


class Users:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None) -> Iterator[m.UserResponse]:
        """List staff users.

        Oldest first. Members of companies are not listed.
        """
        call: Call[m.UserResponse] = Call('GET', '/v1/users', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.UserCreateRequest, *, idempotency_key: str | None = None) -> m.UserCreateResponse:
        """Create a staff user.

        For owners with a second factor. A token to set a password is mailed to the address. The user has no role
        until
        another owner confirms the requested ones.
        """
        call: Call[m.UserCreateResponse] = Call('POST', '/v1/users', signed=True, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def deactivate(self, user_id: str, *, idempotency_key: str | None = None) -> m.UserResponse:
        """Deactivate a staff user.

        For owners; takes effect at once, and sessions end. The last owner cannot be deactivated.
        """
        call: Call[m.UserResponse] = Call('DELETE', ('/v1/users/{user_id}', user_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, user_id: str) -> m.UserResponse:
        """Get a staff user.

        For owners and auditors. Members of companies are not found.
        """
        call: Call[m.UserResponse] = Call('GET', ('/v1/users/{user_id}', user_id), signed=True, repeatable=True)
        return self._client.run(call)

    def issue_password_reset(self, user_id: str, *, idempotency_key: str | None = None) -> m.PasswordResetMailedResponse:
        """Mail a password-reset token.

        Registrars reset passwords of company members, owners those of staff. The token is mailed to the address of
        the
        account; it can be used once, within a day. Earlier tokens become invalid.
        """
        call: Call[m.PasswordResetMailedResponse] = Call('POST', ('/v1/users/{user_id}/password-resets', user_id), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def revoke_role(self, user_id: str, role: str, *, idempotency_key: str | None = None) -> m.UserResponse:
        """Revoke a role.

        For owners; takes effect at once. The role of the last owner cannot be revoked.
        """
        call: Call[m.UserResponse] = Call('DELETE', ('/v1/users/{user_id}/roles/{role}', user_id, role), signed=True, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncUsers:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None) -> AsyncIterator[m.UserResponse]:
        """List staff users.

        Oldest first. Members of companies are not listed.
        """
        call: Call[m.UserResponse] = Call('GET', '/v1/users', signed=True, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.UserCreateRequest, *, idempotency_key: str | None = None) -> m.UserCreateResponse:
        """Create a staff user.

        For owners with a second factor. A token to set a password is mailed to the address. The user has no role
        until
        another owner confirms the requested ones.
        """
        call: Call[m.UserCreateResponse] = Call('POST', '/v1/users', signed=True, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def deactivate(self, user_id: str, *, idempotency_key: str | None = None) -> m.UserResponse:
        """Deactivate a staff user.

        For owners; takes effect at once, and sessions end. The last owner cannot be deactivated.
        """
        call: Call[m.UserResponse] = Call('DELETE', ('/v1/users/{user_id}', user_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, user_id: str) -> m.UserResponse:
        """Get a staff user.

        For owners and auditors. Members of companies are not found.
        """
        call: Call[m.UserResponse] = Call('GET', ('/v1/users/{user_id}', user_id), signed=True, repeatable=True)
        return await self._client.run(call)

    async def issue_password_reset(self, user_id: str, *, idempotency_key: str | None = None) -> m.PasswordResetMailedResponse:
        """Mail a password-reset token.

        Registrars reset passwords of company members, owners those of staff. The token is mailed to the address of
        the
        account; it can be used once, within a day. Earlier tokens become invalid.
        """
        call: Call[m.PasswordResetMailedResponse] = Call('POST', ('/v1/users/{user_id}/password-resets', user_id), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def revoke_role(self, user_id: str, role: str, *, idempotency_key: str | None = None) -> m.UserResponse:
        """Revoke a role.

        For owners; takes effect at once. The role of the last owner cannot be revoked.
        """
        call: Call[m.UserResponse] = Call('DELETE', ('/v1/users/{user_id}/roles/{role}', user_id, role), signed=True, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Verification:
    def __init__(self, client: Client) -> None:
        self._client = client

    def verify_certificate(self, body: Mapping[str, Any]) -> m.VerificationResponse:
        """Check a number or a signed token.

        Send exactly one of `number` and `token`. A token is checked by signature and by content. With `expect`, the
        words of a label or an invoice are compared with the certificate.
        """
        call: Call[m.VerificationResponse] = Call('POST', '/v1/verify', signed=False, body=body, repeatable=True)
        return self._client.run(call)

    def verify_certificates(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Check many numbers and tokens at once.

        Up to 1000 numbers and tokens; verdicts come in the order of the items, as of one time. If an item has
        another shape, the whole request is refused; the error names the item.
        """
        call: Call[dict[str, Any]] = Call('POST', '/v1/verify/batch', signed=False, body=body, repeatable=True)
        return self._client.run(call)

    def verify_certificate_file(self, *, file: Upload) -> m.FileVerificationResponse:
        """Check a file.

        A `.jwt` file or text, a PDF with the credential attached, or a PNG, JPEG or WebP of the code, up to 10 MB
        and 40 megapixels: as the body, or in a form as `file`. Nothing is stored or rendered. A code that leads to
        another host, a QR token that does not fit and a PDF that was changed after the service signed it are
        `forged`. Any other file is 422 `unreadable-file`.
        """
        call: Call[m.FileVerificationResponse] = Call('POST', '/v1/verify/file', signed=False, files={'file': file}, form={}, repeatable=True)
        return self._client.run(call)

    def verify_certificate_number(self, number: str) -> m.VerificationResponse:
        """Check a certificate by its number.

        Always 200 with a verdict; 304 while nothing changed since your `ETag`.
        """
        call: Call[m.VerificationResponse] = Call('GET', ('/v1/verify/{number}', number), signed=False, repeatable=True)
        return self._client.run(call)

    def get_verification_headers(self, number: str) -> None:
        """Get the headers of a verification.

        `ETag` and length of what GET answers, without the body.
        """
        call: Call[None] = Call('HEAD', ('/v1/verify/{number}', number), signed=False)
        return self._client.run(call)


class AsyncVerification:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def verify_certificate(self, body: Mapping[str, Any]) -> m.VerificationResponse:
        """Check a number or a signed token.

        Send exactly one of `number` and `token`. A token is checked by signature and by content. With `expect`, the
        words of a label or an invoice are compared with the certificate.
        """
        call: Call[m.VerificationResponse] = Call('POST', '/v1/verify', signed=False, body=body, repeatable=True)
        return await self._client.run(call)

    async def verify_certificates(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Check many numbers and tokens at once.

        Up to 1000 numbers and tokens; verdicts come in the order of the items, as of one time. If an item has
        another shape, the whole request is refused; the error names the item.
        """
        call: Call[dict[str, Any]] = Call('POST', '/v1/verify/batch', signed=False, body=body, repeatable=True)
        return await self._client.run(call)

    async def verify_certificate_file(self, *, file: Upload) -> m.FileVerificationResponse:
        """Check a file.

        A `.jwt` file or text, a PDF with the credential attached, or a PNG, JPEG or WebP of the code, up to 10 MB
        and 40 megapixels: as the body, or in a form as `file`. Nothing is stored or rendered. A code that leads to
        another host, a QR token that does not fit and a PDF that was changed after the service signed it are
        `forged`. Any other file is 422 `unreadable-file`.
        """
        call: Call[m.FileVerificationResponse] = Call('POST', '/v1/verify/file', signed=False, files={'file': file}, form={}, repeatable=True)
        return await self._client.run(call)

    async def verify_certificate_number(self, number: str) -> m.VerificationResponse:
        """Check a certificate by its number.

        Always 200 with a verdict; 304 while nothing changed since your `ETag`.
        """
        call: Call[m.VerificationResponse] = Call('GET', ('/v1/verify/{number}', number), signed=False, repeatable=True)
        return await self._client.run(call)

    async def get_verification_headers(self, number: str) -> None:
        """Get the headers of a verification.

        `ETag` and length of what GET answers, without the body.
        """
        call: Call[None] = Call('HEAD', ('/v1/verify/{number}', number), signed=False)
        return await self._client.run(call)


class Webhooks:
    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.WebhookResponse]:
        """List webhooks.

        For administrators of the company, and API clients with the scope `webhooks`.
        """
        call: Call[m.WebhookResponse] = Call('GET', '/v1/webhooks', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def create(self, body: m.WebhookRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookWithSecretResponse:
        """Create a webhook.

        Events of your company are posted to the address from now on, within a minute, each at least once: keep the
        `webhook-id` of what you have dealt with. Requests are signed by Standard Webhooks
        (<https://www.standardwebhooks.com>) with `secret`, which is shown once. Answer within 10 seconds with 2xx;
        anything
        else is tried again for days.
        """
        call: Call[m.WebhookWithSecretResponse] = Call('POST', '/v1/webhooks', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def delete(self, webhook_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> None:
        """Delete a webhook.

        With its deliveries. Nothing more is sent; a request that is on its way still arrives.
        """
        call: Call[None] = Call('DELETE', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def get(self, webhook_id: str, *, organisation: str | None = None) -> m.WebhookResponse:
        """Get a webhook.

        `failing_since` shows that it does not answer, `state` that it was disabled for that.
        """
        call: Call[m.WebhookResponse] = Call('GET', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return self._client.run(call)

    def change(self, webhook_id: str, body: m.WebhookUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Change a webhook.

        What waits is sent to the new address. The secret stays. The answer of `GET` sent back changes nothing, not
        even
        the version.
        """
        call: Call[m.WebhookResponse] = Call('PUT', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def list_deliveries(self, webhook_id: str, *, state: m.DeliveryState | None = None, page_size: int | None = None, organisation: str | None = None) -> Iterator[m.DeliveryResponse]:
        """List deliveries.

        With all attempts, in the order of the events; kept for 30 days after their end.
        """
        call: Call[m.DeliveryResponse] = Call('GET', ('/v1/webhooks/{webhook_id}/deliveries', webhook_id), signed=True, headers={'Organisation': organisation}, query={'state': state, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    def redeliver_event(self, webhook_id: str, delivery_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.DeliveryResponse:
        """Send one event again.

        Under the same id, whatever came of it before.
        """
        call: Call[m.DeliveryResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver', webhook_id, delivery_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def enable(self, webhook_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Enable a webhook again.

        Events are sent from now on; ask for those of the time before by `redeliver`.
        """
        call: Call[m.WebhookResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/enable', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def redeliver_missed_events(self, webhook_id: str, body: m.ResendRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Send again what was missed.

        Every event since a moment that was not delivered, also while the webhook was disabled; ids stay the same.
        """
        call: Call[m.WebhookResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/redeliver', webhook_id), signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def rotate_secret(self, webhook_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookWithSecretResponse:
        """Exchange the secret of a webhook.

        For 24 hours each request has two signatures, by the new secret and by the one before.
        """
        call: Call[m.WebhookWithSecretResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/rotate-secret', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)

    def send_test_event(self, webhook_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.DeliveryResponse:
        """Send a test event.

        An event of the type `webhook.test` is sent within seconds; see what came of it among the deliveries.
        """
        call: Call[m.DeliveryResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/test', webhook_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return self._client.run(call)


class AsyncWebhooks:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def list(self, *, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.WebhookResponse]:
        """List webhooks.

        For administrators of the company, and API clients with the scope `webhooks`.
        """
        call: Call[m.WebhookResponse] = Call('GET', '/v1/webhooks', signed=True, headers={'Organisation': organisation}, query={'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def create(self, body: m.WebhookRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookWithSecretResponse:
        """Create a webhook.

        Events of your company are posted to the address from now on, within a minute, each at least once: keep the
        `webhook-id` of what you have dealt with. Requests are signed by Standard Webhooks
        (<https://www.standardwebhooks.com>) with `secret`, which is shown once. Answer within 10 seconds with 2xx;
        anything
        else is tried again for days.
        """
        call: Call[m.WebhookWithSecretResponse] = Call('POST', '/v1/webhooks', signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def delete(self, webhook_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> None:
        """Delete a webhook.

        With its deliveries. Nothing more is sent; a request that is on its way still arrives.
        """
        call: Call[None] = Call('DELETE', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def get(self, webhook_id: str, *, organisation: str | None = None) -> m.WebhookResponse:
        """Get a webhook.

        `failing_since` shows that it does not answer, `state` that it was disabled for that.
        """
        call: Call[m.WebhookResponse] = Call('GET', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, headers={'Organisation': organisation}, repeatable=True)
        return await self._client.run(call)

    async def change(self, webhook_id: str, body: m.WebhookUpdateRequest, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Change a webhook.

        What waits is sent to the new address. The secret stays. The answer of `GET` sent back changes nothing, not
        even
        the version.
        """
        call: Call[m.WebhookResponse] = Call('PUT', ('/v1/webhooks/{webhook_id}', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    def list_deliveries(self, webhook_id: str, *, state: m.DeliveryState | None = None, page_size: int | None = None, organisation: str | None = None) -> AsyncIterator[m.DeliveryResponse]:
        """List deliveries.

        With all attempts, in the order of the events; kept for 30 days after their end.
        """
        call: Call[m.DeliveryResponse] = Call('GET', ('/v1/webhooks/{webhook_id}/deliveries', webhook_id), signed=True, headers={'Organisation': organisation}, query={'state': state, 'limit': page_size}, repeatable=True)
        return self._client.pages(call)

    async def redeliver_event(self, webhook_id: str, delivery_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.DeliveryResponse:
        """Send one event again.

        Under the same id, whatever came of it before.
        """
        call: Call[m.DeliveryResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver', webhook_id, delivery_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def enable(self, webhook_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Enable a webhook again.

        Events are sent from now on; ask for those of the time before by `redeliver`.
        """
        call: Call[m.WebhookResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/enable', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def redeliver_missed_events(self, webhook_id: str, body: m.ResendRequest, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookResponse:
        """Send again what was missed.

        Every event since a moment that was not delivered, also while the webhook was disabled; ids stay the same.
        """
        call: Call[m.WebhookResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/redeliver', webhook_id), signed=True, headers={'Organisation': organisation}, body=body, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def rotate_secret(self, webhook_id: str, *, version: Version, organisation: str | None = None, idempotency_key: str | None = None) -> m.WebhookWithSecretResponse:
        """Exchange the secret of a webhook.

        For 24 hours each request has two signatures, by the new secret and by the one before.
        """
        call: Call[m.WebhookWithSecretResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/rotate-secret', webhook_id), signed=True, version=version, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)

    async def send_test_event(self, webhook_id: str, *, organisation: str | None = None, idempotency_key: str | None = None) -> m.DeliveryResponse:
        """Send a test event.

        An event of the type `webhook.test` is sent within seconds; see what came of it among the deliveries.
        """
        call: Call[m.DeliveryResponse] = Call('POST', ('/v1/webhooks/{webhook_id}/test', webhook_id), signed=True, headers={'Organisation': organisation}, key=idempotency_key, keyed=True)
        return await self._client.run(call)


class Resources:
    def __init__(self, client: Client) -> None:
        self.account = Account(client)
        self.agents = Agents(client)
        self.api_clients = ApiClients(client)
        self.applications = Applications(client)
        self.audit = Audit(client)
        self.calendar = Calendar(client)
        self.certificate_status = CertificateStatus(client)
        self.certificates = Certificates(client)
        self.claims = Claims(client)
        self.events = Events(client)
        self.evidence = Evidence(client)
        self.health = Health(client)
        self.imports = Imports(client)
        self.inbox = Inbox(client)
        self.jobs = Jobs(client)
        self.keys = Keys(client)
        self.manifests = Manifests(client)
        self.matters = Matters(client)
        self.members = Members(client)
        self.organisations = Organisations(client)
        self.products = Products(client)
        self.proposals = Proposals(client)
        self.public_register = PublicRegister(client)
        self.registration = Registration(client)
        self.residencies = Residencies(client)
        self.review = Review(client)
        self.schemes = Schemes(client)
        self.sites = Sites(client)
        self.transparency_log = TransparencyLog(client)
        self.users = Users(client)
        self.verification = Verification(client)
        self.webhooks = Webhooks(client)


class AsyncResources:
    def __init__(self, client: AsyncClient) -> None:
        self.account = AsyncAccount(client)
        self.agents = AsyncAgents(client)
        self.api_clients = AsyncApiClients(client)
        self.applications = AsyncApplications(client)
        self.audit = AsyncAudit(client)
        self.calendar = AsyncCalendar(client)
        self.certificate_status = AsyncCertificateStatus(client)
        self.certificates = AsyncCertificates(client)
        self.claims = AsyncClaims(client)
        self.events = AsyncEvents(client)
        self.evidence = AsyncEvidence(client)
        self.health = AsyncHealth(client)
        self.imports = AsyncImports(client)
        self.inbox = AsyncInbox(client)
        self.jobs = AsyncJobs(client)
        self.keys = AsyncKeys(client)
        self.manifests = AsyncManifests(client)
        self.matters = AsyncMatters(client)
        self.members = AsyncMembers(client)
        self.organisations = AsyncOrganisations(client)
        self.products = AsyncProducts(client)
        self.proposals = AsyncProposals(client)
        self.public_register = AsyncPublicRegister(client)
        self.registration = AsyncRegistration(client)
        self.residencies = AsyncResidencies(client)
        self.review = AsyncReview(client)
        self.schemes = AsyncSchemes(client)
        self.sites = AsyncSites(client)
        self.transparency_log = AsyncTransparencyLog(client)
        self.users = AsyncUsers(client)
        self.verification = AsyncVerification(client)
        self.webhooks = AsyncWebhooks(client)
