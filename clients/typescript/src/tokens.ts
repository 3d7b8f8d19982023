import { MikClientError, isObject } from "./errors.js";

/** The token is none of this issuer, or was changed: do not rely on it. */
export class TokenRejected extends MikClientError {}

/** The keys do not contain the one that it names. Fetch them again; a compromised key is withdrawn. */
export class UnknownKey extends TokenRejected {}

/** The token is genuine, but no status list that can be relied on says whether it still holds. */
export class StatusUnknown extends MikClientError {}

export type Verdict = "valid" | "revoked" | "suspended" | "expired" | "not_yet_valid";

export interface VerifiedCertificate {
  number: string;
  /** `revoked` also covers surrendered and superseded. */
  verdict: Verdict;
  /** Moment of the older status list: what happened later is not seen. */
  asOf: Date;
  validFrom: Date;
  validUntil: Date;
  payload: Record<string, unknown>;
}

export interface TokenKey {
  kid?: string;
  crv?: string;
  x?: string;
  y?: string;
}

const MAX_TOKEN = 65_536;
const MAX_LIST = 4_194_304;
const MIN_LIST = 16_384;
const MAX_SKEW = 5 * 60_000;
const MAX_LIFE = 97 * 3_600_000;

/**
 * Verifies tokens of one issuer by its published keys and status lists. Unknown is never yes: without a list that is
 * signed, current and of the same issuer there is no verdict.
 */
export class TokenVerifier {
  readonly #keys: Map<string, TokenKey>;

  /**
   * `issuer` is a DID that you know from elsewhere than the token, `jwks` is `/.well-known/jwks.json`, and
   * `findStatusList` returns the token of a list by its address, null without one.
   */
  constructor(
    readonly issuer: string,
    jwks: { keys: TokenKey[] },
    readonly findStatusList: (url: string) => Promise<string | null> = async () => null,
  ) {
    const own = jwks.keys.filter((each) => each.kid?.split("#")[0] === issuer && each.crv === "P-256");
    this.#keys = new Map(own.map((each) => [each.kid ?? "", each]));
  }

  /** Verifies the token of a certificate. Rejects with `TokenRejected` or `StatusUnknown`. */
  async certificate(token: string, now: Date): Promise<VerifiedCertificate> {
    const payload = await this.#verified(token, "vc+jwt", this.#keys);
    const subject = payload["credentialSubject"], entries = payload["credentialStatus"];
    const validFrom = momentOf(payload["validFrom"]), validUntil = momentOf(payload["validUntil"]);
    if ("vc" in payload || "vp" in payload || issuerOf(payload) !== this.issuer || !isObject(subject)
      || typeof subject["number"] !== "string" || !Array.isArray(entries) || validFrom === null || validUntil === null) {
      throw new TokenRejected("It is signed, but it is not a certificate of this issuer.");
    }
    const purposes = entries.map((each) => isObject(each) ? each["statusPurpose"] : null).sort();
    if (purposes.join() !== "revocation,suspension") throw new TokenRejected("It is signed, but it is not a certificate.");
    const bits: Record<string, boolean> = {};
    let asOf = Infinity;
    for (const entry of entries as Record<string, unknown>[]) {
      const purpose = String(entry["statusPurpose"]);
      const found = await this.#bit(entry, purpose, now);
      bits[purpose] = found.isSet;
      asOf = Math.min(asOf, found.signed.getTime());
    }
    const verdict = bits["revocation"] ? "revoked" : now > validUntil ? "expired" : bits["suspension"] ? "suspended"
      : now < validFrom ? "not_yet_valid" : "valid";
    return { number: subject["number"], verdict, asOf: new Date(asOf), validFrom, validUntil, payload };
  }

