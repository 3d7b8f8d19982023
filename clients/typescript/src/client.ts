import type { paths } from "./api.js";
import { ConnectionFailed, MikClientError, SignInAgain, UnexpectedAnswer, errorOf, isObject, parsed, retryAfter } from "./errors.js";

type Method = "get" | "post" | "put" | "delete";

/** Addresses that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M & keyof paths[P]]>;
type Parameters<O, K extends string> = O extends { parameters: infer A } ? (K extends keyof A ? A[K] : never) : never;
type Content<R> = R extends { content: infer C } ? C : never;
type Successes<O> = O extends { responses: infer R } ? Content<R[keyof R & (200 | 201 | 202)]> : never;

/** JSON of a successful answer; undefined for an answer without content. */
export type Answer<O> = Successes<O> extends infer C ? [C] extends [never] ? undefined
  : C extends { "application/json": infer J } ? J : unknown : never;
type Item<O> = Answer<O> extends { items: (infer I)[] } ? I : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer B } } } ? B : undefined;

type PathPart<O> = Parameters<O, "path"> extends infer T ? T extends Record<string, unknown> ? { path: T } : { path?: undefined }
  : never;
type BodyPart<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? { body: B } : { body?: Body<O> };
type VersionPart<O> = Parameters<O, "header"> extends infer H ? H extends { "If-Match": string } ? { version: Version }
  : { version?: Version } : never;

/** Version of a resource that a change replaces: its `version`, the ETag of the answer, or "latest" to read it first. */
export type Version = number | string;

export type Options<O> = PathPart<O> & BodyPart<O> & VersionPart<O> & {
  query?: Parameters<O, "query">;
  form?: FormData;
  headers?: Record<string, string>;
  idempotencyKey?: string;
  accept?: string;
  signal?: AbortSignal;
};

type Arguments<O> = Record<never, never> extends Options<O> ? [options?: Options<O>] : [options: Options<O>];

export interface Tokens {
  accessToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  refreshToken: string | null;
}

export type Credentials =
  | { clientId: string; secret: string; scope?: string }
  | { email: string; password: string }
  | { tokens: Tokens; onRenewed?: (tokens: Tokens) => void };

export interface Settings {
  credentials?: Credentials;
  /** How often to try; waits double from `firstWait` to `longestWait`, in milliseconds. */
  attempts?: number;
  firstWait?: number;
  longestWait?: number;
  /** Milliseconds until a request without an answer is given up. */
  timeout?: number;
  language?: "az" | "en" | "ru";
  fetch?: typeof fetch;
}

interface Call {
  method: Method;
  path: string;
  options: AnyOptions;
  repeatable: boolean;
}

interface AnyOptions {
  path?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  body?: unknown;
  form?: FormData;
  headers?: Record<string, string>;
  version?: Version;
  idempotencyKey?: string;
  accept?: string;
  signal?: AbortSignal;
}

const RENEW_BEFORE = 30_000;
const SUBJECT_PARTS = 4; // of a path: `/v1/applications/{id}/submit` changes the version of `/v1/applications/{id}`
const REPEATED_STATUSES = new Set([429, 502, 503, 504]);
/** POST operations that change nothing. */
const READS = new Set(["/v1/verify", "/v1/verify/batch", "/v1/verify/file", "/v1/schemes/{code}/assessments"]);

/** Calls the service. Without credentials only public operations work. Every call rejects with `MikClientError`. */
export class Client {
  #tokens: Tokens | null = null;
  #renewal: Promise<void> | null = null;
  readonly #base: string;
  readonly #settings: Required<Pick<Settings, "attempts" | "firstWait" | "longestWait" | "timeout">> & Settings;

  constructor(base: string, settings: Settings = {}) {
    this.#base = base.replace(/\/+$/, "");
    this.#settings = { attempts: 5, firstWait: 500, longestWait: 30_000, timeout: 30_000, ...settings };
  }

  get<P extends PathOf<"get">>(path: P, ...[options]: Arguments<Operation<P, "get">>): Promise<Answer<Operation<P, "get">>> {
    return this.#json("get", path, options);
  }

  post<P extends PathOf<"post">>(path: P, ...[options]: Arguments<Operation<P, "post">>): Promise<Answer<Operation<P, "post">>> {
    return this.#json("post", path, options);
  }

  put<P extends PathOf<"put">>(path: P, ...[options]: Arguments<Operation<P, "put">>): Promise<Answer<Operation<P, "put">>> {
    return this.#json("put", path, options);
  }

