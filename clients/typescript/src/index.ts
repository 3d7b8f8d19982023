export type { components, operations, paths } from "./api.js";
export { Client } from "./client.js";
export type { Answer, Credentials, Options, PathOf, Settings, Tokens, Version } from "./client.js";
export { ApiError, ConnectionFailed, MikClientError, SignInAgain, UnexpectedAnswer } from "./errors.js";
export type { FieldError } from "./errors.js";
export { StatusUnknown, TokenRejected, TokenVerifier, UnknownKey } from "./tokens.js";
export type { TokenKey, Verdict, VerifiedCertificate } from "./tokens.js";
export { AlreadyTaken, WebhookRejected, verifyWebhook } from "./webhooks.js";
export type { WebhookSettings } from "./webhooks.js";
