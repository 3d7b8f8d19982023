"""Client of the certification service "Made in Karabakh"."""

from made_in_karabakh.call import LATEST, Upload, Version
from made_in_karabakh.client import AsyncClient, Client
from made_in_karabakh.core import Retries
from made_in_karabakh.credentials import ClientCredentials, KeptSession, Password, Tokens, TotpCodes
from made_in_karabakh.errors import (
    ApiError,
    ChangedMeanwhile,
    Conflict,
    ConnectionFailed,
    MikClientError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotValid,
    SignInAgain,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
)
from made_in_karabakh.tokens import StatusUnknown, TokenRejected, TokenVerifier
from made_in_karabakh.webhooks import AlreadyTaken, SeenInMemory, WebhookRejected, WebhookVerifier

__all__ = [
    "LATEST",
    "AlreadyTaken",
    "ApiError",
    "AsyncClient",
    "ChangedMeanwhile",
    "Client",
    "ClientCredentials",
    "Conflict",
    "ConnectionFailed",
    "KeptSession",
    "MikClientError",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "NotValid",
    "Password",
    "Retries",
    "SeenInMemory",
    "SignInAgain",
    "StatusUnknown",
    "TokenRejected",
    "TokenVerifier",
    "Tokens",
    "TooLarge",
    "TooManyRequests",
    "TotpCodes",
    "Unavailable",
    "UnexpectedAnswer",
    "Upload",
    "Version",
    "WebhookRejected",
    "WebhookVerifier",
]
