// Verifies requests by the library that Standard Webhooks publishes for JavaScript. In: one JSON object on standard
// input with `secret` and `requests` (headers, body). Out: for each the event, or why it is refused.
import {readFileSync} from 'node:fs';
import {Webhook} from 'standardwebhooks';

const {secret, requests} = JSON.parse(readFileSync(0, 'utf8'));
const webhook = new Webhook(secret);
console.log(JSON.stringify(requests.map(({headers, body}) => {
  try {
    return webhook.verify(body, headers);
  } catch(error) {
    return {refused: error.message};
  }
})));