  /** Verifies the token of a QR code: what was certified, not whether it still holds. */
  async stamp(token: string): Promise<Record<string, unknown>> {
    const short = new Map([...this.#keys].map(([kid, key]) => [(kid.split("#")[1] ?? "").slice(0, 8), key]));
    return await this.#verified(token, "stamp+jwt", short);
  }

  async #bit(entry: Record<string, unknown>, purpose: string, now: Date): Promise<{ isSet: boolean; signed: Date }> {
    const url = entry["statusListCredential"], index = entry["statusListIndex"];
    if (entry["type"] !== "BitstringStatusListEntry" || typeof url !== "string" || typeof index !== "string"
      || !/^(0|[1-9][0-9]{0,9})$/.test(index)) {
      throw new TokenRejected("It is signed, but its status entry has an unknown form.");
    }
    const token = await this.findStatusList(url);
    if (token === null) throw new StatusUnknown(`There is no status list for ${purpose}: ${url}`);
    let payload: Record<string, unknown>;
    try {
      payload = await this.#verified(token, "vc+jwt", this.#keys);
    } catch (why) {
      throw new StatusUnknown(`The status list for ${purpose} cannot be relied on: ${String(why)}`, { cause: why });
    }
    const subject = payload["credentialSubject"], types = payload["type"];
    const signed = momentOf(payload["validFrom"]), until = momentOf(payload["validUntil"]);
    if (!isObject(subject) || payload["id"] !== url || issuerOf(payload) !== this.issuer
      || subject["statusPurpose"] !== purpose || subject["type"] !== "BitstringStatusList" || !Array.isArray(types)
      || !types.includes("BitstringStatusListCredential") || signed === null || until === null) {
      throw new StatusUnknown(`The status list for ${purpose} is another list.`);
    }
    if (signed.getTime() > now.getTime() + MAX_SKEW || now > until || until.getTime() - signed.getTime() > MAX_LIFE) {
      throw new StatusUnknown(`The status list for ${purpose} is not of today. Fetch it again, or check your clock.`);
    }
    const list = await unpacked(subject["encodedList"], purpose), at = Number(index), byte = list[at >> 3];
    if (byte === undefined) throw new StatusUnknown(`The status list for ${purpose} is another list.`);
    return { isSet: (byte & 0x80 >> at % 8) !== 0, signed };
  }

  async #verified(token: string, typ: string, keys: Map<string, TokenKey>): Promise<Record<string, unknown>> {
    const [first, second, third, ...more] = typeof token === "string" && token.length <= MAX_TOKEN ? token.split(".") : [];
    if (first === undefined || second === undefined || third === undefined || more.length > 0) {
      throw new TokenRejected("This is not a signed token.");
    }
    const header = objectOf(first);
    if (Object.keys(header).sort().join() !== "alg,kid,typ" || header["alg"] !== "ES256" || header["typ"] !== typ) {
      throw new TokenRejected(`This is not a token of the kind ${typ}.`);
    }
    const key = keys.get(String(header["kid"]));
    if (key === undefined) throw new UnknownKey("The keys do not contain the one that signed this token. Fetch them again.");
    const signature = bytesOf(third);
    const jwk = { kty: "EC", crv: "P-256", x: key.x ?? "", y: key.y ?? "" };
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const publicKey = await crypto.subtle.importKey("jwk", jwk, curve, false, ["verify"]);
    const signed = new TextEncoder().encode(`${first}.${second}`);
    if (signature.length !== 64
      || !await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, publicKey, signature, signed)) {
      throw new TokenRejected("The signature is wrong.");
    }
    return objectOf(second);
  }
}

function issuerOf(payload: Record<string, unknown>): unknown {
  const issuer = payload["issuer"];
  return isObject(issuer) ? issuer["id"] : issuer;
}

function momentOf(text: unknown): Date | null {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** Decodes canonical base64url: one text for each content. */
function bytesOf(segment: string): Uint8Array<ArrayBuffer> {
  if (/^[A-Za-z0-9_-]+$/.test(segment) && segment.length % 4 !== 1) {
    const text = atob(segment.replace(/-/g, "+").replace(/_/g, "/"));
    if (btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") === segment) {
      return Uint8Array.from(text, (each) => each.charCodeAt(0));
    }
  }
  throw new TokenRejected("This is not a signed token.");
}

function objectOf(segment: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(segment)));
  } catch {
    throw new TokenRejected("This is not a signed token.");
  }
  if (!isObject(value)) throw new TokenRejected("This is not a signed token.");
  return value;
}

/** Unpacks a list, and stops where a few kilobytes would become gigabytes. */
async function unpacked(text: unknown, purpose: string): Promise<Uint8Array> {
  const damaged = new StatusUnknown(`The status list for ${purpose} is damaged.`);
  if (typeof text !== "string" || !text.startsWith("u")) throw damaged;
  const list = new Uint8Array(MAX_LIST);
  let size = 0;
  try {
    const stream = new Blob([bytesOf(text.slice(1))]).stream().pipeThrough(new DecompressionStream("gzip"));
    for await (const piece of stream) {
      if (size + piece.length > MAX_LIST) throw damaged;
      list.set(piece, size);
      size += piece.length;
    }
  } catch {
    throw damaged;
  }
  if (size < MIN_LIST) throw damaged;
  return list.subarray(0, size);
}
