// Checks the mails about a user account with a real browser and over SMTP: a mailed link confirms an address, and
// another mailed link sets a new password.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

const PASSWORD = 'cobalt umbrella seventeen';

/** Starts a minimal SMTP server (RFC 5321) that accepts every mail and keeps it in `mails`. */
async function mailbox() {
  const mails = [];
  const front = createServer((socket) => {
    let text = '';
    let reading = false;
    socket.write('220 mail.test\r\n');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk;
      if (reading) {
        if (!text.endsWith('\r\n.\r\n')) return;
        mails.push(text.replaceAll('=\r\n', ''));
        reading = false;
        text = '';
        socket.write('250 taken\r\n');
        return;
      }
      if (!text.endsWith('\r\n')) return;
      reading = text.startsWith('DATA');
      socket.write(reading ? '354 go on\r\n' : text.startsWith('QUIT') ? '221 bye\r\n' : '250 fine\r\n');
      text = '';
    });
  });
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  return { mails, url: `smtp://127.0.0.1:${front.address().port}`, stop: () => front.close() };
}

await story(
  async ({ server, newcomer }) => {
    const mail = await mailbox();
    await server.stop();
    await server.start(['--smtp-url', mail.url, '--mail-from', 'Accord <accord@riverton.example>']);
    const link = async (subject) => {
      const found = () => mail.mails.find((text) => text.includes(`Subject: ${subject}`));
      await until(`a mail: ${subject}`, () => found() !== undefined);
      return /(http\S+\/links\/\S+)/.exec(found())[1];
    };
    const button = ({ page }, name) => page.getByRole('button', { name, exact: true });
    const ida = await newcomer('ida');
    await ida.page.goto(/open (http\S+) within a day/.exec(server.log)[1]);
    await ida.page.getByLabel('Your name').fill('Ida Novak');
    await ida.page.getByLabel('E-mail address').fill('ida@riverton.example');
    await ida.page.getByLabel('Password').fill(PASSWORD);
    await button(ida, 'Create the administrator’s account').click();
    await ida.page.getByRole('heading', { name: 'Your plans' }).waitFor();

    // Ida's address is unconfirmed until she opens the link that was mailed to it, in a browser where she is signed in.
    await ida.page.goto(`${server.base}/account`);
    await ida.page.getByText('not confirmed', { exact: true }).waitFor();
    await button(ida, 'Send me a link to confirm it').click();
    await ida.page.getByText('We have sent a link to ida@riverton.example').waitFor();
    await lookAtAll(ida.page, 'account-unconfirmed');
    const confirmation = await link('Confirm your address for Accord');
    const stranger = await newcomer('stranger');
    await stranger.page.goto(confirmation);
    await stranger.page.getByText('Sign in as Ida Novak first').waitFor();
    await lookAtAll(stranger.page, 'confirm-signed-out');
    await ida.page.goto(confirmation);
    await button(ida, 'Confirm the address').waitFor();
    await lookAtAll(ida.page, 'confirm');
    await button(ida, 'Confirm the address').click();
    await ida.page.getByText('confirmed', { exact: true }).waitFor();

    // A new address is unconfirmed again. The server mails a link to it immediately, and a notice to the old address.
    await ida.page.getByLabel('New e-mail address').fill('ida@novak.example');
    await ida.page.locator('form', { hasText: 'New e-mail address' }).getByLabel('Password').fill(PASSWORD);
    mail.mails.length = 0;
    await button(ida, 'Change address').click();
    await ida.page.getByText('Your e-mail address has changed').waitFor();
    await ida.page.getByText('not confirmed', { exact: true }).waitFor();
    await link('Confirm your address for Accord');
    await until('the old address is told', () => mail.mails.some((text) => text.includes('To: ida@riverton.example')));

    // A mailed link replaces the lost password. Using that link also confirms the address to which it was mailed.
    await stranger.page.goto(server.base);
    await stranger.page.getByLabel('E-mail address').fill('ida@novak.example');
    await stranger.page.getByRole('button', { name: 'Send me a link' }).click();
    await stranger.page.goto(await link('A new password for Accord'));
    await stranger.page.getByLabel('New password').fill('orchid gravel pendulum');
    await button(stranger, 'Set password and sign in').click();
    await stranger.page.getByRole('heading', { name: 'Your plans' }).waitFor();
    await stranger.page.goto(`${server.base}/account`);
    await stranger.page.getByText('confirmed', { exact: true }).waitFor();
    await ida.page.goto(`${server.base}/account`);
    await button(ida, 'Sign in').waitFor();
    mail.stop();
    for (const { name, errors } of [ida, stranger]) assert.deepEqual(errors, [], name);
  },
  { demo: false },
);
