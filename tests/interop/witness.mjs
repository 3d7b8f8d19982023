// A witness and a verifier of cosignatures that share no code with the service: node:crypto alone (OpenSSL 3.5).
// In: one JSON object on standard input. Out: what was found.
//   {verify: [{vkey, note}]} → for each the time of the cosignature, or why it is refused
//   {sign: [{name, kind, note, time}]} → for each {vkey, line}
import {readFileSync} from 'node:fs';
import {createHash, createPublicKey, generateKeyPairSync, sign, verify} from 'node:crypto';

const ED25519 = 4, ML_DSA_44 = 6;
const KINDS = { // name, and what precedes the raw key in its SubjectPublicKeyInfo
  [ED25519]: ['Ed25519', '302a300506032b6570032100'],
  [ML_DSA_44]: ['ML-DSA-44', '30820532300b06096086480165030403110382052100']
};

const u64 = value => { const bytes = Buffer.alloc(8); bytes.writeBigUInt64BE(BigInt(value)); return bytes; };
const opaque = text => { const bytes = Buffer.from(text); return Buffer.concat([Buffer.from([bytes.length]), bytes]); };
const keyId = (name, kind, key) =>
  createHash('sha256').update(name).update('\n').update(Buffer.from([kind])).update(key).digest().subarray(0, 4);
const bodyOf = note => note.slice(0, note.lastIndexOf('\n\n') + 1);

function message(kind, name, body, time) {
  if(kind === ED25519) { return Buffer.from(`cosignature/v1\ntime ${time}\n${body}`); }
  const [origin, size, root] = body.split('\n');
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'), opaque(name), u64(time), opaque(origin), u64(0), u64(size), Buffer.from(root, 'base64')
  ]);
}

function check({vkey, note}) {
  const [name, id, ...rest] = vkey.split('+');
  const content = Buffer.from(rest.join('+'), 'base64');
  const [kind, raw] = [content[0], content.subarray(1)];
  if(keyId(name, kind, raw).toString('hex') !== id) { return {refused: 'key id'}; }
  const key = createPublicKey({key: Buffer.concat([Buffer.from(KINDS[kind][1], 'hex'), raw]), format: 'der', type: 'spki'});
  const body = bodyOf(note);
  for(const line of note.slice(body.length + 1).trimEnd().split('\n')) {
    const [dash, by, base64] = line.split(' ');
    const blob = Buffer.from(base64, 'base64');
    if(dash !== '\u2014' || by !== name || blob.subarray(0, 4).toString('hex') !== id) { continue; }
    const time = blob.readBigUInt64BE(4);
    return verify(null, message(kind, name, body, time), key, blob.subarray(12)) ? {time: Number(time)} : {refused: 'signature'};
  }
  return {refused: 'no line'};
}

function cosign({name, kind, note, time}) {
  const {publicKey, privateKey} = generateKeyPairSync(KINDS[kind][0].toLowerCase());
  const prefix = Buffer.from(KINDS[kind][1], 'hex');
  const raw = publicKey.export({format: 'der', type: 'spki'}).subarray(prefix.length);
  const id = keyId(name, kind, raw);
  const signature = sign(null, message(kind, name, bodyOf(note), time), privateKey);
  return {
    vkey: `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.from([kind]), raw]).toString('base64')}`,
    line: `\u2014 ${name} ${Buffer.concat([id, u64(time), signature]).toString('base64')}\n`
  };
}

const asked = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify({verify: (asked.verify ?? []).map(check), sign: (asked.sign ?? []).map(cosign)}));
