// A company from its registration to a verified certificate, by the client library alone.
//
//     npm run build && node dist/examples/journey.js
//
// MIK is the address of the service. `python office.py 0090000061` (in clients/python/examples) plays the staff.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { env } from "node:process";
import { ApiError, Client, TokenVerifier } from "../src/index.js";
import type { TokenKey, components } from "../src/index.js";

type Product = components["schemas"]["ProductResponse"];
type Application = components["schemas"]["ApplicationResponse"];
type EvidenceForm = Record<string, string | Record<string, unknown>>;

const MIK = env["MIK"] ?? "http://localhost:8000";
const VOEN = env["VOEN"] ?? "0090000061";
const EMAIL = `orxan@${VOEN}.example`;
const PASSWORD = "correct horse battery staple";
const PATIENCE_MS = 120_000;

/** Reads the newest one-time code that was mailed; without a mail server the demo writes messages to files. */
function mailedCode(email: string): string {
  const folder = (env["ACCOUNTS"] ?? "var/demo-accounts.json").replace(/[^/]*$/, "");
  const command = ["-m", "app.cli", "admin", "mail", "show", email, "--code", "--wait", "30"];
  const settings = { ...env, MIK_DATA_DIR: folder };
  return execFileSync(env["PYTHON"] ?? ".venv/bin/python", command, { encoding: "utf8", env: settings }).trim();
}

/** Registers the company and returns its id. The address is confirmed first, by a code that is mailed to it. */
async function register(): Promise<string> {
  const anybody = new Client(MIK);
  await anybody.post("/v1/registrations", { body: { email: EMAIL } });
  const made = await anybody.post("/v1/registrations/confirm", {
    body: {
      token: mailedCode(EMAIL),
      legal_name_az: "“Nümunə-Profil Ağdam” MMC",
      legal_name_en: "Sample Profile Agdam (fictional)",
      legal_form: "MMC",
      voen: VOEN,
      member: { full_name: "Orxan Nümunə", password: PASSWORD },
    },
  });
  return made.organisation_id;
}

/** Describes the site and the product: materials, process steps, costs by place. */
async function describe(mik: Client): Promise<Product> {
  const site = await mik.post("/v1/sites", {
    body: { name: "Hall 2", district: "Ağdam", country: "AZ", production_started_on: "2024-03-01" },
  });
  return await mik.post("/v1/products", {
    body: {
      names: { az: "Qaynaqlı polad boru", en: "Welded steel tube" },
      hs6: "730630", unit: "t", site_id: site.id, ex_works: "1450", flags: [], joint_production: [],
      materials: [
        { name: "Hot-rolled coil", hs4: "7208", origin_country: "TR", originating: false, value: "830", basis: "cif", packing: false, proofs: [] },
      ],
      steps: [
        { name: "Slitting", operation: "slitting", country: "AZ", district: "Ağdam", is_essential: false },
        { name: "Forming and welding", operation: "tube_welding", country: "AZ", district: "Ağdam", is_essential: true },
      ],
      costs: [
        { kind: "labour", place: "KARABAKH", amount: "420" },
        { kind: "energy", place: "KARABAKH", amount: "143" },
        { kind: "quality", place: "AZ_OTHER", amount: "14" },
      ],
    },
  });
}

/** Uploads the documents that the rules ask for; each names its subject. */
async function upload(mik: Client, company: string, product: Product): Promise<void> {
  const year = new Date().getUTCFullYear() - 1, signed = `${year}-12-31`;
  const documents: EvidenceForm[] = [
    { kind: "authority-to-sign", values: { basis: "director" } },
    { kind: "permit", site_id: product.site_id },
    { kind: "capacity-statement", values: { unit: "t", per_year: "24000" }, site_id: product.site_id },
    { kind: "conformity-document", product_id: product.id },
    { kind: "volume-statement", values: { claimed_volume: "20000" }, product_id: product.id },
    {
      kind: "cost-statement",
      product_id: product.id,
      values: {
        accountant: "Nigar Nümunə", licence_no: "M-0042", signed: true, period_from: `${year}-01-01`, period_until: signed,
        materials_abroad: "830", other_karabakh: "563", other_az_other: "14",
      },
    },
  ];
  for (const each of documents) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...each, issued_on: signed })) {
      form.append(name, typeof value === "string" ? value : JSON.stringify(value));
    }
    form.append("file", new Blob(["%PDF-1.4\n%%EOF\n"]), "document.pdf");
    await mik.post("/v1/organisations/{organisation_id}/evidence", { path: { organisation_id: company }, form });
  }
}