  delete<P extends PathOf<"delete">>(
    path: P, ...[options]: Arguments<Operation<P, "delete">>
  ): Promise<Answer<Operation<P, "delete">>> {
    return this.#json("delete", path, options);
  }

  /** Yields the items of a list, page after page. */
  async *pages<P extends PathOf<"get">>(
    path: P, ...[options]: Arguments<Operation<P, "get">>
  ): AsyncGenerator<Item<Operation<P, "get">>> {
    let given = options as AnyOptions | undefined;
    for (;;) {
      const answer = await this.request("get", path, given);
      const content = await readJson(answer);
      if (!isObject(content) || !Array.isArray(content["items"])) {
        throw new UnexpectedAnswer(answer.status, "no list", "");
      }
      yield* content["items"] as Item<Operation<P, "get">>[];
      const cursor = nextCursor(answer);
      if (cursor === null) return;
      given = { ...given, query: { ...given?.query, cursor } };
    }
  }

  /** The successful response of any address, for files, texts and streams: read its `body` piece by piece. */
  async request(method: Method, path: string, options: AnyOptions = {}): Promise<Response> {
    const headers: Record<string, string> = { accept: options.accept ?? "application/json", ...options.headers };
    if (this.#settings.language) headers["accept-language"] = this.#settings.language;
    const keyed = method !== "get" && !path.startsWith("/v1/auth/") && !READS.has(path);
    if (keyed) headers["idempotency-key"] = options.idempotencyKey ?? crypto.randomUUID();
    if (options.version !== undefined) headers["if-match"] = await this.#etag(path, options);
    const call = { method, path, options: { ...options, headers }, repeatable: keyed || method === "get" || READS.has(path) };
    const answer = await this.#signed(call);
    if (!answer.ok) throw await errorOf(answer, Date.now());
    return answer;
  }

  /** Begins a session now, instead of with the first call. */
  async signIn(): Promise<Tokens> {
    if (this.#tokens === null) await this.#renew(null);
    if (this.#tokens === null) throw new SignInAgain("The client has no credentials to sign in with.");
    return this.#tokens;
  }

  async #json<T>(method: Method, path: string, options: unknown): Promise<T> {
    return await readJson(await this.request(method, path, options as AnyOptions | undefined)) as T;
  }

  async #etag(path: string, options: AnyOptions): Promise<string> {
    if (typeof options.version === "number") return `"${options.version}"`;
    if (options.version !== "latest") return String(options.version);
    const subject = filled(path, options.path).split("/").slice(0, SUBJECT_PARTS).join("/");
    const answer = await this.request("get", subject);
    const etag = answer.headers.get("etag");
    if (etag === null) throw new UnexpectedAnswer(answer.status, "no ETag", "");
    return etag;
  }

  async #signed(call: Call): Promise<Response> {
    if (this.#settings.credentials === undefined) return await this.#repeated(call);
    if (this.#tokens === null || this.#tokens.expiresAt - RENEW_BEFORE <= Date.now()) await this.#renew(this.#tokens);
    const used = this.#tokens;
    const answer = await this.#repeated(call);
    if (answer.status !== 401) return answer;
    await answer.body?.cancel();
    await this.#renew(used);
    return await this.#repeated(call);
  }

  async #repeated(call: Call): Promise<Response> {
    const { attempts, firstWait, longestWait } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= attempts || !call.repeatable;
      let wait = Math.min(longestWait, firstWait * 2 ** (attempt - 1)) * (0.5 + 0.5 * Math.random());
      try {
        const answer = await this.#send(call);
        const asked = retryAfter(answer, Date.now());
        const isBusy = REPEATED_STATUSES.has(answer.status) || (answer.status === 409 && asked !== null);
        if (!isBusy || isLast || (asked !== null && asked * 1000 > longestWait)) return answer;
        await answer.body?.cancel();
        if (asked !== null) wait = asked * 1000 + Math.random() * firstWait;
      } catch (why) {
        if (why instanceof MikClientError || call.options.signal?.aborted) throw why;
        if (isLast) throw new ConnectionFailed(`${call.method} ${call.path}: ${String(why)}`, { cause: why });
      }
      await new Promise((resume) => setTimeout(resume, wait));
    }
  }

