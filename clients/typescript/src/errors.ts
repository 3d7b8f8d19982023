/** Base of every error of this package. */
export class MikClientError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came, after all repetitions. What was asked may have been done: repeat it with the same key. */
export class ConnectionFailed extends MikClientError {}

/** The session has ended, and there is no password or secret to begin another one. */
export class SignInAgain extends MikClientError {}

/** Something answered that is not this service, such as a proxy with a page of its own. */
export class UnexpectedAnswer extends MikClientError {
  constructor(readonly status: number, readonly contentType: string, readonly excerpt: string) {
    super(`HTTP ${status} with ${contentType || "no content type"}, which is no answer of the service.`);
  }
}

export interface FieldError {
  pointer: string;
  code: string;
  detail: string;
}

/**
 * The service refused. `code` is stable: look at it and at nothing else; `detail` is for people. `errors` names each
 * invalid place, `criteria` each rule of the mark that is not met. `document` is the whole problem document.
 */
export class ApiError extends MikClientError {
  readonly code: string;
  readonly detail: string;
  readonly errors: FieldError[];
  readonly criteria: Record<string, unknown>[];

  constructor(
    readonly status: number,
    readonly document: Record<string, unknown>,
    readonly retryAfter: number | null,
    readonly requestId: string | null,
  ) {
    const code = String(document["code"] ?? document["error"] ?? `http-${status}`);
    const detail = String(document["detail"] ?? document["error_description"] ?? `HTTP ${status}`);
    super(`${detail} (${status} ${code})`);
    this.code = code;
    this.detail = detail;
    this.errors = listOf<FieldError>(document["errors"]);
    this.criteria = listOf<Record<string, unknown>>(document["findings"]);
  }
}

/** Return the error of a response that is no success. */
export async function errorOf(answer: Response, now: number): Promise<ApiError | UnexpectedAnswer> {
  const contentType = answer.headers.get("content-type") ?? "";
  const text = await answer.text();
  const document = contentType.includes("json") ? parsed(text) : null;
  if (!isObject(document) || !("code" in document || "error" in document || "detail" in document)) {
    return new UnexpectedAnswer(answer.status, contentType, text.slice(0, 200));
  }
  return new ApiError(answer.status, document, retryAfter(answer, now), answer.headers.get("x-request-id"));
}

/** Return the seconds that `Retry-After` asks to wait; null without one, or for what is no moment or number. */
export function retryAfter(answer: Response, now: number): number | null {
  const text = (answer.headers.get("retry-after") ?? "").trim();
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  const moment = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(moment) ? null : Math.max(0, (moment - now) / 1000);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listOf<T>(value: unknown): T[] {
  return Array.isArray(value) ? value.filter(isObject) as T[] : [];
}