/** Drafts, declares and submits. */
async function apply(mik: Client, product: Product): Promise<Application> {
  const application = await mik.post("/v1/applications", { body: { scheme: "MIK", product_ids: [product.id] } });
  const path = { application_id: application.id };
  const { text_version, declared_hash } = await mik.get("/v1/applications/{application_id}/declaration", { path });
  await mik.post("/v1/applications/{application_id}/declaration", { path, body: { text_version, declared_hash } });
  try {
    return await mik.post("/v1/applications/{application_id}/submit", { path, version: application.version });
  } catch (why) {
    if (why instanceof ApiError) why.criteria.forEach((each) => console.log(each["rule"], each["reason"]));
    throw why;
  }
}

/** Follows the events of the company until its certificate is issued; returns the number. */
async function follow(machine: Client, application: Application): Promise<string> {
  return await waitFor(async () => {
    for await (const event of machine.pages("/v1/events")) {
      if (event.type === "certificate.issued") {
        const found = await machine.get("/v1/applications/{application_id}", { path: { application_id: application.id } });
        return found.certificates[0] ?? null;
      }
    }
    return null;
  });
}

/** Verifies as anybody can: by the number, and by the token with the issuer's keys and status lists. */
async function verify(number: string): Promise<void> {
  const anybody = new Client(MIK), path = { number };
  console.log(number, (await anybody.get("/v1/verify/{number}", { path })).verdict);
  const token = await (await anybody.request("get", "/v1/certificates/{number}/credential.jwt", { path, accept: "*/*" })).text();
  const { id } = await (await anybody.request("get", "/.well-known/did.json", { accept: "*/*" })).json() as { id: string };
  const jwks = await (await anybody.request("get", "/.well-known/jwks.json", { accept: "*/*" })).json() as { keys: TokenKey[] };
  const verifier = new TokenVerifier(id, jwks, async (url) => {
    const list = url.slice(url.lastIndexOf("/") + 1);
    return await (await anybody.request("get", "/v1/status-lists/{list}", { path: { list }, accept: "*/*" })).text();
  });
  const certificate = await verifier.certificate(token, new Date());
  console.log(certificate.number, certificate.verdict, "by its token");
  const paper = await anybody.request("get", "/v1/certificates/{number}/certificate.pdf", { path, accept: "*/*" });
  writeFileSync(`${number}.pdf`, new Uint8Array(await paper.arrayBuffer()));
}

async function waitFor<T>(look: () => Promise<T | null>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resume) => setTimeout(resume, 500));
  }
  throw new Error("Nobody decides. Is office.py running?");
}

const company = await register();
const mik = new Client(MIK, { credentials: { email: EMAIL, password: PASSWORD } });
const product = await describe(mik);
const assessed = await mik.post("/v1/schemes/{code}/assessments", { path: { code: "MIK" }, body: { product_ids: [product.id] } });
const rules = assessed.items[0]?.rules ?? [];
console.log(rules.filter((each) => each.outcome === "incomplete").length, "facts or documents are missing");
await upload(mik, company, product);
await waitFor(async () => {
  const documents = await mik.get("/v1/organisations/{organisation_id}/evidence", { path: { organisation_id: company } });
  return documents.items.every((each) => each.confirmed_at) || null;
});
const application = await apply(mik, product);
console.log(application.number, application.state);
const keys = await mik.post("/v1/api-clients", { body: { name: "ERP", scopes: ["read"] } });
const machine = new Client(MIK, { credentials: { clientId: keys.client_id, secret: keys.client_secret ?? "" } });
await verify(await follow(machine, application));