  async #send({ method, path, options }: Call): Promise<Response> {
    const headers = { ...options.headers };
    if (this.#tokens !== null && !path.startsWith("/v1/auth/token")) headers["authorization"] = `Bearer ${this.#tokens.accessToken}`;
    const request: RequestInit = { method: method.toUpperCase(), headers, redirect: "manual" };
    if (options.form !== undefined) request.body = options.form;
    if (options.body !== undefined) {
      const isForm = options.body instanceof URLSearchParams;
      request.body = isForm ? options.body as URLSearchParams : JSON.stringify(options.body);
      if (!isForm) headers["content-type"] = "application/json";
    }
    const late = AbortSignal.timeout(this.#settings.timeout);
    request.signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
    const address = this.#base + filled(path, options.path) + queryText(options.query);
    return await (this.#settings.fetch ?? fetch)(address, request);
  }

  /** Gets a new access token, once for all calls that wait for it. A refresh token works once. */
  async #renew(seen: Tokens | null): Promise<void> {
    if (this.#tokens !== seen) return;
    this.#renewal ??= this.#grant().finally(() => { this.#renewal = null; });
    await this.#renewal;
  }

  async #grant(): Promise<void> {
    const given = this.#settings.credentials;
    if (given === undefined) return;
    const refreshToken = this.#tokens?.refreshToken ?? ("tokens" in given ? given.tokens.refreshToken : null);
    if ("tokens" in given && this.#tokens === null && given.tokens.expiresAt - RENEW_BEFORE > Date.now()) {
      this.#tokens = given.tokens;
      return;
    }
    if (refreshToken !== null && refreshToken !== undefined) {
      const renewed = await this.#token({ grant_type: "refresh_token", refresh_token: refreshToken }, false).catch((why: unknown) => {
        if ("tokens" in given) throw why;
        return null; // the session ended: begin another one
      });
      if (renewed !== null) {
        this.#tokens = renewed;
        if ("tokens" in given) given.onRenewed?.(renewed);
        return;
      }
    }
    if ("tokens" in given) throw new SignInAgain("The session has ended. Sign in again.");
    const form: Record<string, string> = "clientId" in given
      ? { grant_type: "client_credentials", client_id: given.clientId, client_secret: given.secret }
      : { grant_type: "password", username: given.email, password: given.password };
    if ("clientId" in given && given.scope !== undefined) form["scope"] = given.scope;
    this.#tokens = await this.#token(form, true);
  }

  async #token(form: Record<string, string>, repeatable: boolean): Promise<Tokens> {
    const options = { body: new URLSearchParams(form), headers: { accept: "application/json" } };
    const answer = await this.#repeated({ method: "post", path: "/v1/auth/token", options, repeatable });
    if (!answer.ok) throw await errorOf(answer, Date.now());
    const content = await readJson(answer);
    if (!isObject(content) || typeof content["access_token"] !== "string" || typeof content["expires_in"] !== "number") {
      throw new UnexpectedAnswer(answer.status, "no tokens", "");
    }
    const refreshToken = typeof content["refresh_token"] === "string" ? content["refresh_token"] : null;
    return { accessToken: content["access_token"], expiresAt: Date.now() + content["expires_in"] * 1000, refreshToken };
  }
}

async function readJson(answer: Response): Promise<unknown> {
  const contentType = answer.headers.get("content-type") ?? "";
  let text: string;
  try {
    text = await answer.text();
  } catch (why) {
    throw new ConnectionFailed(`The answer broke off: ${String(why)}`, { cause: why });
  }
  if (text === "") return undefined;
  const content = contentType.includes("json") ? parsed(text) : undefined;
  if (content === undefined) throw new UnexpectedAnswer(answer.status, contentType, text.slice(0, 200));
  return content;
}

/** The cursor in the link to the next page. The address itself is not used: it may name another host. */
function nextCursor(answer: Response): string | null {
  const found = /<([^>]*)>;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "");
  return found?.[1] ? new URL(found[1], "http://localhost").searchParams.get("cursor") : null;
}

function filled(path: string, values: Record<string, unknown> | undefined): string {
  if (!/^\/(?!\/)/.test(path)) throw new TypeError(`${path} is no path of the service: a token must not reach another host.`);
  return path.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const value = String(values?.[name] ?? "");
    if (["", ".", ".."].includes(value)) throw new TypeError(`${name} of ${path} cannot be “${value}”.`);
    return encodeURIComponent(value);
  });
}

function queryText(values: Record<string, unknown> | undefined): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) query.append(name, each instanceof Date ? each.toISOString() : String(each));
    }
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
