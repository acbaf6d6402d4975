// Checks signing in with OpenID Connect: in a real browser with a real provider on this machine, and then with a provider
// that lies, whose tokens the server must refuse.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import Provider from 'oidc-provider';
import { sleep, story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

const PEOPLE = {
  fay: { name: 'Fay Duarte', email: 'fay@riverton.example' },
  ben: { name: 'Ben Okafor', email: 'ben@money.example' },
};
const PASSWORD = 'cobalt umbrella seventeen';

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));

/** Starts a correct provider, which knows two people and accepts any password. */
async function honest(redirect) {
  const front = createServer();
  const issuer = await listening(front);
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'accord', client_secret: 'a secret of both', redirect_uris: [redirect] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email_verified: true, ...PEOPLE[id] }) }),
    pkce: { required: () => true },
    cookies: { keys: ['of this test'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  front.on('request', provider.callback());
  return { issuer, stop: () => front.close() };
}

/** Starts a provider that lies in its tokens. The authorization code that it receives names the lie. */
async function lying() {
  let keys = await generateKeyPair('RS256');
  let kid = 'first';
  let keysAsked = 0;
  const other = await generateKeyPair('RS256');
  const asked = {};
  let issuer;
  const token = async (lie, body) => {
    const client = 'accord';
    const claims = { sub: 'ben', nonce: lie === 'nonce' ? 'another' : asked.nonce, ...PEOPLE.ben };
    if (lie === 'none') return new UnsecuredJWT(claims).setIssuer(issuer).setAudience(client).setIssuedAt().setExpirationTime('5m').encode();
    const expires = lie === 'expired' ? Math.floor(Date.now() / 1000) - 3_600 : '5m';
    const verifier = createHash('sha256').update(body.get('code_verifier')).digest('base64url');
    assert.equal(verifier, asked.code_challenge, 'the verifier is the one of the challenge (PKCE)');
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: lie === 'kid' ? 'invented' : kid })
      .setIssuer(lie === 'issuer' ? 'https://elsewhere.example' : issuer)
      .setAudience(lie === 'audience' ? 'somebody else' : client)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(lie === 'signature' ? other.privateKey : keys.privateKey);
  };
  const front = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, issuer);
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = new URLSearchParams(text);
    const answers = {
      '/.well-known/openid-configuration': () => ({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'none'],
      }),
      '/jwks': async () => {
        keysAsked += 1;
        return { keys: [{ ...(await exportJWK(keys.publicKey)), kid, alg: 'RS256', use: 'sig' }] };
      },
      '/token': async () => ({ access_token: 'x', token_type: 'Bearer', id_token: await token(body.get('code'), body) }),
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(await answers[pathname]()));
  });
  issuer = await listening(front);
  const rotate = async () => {
    keys = await generateKeyPair('RS256');
    kid = 'second';
  };
  return { issuer, asked, rotate, keysAsked: () => keysAsked, stop: () => front.close() };
}

