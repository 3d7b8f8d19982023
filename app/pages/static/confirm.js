// Confirms a decision of staff with the authenticator of this browser (WebAuthn). The access token stays in this page.
// Every sentence stands in the page already; what the service sends is shown as text only.

const find = (selector) => document.querySelector(selector);
const HEADER = "Mik-Confirmation";
const PASSKEY_GRANT = "urn:mik:grant-type:passkey";
let token = null;
let pending = null; // the request that waits for its confirmation, with the refusal that names the document

function answer(name, detail = "") {
  for (const each of document.querySelectorAll("[data-answer]")) each.hidden = each.dataset.answer !== name;
  find("[data-detail]").textContent = detail;
}

// Below which path the service is: a sandbox has one.
const root = new URL(import.meta.url).pathname.split("/static/")[0];

async function call(method, path, { body, headers = {} } = {}) {
  const sent = { ...headers, "Accept-Language": document.documentElement.lang };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined && !(body instanceof URLSearchParams)) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const response = await fetch(root + path, { method, headers: sent, body });
  const content = await response.json().catch(() => ({}));
  return { ok: response.ok, content, etag: response.headers.get("ETag") };
}

const refusalOf = (content) => content.detail ?? content.error_description ?? "";

// Base64url

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const encodeText = (text) => encode(new TextEncoder().encode(text));

// The canonical JSON of a document: sorted members, no spaces, ASCII. So this page hashes what it shows.

const byCode = (a, b) => {
  const [left, right] = [[...a], [...b]].map((each) => each.map((c) => c.codePointAt(0)));
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
};

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort(byCode);
    return `{${members.map((name) => `${canonical(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  const text = JSON.stringify(value);
  return text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function sha256(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

const hex = (bytes) => [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");

// Requests of the decisions

function requestOf(decision, subject, reason) {
  const [thing, body] = {
    approve: ["applications", undefined],
    reject: ["applications", { reason }],
    suspend: ["certificates", { cause: reason }],
    reinstate: ["certificates", { cause: reason }],
    revoke: ["certificates", { reason }],
    confirm: ["proposals", undefined],
  }[decision];
  const about = `/v1/${thing}/${encodeURIComponent(subject)}`;
  return { about, path: `${about}/${decision}`, body };
}

function show(shown) {
  const list = find("#document");
  list.replaceChildren();
  for (const [name, value] of rows(shown)) {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = name.replaceAll("_", " ");
    text.textContent = value;
    list.append(term, text);
  }
}

function* rows(value, before = "") {
  for (const [name, each] of Object.entries(value)) {
    const label = Array.isArray(value) ? `${before} ${Number(name) + 1}` : before ? `${before}: ${name}` : name;
    if (each !== null && typeof each === "object" && Object.keys(each).length) yield* rows(each, label);
    else yield [label, each === null || (typeof each === "object" && !Object.keys(each).length) ? "–" : String(each)];
  }
}

function onSubmit(selector, run) {
  find(selector).addEventListener("submit", async (event) => {
    event.preventDefault();
    answer(null);
    const button = event.submitter;
    if (button) button.disabled = true;
    try {
      await run(Object.fromEntries(new FormData(event.target)));
    } finally {
      if (button) button.disabled = false;
    }
  });
}

function enter(content) {
  token = content.access_token;
  find("#sign-in").hidden = find("#passkey").hidden = true;
  find("#ask").hidden = find("#own").hidden = false;
  find("#subject").focus();
}

function assertionOf(signed, more = {}) {
  const { clientDataJSON, authenticatorData, signature } = signed.response;
  const response = {
    clientDataJSON: encode(clientDataJSON),
    authenticatorData: encode(authenticatorData),
    signature: encode(signature),
    ...more,
  };
  return { id: signed.id, rawId: encode(signed.rawId), type: signed.type, response };
}

onSubmit("#sign-in", async ({ email, password, otp }) => {
  const body = new URLSearchParams({ grant_type: "password", username: email, password });
  if (otp) body.set("otp", otp);
  const { ok, content } = await call("POST", "/v1/auth/token", { body });
  if (!ok) return answer("refused", refusalOf(content));
  enter(content);
});

onSubmit("#passkey", async () => {
  const begun = await call("POST", "/v1/auth/passkey/options");
  if (!begun.ok) return answer("refused", refusalOf(begun.content));
  const options = begun.content.options;
  let signed;
  try {
    signed = await navigator.credentials.get({
      publicKey: { ...options, challenge: decode(options.challenge), allowCredentials: [] },
    });
  } catch {
    return answer("unsigned");
  }
  const userHandle = encode(signed.response.userHandle ?? new ArrayBuffer(0));
  const body = new URLSearchParams({ grant_type: PASSKEY_GRANT, ticket: begun.content.ticket });
  body.set("assertion", JSON.stringify(assertionOf(signed, { userHandle })));
  const { ok, content } = await call("POST", "/v1/auth/token", { body });
  if (!ok) return answer("refused", refusalOf(content));
  enter(content);
});

onSubmit("#ask", async ({ decision, subject, reason }) => {
  find("#confirm").hidden = true;
  const { about, path, body } = requestOf(decision, subject.trim(), reason.trim());
  const present = await call("GET", about);
  if (!present.ok) return answer("refused", refusalOf(present.content));
  const headers = { "If-Match": present.etag };
  const asked = await call("POST", path, { body, headers });
  if (asked.ok) return answer("done");
  if (asked.content.code !== "confirmation-required") return answer("refused", refusalOf(asked.content));
  const challenge = await sha256(canonical(asked.content.document));
  if (hex(challenge) !== asked.content.sha256) return answer("differs");
  pending = { path, body, headers, challenge, credentials: asked.content.credentials };
  show(asked.content.document);
  find("#confirm").hidden = false;
  find("#confirm button").focus();
});

onSubmit("#confirm", async () => {
  const { path, body, headers, challenge, credentials } = pending;
  let signed;
  try {
    signed = await navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: location.hostname,
        allowCredentials: credentials.map((id) => ({ type: "public-key", id: decode(id) })),
        userVerification: "required",
      },
    });
  } catch {
    return answer("unsigned");
  }
  const confirmed = { ...headers, [HEADER]: encodeText(JSON.stringify(assertionOf(signed))) };
  const decided = await call("POST", path, { body, headers: confirmed });
  find("#confirm").hidden = true;
  pending = null;
  if (decided.ok) return answer("done");
  return answer("refused", refusalOf(decided.content));
});

onSubmit("#register", async ({ name }) => {
  const asked = await call("GET", "/v1/me/credentials/options");
  if (!asked.ok) return answer("refused", refusalOf(asked.content));
  const options = asked.content.options;
  let made;
  try {
    made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: decode(options.challenge),
        user: { ...options.user, id: decode(options.user.id) },
        excludeCredentials: options.excludeCredentials.map((each) => ({ ...each, id: decode(each.id) })),
      },
    });
  } catch {
    return answer("unsigned");
  }
  const { clientDataJSON, attestationObject } = made.response;
  const response = { clientDataJSON: encode(clientDataJSON), attestationObject: encode(attestationObject) };
  const registration = { id: made.id, rawId: encode(made.rawId), type: made.type, response };
  const proposed = await call("POST", "/v1/me/credentials", { body: { name, registration } });
  if (proposed.ok) return answer("registered");
  return answer("refused", refusalOf(proposed.content));
});
