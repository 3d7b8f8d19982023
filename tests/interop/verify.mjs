// Checks what the service published with libraries that did not make it. In: one JSON object on standard input with
// jwks, did, tokens (name → token), lists (address → token), contexts (address → document) and now. Out: what was found.
import {readFileSync} from 'node:fs';
import {createLocalJWKSet, compactVerify, importJWK, decodeProtectedHeader} from 'jose';
import {contexts as w3c} from '@digitalbazaar/credentials-context';
import {checkStatus, decodeList} from '@digitalbazaar/vc-bitstring-status-list';
import jsonld from 'jsonld';

const {jwks, did, tokens, lists, contexts, now} = JSON.parse(readFileSync(0, 'utf8'));
const fetched = [];
globalThis.fetch = async address => { fetched.push(String(address)); throw new Error('no network'); };

const decode = bytes => JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
const byJwks = createLocalJWKSet(jwks);
const byDid = async header => {
  const method = did.verificationMethod.find(each => each.id === header.kid);
  if(method?.type !== 'JsonWebKey' || !did.assertionMethod.includes(method.id)) { throw new Error('no such method'); }
  return importJWK(method.publicKeyJwk, 'ES256');
};
const options = {algorithms: ['ES256']};

async function verify(token) {
  try {
    if(decodeProtectedHeader(token).typ !== 'vc+jwt') { throw new Error('typ'); }
    const {payload} = await compactVerify(token, byJwks, options);
    await compactVerify(token, byDid, options);
    return decode(payload);
  } catch(error) {
    return {refused: error.code ?? error.message};
  }
}

async function documentLoader(url) {
  const document = w3c.get(url) ?? contexts[url];
  if(!document) { throw new Error(`not given: ${url}`); }
  return {contextUrl: null, documentUrl: url, document};
}

async function expand(payload) {
  try {
    return await jsonld.expand(payload, {documentLoader, safe: true});
  } catch(error) {
    return {refused: error.details?.event?.code ?? error.message};
  }
}

const opened = {};
for(const [url, token] of Object.entries(lists)) { opened[url] = await verify(token); }
const found = {certificates: {}, lists: {}, broken: {}};

for(const [url, list] of Object.entries(opened)) {
  // The library takes a list that is too short or has ended: both are asked here.
  const bits = await decodeList({encodedList: list.credentialSubject.encodedList});
  found.lists[url] = {
    length: bits.length, inTime: list.validFrom <= now && now <= list.validUntil,
    ttl: list.credentialSubject.ttl, expanded: await expand(list)
  };
}
for(const [name, token] of Object.entries(tokens)) {
  const payload = await verify(token);
  if(payload.refused) { found.certificates[name] = payload; continue; }
  const loader = async url => ({document: opened[url]});
  const status = await checkStatus({credential: payload, documentLoader: loader,
    verifyBitstringStatusListCredential: false});  // its signature is a JWS, checked above
  found.certificates[name] = {
    payload, expanded: await expand(payload), error: status.error?.message,
    status: Object.fromEntries((status.results ?? []).map(each => [each.credentialStatus.statusPurpose, each.status]))
  };
}
// Both checks of JSON-LD have to be able to fail.
const [first] = Object.values(found.certificates).filter(each => each.payload);
found.broken.atTheTop = await expand({...first.payload, nobodyDefinedThis: 1});
found.did = {expanded: await expand(did)};
found.broken.didWithoutKeys = await expand({...did, '@context': did['@context'].slice(0, 1)});
found.broken.withoutOurContext = await expand({...first.payload, '@context': first.payload['@context'].slice(0, 2)});
found.fetched = fetched;
process.stdout.write(JSON.stringify(found));
