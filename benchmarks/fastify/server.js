// Answers GET /v1/verify/{number} from the same row as the service, with the same checks of the row.
const crypto = require("node:crypto");
const fastify = require("fastify")();
const { Pool } = require("pg");

const { SNAPSHOT_SECRET, SNAPSHOT_CONTEXT, GOOD_KEYS, DATABASE_URL, PORT } = process.env;
const key = crypto.createHmac("sha256", Buffer.from(SNAPSHOT_SECRET, "hex")).update(SNAPSHOT_CONTEXT).digest();
const goodKeys = new Set(JSON.parse(GOOD_KEYS));
const pool = new Pool({ connectionString: DATABASE_URL });
const query = {
  name: "snapshot",
  text:
    "SELECT number, signed_hash, kid, issued_at, log_seq, holder_id, list_id, status_index, status, good_until, etag," +
    " body, mac FROM certificate_snapshots WHERE number = $1",
};

function macOf(row) {
  const texts = [row.number, row.kid, row.holder_id ?? "", row.status, row.etag].map((text) => Buffer.from(text));
  const head = Buffer.alloc(72);
  [40, row.signed_hash.length, row.body.length, ...texts.map((text) => text.length)].forEach((length, at) =>
    head.writeUInt32BE(length, at * 4),
  );
  [row.issued_at, row.log_seq, row.list_id, row.status_index, row.good_until ?? -1].forEach((number, at) =>
    head.writeBigInt64BE(BigInt(number), 32 + at * 8),
  );
  return crypto.createHmac("sha256", key).update(Buffer.concat([head, row.signed_hash, row.body, ...texts])).digest();
}

function isGood(row, now) {
  const isTimely = row.issued_at <= now && (row.good_until === null || now < row.good_until);
  return goodKeys.has(row.kid) && isTimely && crypto.timingSafeEqual(macOf(row), row.mac);
}

fastify.get("/v1/verify/:number", async (request, reply) => {
  const { rows } = await pool.query({ ...query, values: [request.params.number] });
  if (!rows.length || !isGood(rows[0], Date.now() / 1000)) {
    return reply.code(503).send({ title: "There is no snapshot of this number." });
  }
  reply.header("etag", rows[0].etag).header("cache-control", "no-cache").type("application/json");
  return reply.send(rows[0].body);
});

fastify.listen({ port: Number(PORT), host: "127.0.0.1" });
