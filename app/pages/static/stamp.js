// The stamp in a QR code (app/documents/stamp.py says its form), checked by the browser itself with our public keys,
// which the page brought along: no network is needed.

const MEMBERS = "n,h,p,c,f,u,s";
const HEADER = "alg,kid,typ";
const MAX_CHARS = 480;

// Whether a text has the form of a stamp: three parts, the first a JSON object that names alg, kid and typ, the last 64
// bytes. A shorter token was truncated and proves nothing about the document.
export function isWhole(text) {
  const parts = text.split(".");
  if (parts.length !== 3 || parts[1] === "" || !/^[A-Za-z0-9_-]{86}$/.test(parts[2])) return false;
  try {
    const header = json(parts[0]);
    return HEADER.split(",").every((name) => name in header);
  } catch {
    return false;
  }
}

// Whether the key that a whole token names is a key of the issuer.
export function isOfKnownKey(text, keys) {
  const { kid } = json(text.split(".")[0]);
  return keys.some((each) => each.kid === kid);
}

// The content of a token, or null if the issuer did not sign it. Throws without a secure context, which WebCrypto needs.
export async function readStamp(text, keys) {
  const parts = text.split(".");
  if (text.length > MAX_CHARS || parts.length !== 3) return null;
  let header, payload, signature;
  try {
    header = json(parts[0]);
    payload = json(parts[1]);
    signature = bytes(parts[2]);
  } catch {
    return null;
  }
  if (String(Object.keys(header)) !== HEADER || header.alg !== "ES256" || header.typ !== "stamp+jwt") return null;
  const found = keys.find((each) => each.kid === header.kid);
  if (!found || signature.length !== 64) return null;
  const { kty, crv, x, y } = found;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
  const signed = new TextEncoder().encode(`${parts[0]}.${parts[1]}`);
  const genuine = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed);
  return genuine && String(Object.keys(payload)) === MEMBERS ? payload : null;
}

// The host to which a browser would go; null where a text is no address.
export function hostOf(text) {
  const address = text.trim();
  const whole = /^[a-z][a-z0-9+.-]*:[\\/]/i.test(address) ? address : /^[^\s/?#\\]+\.[^\s/?#\\]+[\\/]/.test(address) ? `https://${address}` : "";
  try {
    return new URL(whole).hostname.replace(/\.$/, "") || null;
  } catch {
    return null;
  }
}

// Number and token in the text of a code; null if it is no address of a certificate. The caller checks the host: scripts
// never open another host, and always query the register of this one.
export function readAddress(text) {
  const found = /\/v\/([^/?#\s]{3,60})[^#\s]*(?:#(\S*))?$/.exec(text.trim());
  const bare = /^\s*[A-Za-z]{2,8}-\d{4}-\d{4,8}-[0-9A-Za-z]\s*$/.test(text);
  if (found) return { number: decode(found[1]), stamp: found[2] ?? "" };
  return bare ? { number: text.trim(), stamp: "" } : null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function json(segment) {
  const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes(segment)));
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new TypeError("no object");
  return value;
}

// Canonical unpadded base64url, as the service itself demands it: encoded again it must be the same text.
function bytes(segment) {
  if (!/^[A-Za-z0-9_-]+$/.test(segment)) throw new TypeError("no base64url");
  const binary = atob(segment.replaceAll("-", "+").replaceAll("_", "/"));
  if (btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") !== segment) {
    throw new TypeError("not canonical");
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
