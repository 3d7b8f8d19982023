import { MikClientError, isObject, parsed } from "./errors.js";

/** The delivery is not from the service, too old, or damaged. Answer 400. */
export class WebhookRejected extends MikClientError {}

/** The same delivery came before. Answer 200: a repetition of what you have is no fault. */
export class AlreadyTaken extends WebhookRejected {}

export interface WebhookSettings {
  /** Milliseconds by which the clock of the sender may differ. */
  tolerance?: number;
  /** Remembers an id at least until that moment, in one step; false if it is remembered already. */
  take?: (deliveryId: string, until: Date) => boolean | Promise<boolean>;
}

const TOLERANCE = 5 * 60_000;
const encoder = new TextEncoder();

/**
 * Returns the event of a delivery (Standard Webhooks). `secrets` are those of the endpoint: one, or two while a secret
 * is being replaced. `body` is what came, byte for byte. Rejects with `WebhookRejected`.
 */
export async function verifyWebhook(
  secrets: string | string[],
  headers: Headers | Record<string, string>,
  body: string | Uint8Array,
  now: Date,
  settings: WebhookSettings = {},
): Promise<Record<string, unknown>> {
  const named = headers instanceof Headers ? headers : new Headers(headers);
  const tolerance = settings.tolerance ?? TOLERANCE;
  const [id, stamp, signatures] = ["id", "timestamp", "signature"].map((each) => named.get(`webhook-${each}`));
  if (!id || !stamp || !signatures) throw new WebhookRejected("webhook-id, -timestamp or -signature is missing.");
  if (!/^[0-9]{1,11}$/.test(stamp)) throw new WebhookRejected("webhook-timestamp is no number of seconds.");
  if (Math.abs(now.getTime() - Number(stamp) * 1000) > tolerance) {
    throw new WebhookRejected("The delivery is too old or from the future. Check your clock.");
  }
  const content = typeof body === "string" ? encoder.encode(body) : body;
  const head = encoder.encode(`${id}.${stamp}.`);
  const signed = new Uint8Array(head.length + content.length);
  signed.set(head);
  signed.set(content, head.length);
  const given = signatures.split(" ").map(decoded).filter((each) => each !== null);
  let isSigned = false;
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const key = await importSecret(secret);
    for (const each of given) {
      // `verify` compares in constant time; every pair is compared.
      isSigned = await crypto.subtle.verify("HMAC", key, each, signed) || isSigned;
    }
  }
  if (!isSigned) throw new WebhookRejected("The signature is wrong.");
  const event = parsed(new TextDecoder().decode(content));
  if (!isObject(event)) throw new WebhookRejected("The body is no event.");
  if (settings.take && !await settings.take(id, new Date(now.getTime() + 2 * tolerance))) {
    throw new AlreadyTaken("This delivery came before.");
  }
  return event;
}

async function importSecret(secret: string): Promise<CryptoKey> {
  const raw = bytesOf(secret.replace(/^whsec_/, ""));
  if (raw === null || raw.length === 0) throw new TypeError("Name the secret of the endpoint: whsec_…");
  return await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function decoded(signature: string): Uint8Array<ArrayBuffer> | null {
  return signature.startsWith("v1,") ? bytesOf(signature.slice(3)) : null;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}
