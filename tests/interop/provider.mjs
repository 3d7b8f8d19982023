// OpenID Connect providers of another author (npm oidc-provider), one for each port, that sign in whom the test says.
//   node provider.mjs PORT:ISSUER… CALLBACK…   issuers may differ from the address on purpose
// POST /test/account {sub, …claims}: who signs in from now on; GET /test/logout-tokens: what was sent to the client.
import {createServer} from 'node:http';
import {Provider} from 'oidc-provider';

const [servers, callbacks] = [[], []];
for(const each of process.argv.slice(2)) { (each.startsWith('http') ? callbacks : servers).push(each); }

const body = request => new Promise(done => {
  let text = '';
  request.on('data', part => { text += part; });
  request.on('end', () => done(text));
});

for(const each of servers) {
  const [port, ...rest] = each.split('=');
  const address = `http://127.0.0.1:${port}`;
  const tokens = [];
  let account = {sub: 'nobody'};
  const provider = new Provider(rest.join('=') || address, {
    clients: [{
      client_id: 'mik', client_secret: 'a secret of thirty-two characters', redirect_uris: callbacks,
      post_logout_redirect_uris: ['http://localhost:8000/'], backchannel_logout_uri: `${address}/test/logout`,
      backchannel_logout_session_required: true, id_token_signed_response_alg: 'ES256'
    }],
    jwks: {keys: [JSON.parse(process.env.PROVIDER_KEY)]},
    findAccount: (_, sub) => ({accountId: sub, claims: () => ({...account, sub})}),
    claims: {
      openid: ['sub', 'amr', 'acr'], email: ['email', 'email_verified'], profile: ['name', 'groups'], auth_time: null, sid: null
    },
    conformIdTokenClaims: false,
    features: {
      devInteractions: {enabled: false}, backchannelLogout: {enabled: true}, rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => { context.body = form; }
      }
    },
    interactions: {url: (_, interaction) => `/test/sign-in/${interaction.uid}`},
    loadExistingGrant: async context => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    fetch: async (url, options) => { // where the provider sends logout tokens to the client
      if(String(url).endsWith('/test/logout')) {
        tokens.push(new URLSearchParams(String(options.body)).get('logout_token'));
        return new Response(null, {status: 200});
      }
      return fetch(url, options);
    },
    cookies: {keys: ['one', 'two']}
  });
  const inner = provider.callback();
  createServer(async (request, response) => {
    const path = request.url.split('?')[0];
    if(path === '/test/account') {
      account = JSON.parse(await body(request));
      response.end();
    } else if(path === '/test/logout-tokens') {
      response.end(JSON.stringify(tokens));
    } else if(path.startsWith('/test/sign-in/')) {
      const login = {accountId: account.sub, acr: account.acr, amr: account.amr};
      await provider.interactionFinished(request, response, {login}, {mergeWithLastSubmission: false});
    } else {
      inner(request, response);
    }
  }).listen(Number(port), '127.0.0.1', () => process.stdout.write(`${port}\n`));
}