await story(
  async ({ server, newcomer }) => {
    const button = ({ page }, name) => page.getByRole('button', { name, exact: true });
    const ida = await newcomer('ida');
    await ida.page.goto(/open (http\S+) within a day/.exec(server.log)[1]);
    await ida.page.getByLabel('Your name').fill('Ida Novak');
    await ida.page.getByLabel('E-mail address').fill('ida@riverton.example');
    await ida.page.getByLabel('Password').fill(PASSWORD);
    await button(ida, 'Create the administrator’s account').click();
    await ida.page.getByRole('heading', { name: 'Your plans' }).waitFor();

    // Ida adds the provider. The server refuses an issuer that does not answer.
    const redirect = `${server.base}/api/v1/providers/callback`;
    const provider = await honest(redirect);
    await ida.page.getByRole('link', { name: 'Administration' }).click();
    await button(ida, 'Add a provider').click();
    await ida.page.getByText(redirect).waitFor();
    await ida.page.getByLabel('Name on the sign-in page').fill('Riverton ID');
    await ida.page.getByLabel('Client ID').fill('accord');
    await ida.page.getByLabel('Client secret').fill('a secret of both');
    await ida.page.getByLabel('Issuer').fill('http://127.0.0.1:9');
    await button(ida, 'Add a provider').click();
    await ida.page.getByRole('alert').filter({ hasText: 'This provider does not work' }).waitFor();
    await ida.page.getByLabel('Trust it to confirm e-mail addresses').check();
    await lookAtAll(ida.page, 'provider-new');
    await ida.page.getByLabel('Issuer').fill(provider.issuer);
    await button(ida, 'Add a provider').click();
    await ida.page.getByText(provider.issuer).waitFor();

    // Ida creates a plan, for which `invite` makes invitations.
    const api = (path, body) =>
      ida.page.evaluate(
        async ([path, body]) => {
          const headers = { 'content-type': 'application/json' };
          return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
        },
        [path, body],
      );
    const { id: plan } = await api('/api/v1/plans', { title: 'Riverton 2027–2028' });
    const invite = async (seat, sector) => {
      const [made] = await api(`/api/v1/plans/${plan}/invitations`, { invitations: [{ seat, sector }] });
      return made.link;
    };

    // Signs in on the provider's pages, and consents that Accord receives the name and address.
    const through = async ({ page }, login) => {
      await page.locator('input[name=login]').fill(login);
      await page.locator('input[name=password]').fill('any');
      await page.locator('button[type=submit]').click();
      // The provider asks each person for consent only once.
      await page.waitForURL((url) => url.href.startsWith(server.base) || url.pathname.includes('/interaction/'));
      const consent = page.locator('button[type=submit]', { hasText: 'Continue' });
      if (!page.url().startsWith(server.base)) await consent.click();
      await page.waitForURL((url) => url.href.startsWith(server.base));
    };

    // Fay has no invitation yet: she is not signed in, and the page says so.
    const fay = await newcomer('fay');
    await fay.page.goto(server.base);
    await lookAtAll(fay.page, 'sign-in-providers');
    await fay.page.getByRole('link', { name: 'Continue with Riverton ID' }).click();
    await through(fay, 'fay');
    await fay.page.getByRole('alert').filter({ hasText: 'No account uses this way to sign in yet' }).waitFor();

    // With an invitation, Fay joins through the provider, and can sign in through it again later.
    await fay.page.goto(await invite('facilitator', 'government'));
    await fay.page.getByRole('link', { name: 'Continue with Riverton ID' }).click();
    await fay.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();
    assert.equal(await fay.page.locator('.account .name').innerText(), 'Fay Duarte');
    await button(fay, 'Sign out').click();
    await fay.page.getByRole('link', { name: 'Continue with Riverton ID' }).click();
    await fay.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();

    // The provider is Fay's only way to sign in, so she can't remove it from her account.
    await fay.page.goto(`${server.base}/account`);
    await button(fay, 'Stop using Riverton ID').click();
    await fay.page.getByRole('alert').filter({ hasText: 'Set a password first' }).waitFor();

    // Ben has an account with a password, and adds the provider to that account.
    const ben = await newcomer('ben');
    await ben.page.goto(await invite('author', 'civil_society'));
    await ben.page.getByLabel('Your name').fill('Ben Okafor');
    await ben.page.getByLabel('E-mail address').fill(PEOPLE.ben.email);
    await ben.page.getByLabel('Password').fill(PASSWORD);
    await button(ben, 'Create account and join').click();
    await ben.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();
    await ben.page.goto(`${server.base}/account`);
    await ben.page.getByRole('link', { name: 'Add Riverton ID' }).click();
    await through(ben, 'ben');
    await button(ben, 'Stop using Riverton ID').waitFor();
    // The provider is trusted to confirm addresses, and has confirmed Ben's.
    await ben.page.getByText('confirmed', { exact: true }).waitFor();
    await lookAtAll(ben.page, 'account-provider');
    await button(ben, 'Sign out').click();
    await ben.page.goto(server.base);
    await ben.page.getByRole('link', { name: 'Continue with Riverton ID' }).click();
    await ben.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();

    // Ben gets a link for a new password. Its page shows the provider as another way to sign in as Ben, and can remove it.
    const { people } = await ida.page.evaluate(async () => (await fetch('/api/v1/administration')).json());
    const { link } = await api(`/api/v1/administration/people/${people.find(({ name }) => name === 'Ben Okafor').id}/reset`, {});
    await ida.page.reload();
    await ida.page.getByRole('heading', { name: 'Accounts' }).waitFor();
    await lookAtAll(ida.page, 'administration-accounts');
    const reset = await newcomer('reset');
    await reset.page.goto(link);
    await reset.page.getByText('You can also sign in with Riverton ID').waitFor();
    await lookAtAll(reset.page, 'reset-providers');
    await reset.page.getByLabel('New password').fill('orchid gravel pendulum');
    await reset.page.getByLabel('Stop using Riverton ID').check();
    await button(reset, 'Set password and sign in').click();
    await reset.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();
    await reset.page.goto(`${server.base}/account`);
    await reset.page.getByRole('link', { name: 'Add Riverton ID' }).waitFor();
    await ben.page.goto(`${server.base}/account`);
    await button(ben, 'Sign in').waitFor();
    provider.stop();

    // From here on, people sign in with another provider, which lies in its tokens.
    const liar = await lying();
    await api('/api/v1/administration/providers', { name: 'Liar', issuer: liar.issuer, client_id: 'accord', client_secret: 's' });
    const { providers } = await (await fetch(`${server.base}/api/v1/providers`)).json();
    const id = providers.find(({ name }) => name === 'Liar').id;
    const begin = async () => {
      const sent = await fetch(`${server.base}/api/v1/providers/${id}/start`, { redirect: 'manual' });
      const to = new URL(sent.headers.get('location'));
      Object.assign(liar.asked, Object.fromEntries(to.searchParams));
      assert.equal(to.searchParams.get('code_challenge_method'), 'S256');
      assert.equal(to.searchParams.get('redirect_uri'), redirect);
      return sent.headers.get('set-cookie').split(';')[0];
    };
    const comeBack = async (query, cookie) => {
      const back = await fetch(`${redirect}?${new URLSearchParams(query)}`, { redirect: 'manual', headers: cookie ? { cookie } : {} });
      const signedIn = back.headers.getSetCookie().some((one) => one.startsWith('accord_session='));
      return [back.headers.get('location'), signedIn];
    };
    for (const lie of ['nonce', 'issuer', 'audience', 'expired', 'signature', 'none']) {
      const cookie = await begin();
      assert.deepEqual(await comeBack({ state: liar.asked.state, code: lie }, cookie), ['/?refused=provider_untrusted', false], lie);
    }
    let cookie = await begin();
    assert.deepEqual(await comeBack({ state: 'another', code: 'fine' }, cookie), ['/?refused=provider_unknown', false], 'state');
    cookie = await begin();
    assert.deepEqual(await comeBack({ state: liar.asked.state, code: 'fine' }), ['/?refused=provider_unknown', false], 'another browser');
    assert.deepEqual(await comeBack({ state: liar.asked.state, code: 'fine' }, cookie), ['/?refused=unknown_identity', false], 'the truth');
    assert.deepEqual(await comeBack({ state: liar.asked.state, code: 'fine' }, cookie), ['/?refused=provider_unknown', false], 'twice');
    cookie = await begin();
    assert.deepEqual(
      await comeBack({ state: liar.asked.state, error: 'access_denied' }, cookie),
      ['/?refused=provider_refused', false],
      'a refusal',
    );

    // When a token names an unknown key, the server fetches the provider's keys again, at most once every ten seconds.
    await liar.rotate();
    await sleep(10_000);
    const before = liar.keysAsked();
    cookie = await begin();
    assert.deepEqual(await comeBack({ state: liar.asked.state, code: 'fine' }, cookie), ['/?refused=unknown_identity', false], 'new keys');
    for (let n = 0; n < 3; n += 1) {
      cookie = await begin();
      assert.deepEqual(await comeBack({ state: liar.asked.state, code: 'kid' }, cookie), ['/?refused=provider_untrusted', false], 'a key that is none');
    }
    assert.equal(liar.keysAsked() - before, 1, 'keys are asked for once');
    // A subject identifies a person at one issuer only: the liar's tokens named Ben's subject and address, but none of the
    // answers above signed Ben in.
    liar.stop();
    await until('no errors', () => [ida, fay, ben, reset].every(({ errors }) => errors.length === 0) || [ida, fay, ben, reset].map(({ errors }) => errors));
  },
  { demo: false },
);
