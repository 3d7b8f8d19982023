// Runs cases of the compiled client: node check.mjs FOLDER < cases; prints one outcome for each.
import { readFileSync } from "node:fs";
const client = await import(`${process.argv[2]}/src/index.js`);
const { kind, ...given } = JSON.parse(readFileSync(0, "utf8"));

async function outcome(act) {
  try {
    return await act();
  } catch (why) {
    return why.name;
  }
}

const runners = {
  async webhooks() {
    const taken = new Set();
    const take = (id) => !taken.has(id) && Boolean(taken.add(id));
    return given.cases.map((each) => () => client.verifyWebhook(
      each.secrets, each.headers, each.body, new Date(given.now), each.once ? { take } : {},
    ).then((event) => event.type));
  },
  async tokens() {
    const lists = async (url) => given.lists[url] ?? null;
    const verifier = new client.TokenVerifier(given.issuer, given.jwks, lists);
    return given.cases.map((each) => () => each.stamp
      ? verifier.stamp(each.token).then((payload) => payload.n)
      : verifier.certificate(each.token, new Date(each.now)).then((found) => found.verdict));
  },
  async calls() {
    const settings = { attempts: 4, firstWait: 1, longestWait: 1000, timeout: 300, credentials: given.credentials };
    const mik = new client.Client(given.url, settings);
    const body = { name: "Hall 1", district: "Ağdam" };
    const acts = {
      create: () => mik.post("/v1/sites", { body }).then((site) => site.id),
      get: () => mik.get("/v1/sites/{site_id}", { path: { site_id: "../x" } }).then((site) => site.id),
      set_password: () => mik.post("/v1/auth/password-reset", { body: { token: "x", password: "y" } }),
      retire: () => mik.post("/v1/products/{product_id}/retire", { path: { product_id: "1" }, version: 7 }),
      list: async () => { const found = []; for await (const site of mik.pages("/v1/sites")) found.push(site.id); return found; },
    };
    return [acts[given.act]];
  },
};
const outcomes = [];
for (const act of await runners[kind]()) outcomes.push(await outcome(act) ?? null);
console.log(JSON.stringify(outcomes));
