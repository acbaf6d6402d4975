// Starts with an empty data folder. The first administrator creates a plan and invites its facilitator, who invites a
// civil-society author. Both write, until the author becomes an observer and can no longer write. Then the author is
// removed from the plan, and the facilitator is signed out and signs in again.
import assert from 'node:assert/strict';
import { sleep, story, until } from './browser.mjs';
import { lookAtAll } from './look.mjs';

const PASSWORD = 'cobalt umbrella seventeen';

await story(
  async ({ server, newcomer }) => {
    const open = async (person, address) => {
      await person.page.goto(address);
      await person.page.waitForSelector('h1', { state: 'attached' });
    };
    const account = async ({ page }, name, email, password = PASSWORD) => {
      await page.getByLabel('Your name').fill(name);
      await page.getByLabel('E-mail address').fill(email);
      await page.getByLabel('Password').fill(password);
    };
    const button = ({ page }, name) => page.getByRole('button', { name, exact: true });

    // Without an administrator nobody can sign in. The server's log contains the link that creates one.
    const ida = await newcomer('ida');
    await open(ida, server.base);
    await lookAtAll(ida.page, 'sign-in-password');
    const setup = /open (http\S+) within a day/.exec(server.log)?.[1];
    assert.ok(setup, server.log);
    await open(ida, setup);
    await lookAtAll(ida.page, 'setup');
    await account(ida, 'Ida Novak', 'ida@riverton.example', 'password1234');
    await button(ida, 'Create the administrator’s account').click();
    await ida.page.getByRole('alert').filter({ hasText: 'easy to guess' }).waitFor();
    await ida.page.getByLabel('Password').fill(PASSWORD);
    await button(ida, 'Create the administrator’s account').click();
    await ida.page.getByRole('heading', { name: 'Your plans' }).waitFor();
    await lookAtAll(ida.page, 'plans-empty');

    // Ida creates a plan and an invitation for its facilitator.
    await button(ida, 'New plan').click();
    await ida.page.getByLabel('What is the plan called?').fill('Riverton 2027–2028');
    await button(ida, 'Create plan').click();
    await ida.page.getByText('This plan has no facilitator yet').waitFor();
    const invite = async (person, label, seat, sector) => {
      await button(person, 'Invite people').click();
      await person.page.getByLabel('Who are you inviting?').fill(label);
      await person.page.getByRole('combobox', { name: /^Role/ }).selectOption({ label: seat });
      if (sector) await person.page.getByRole('combobox', { name: /^Represents/ }).selectOption({ label: sector });
      await button(person, 'Create links').click();
      const link = await person.page.getByLabel(label, { exact: true }).inputValue();
      await button(person, 'Close').click();
      return link;
    };
    const forFay = await invite(ida, 'Fay', 'Facilitator', 'government');

    // Fay opens the invitation in her own browser.
    const fay = await newcomer('fay');
    await open(fay, forFay);
    await fay.page.getByText('Ida Novak invites you to “Riverton 2027–2028”').waitFor();
    await lookAtAll(fay.page, 'invitation');
    await account(fay, 'Fay Duarte', 'fay@riverton.example');
    await button(fay, 'Create account and join').click();
    await fay.page.getByRole('heading', { name: 'Riverton 2027–2028' }).waitFor();
    await lookAtAll(fay.page, 'plan-empty');
    await button(fay, 'New commitment').click();
    await fay.page.getByLabel('What does the commitment promise?').fill('Every contract is published');
    await button(fay, 'Start writing').click();
    await fay.page.waitForSelector('[data-target=problem]');
    await fay.saved();
    const commitment = fay.page.url();

    // Fay invites a civil-society author, Ben. His link does not work a second time.
    await open(fay, `${server.base}/`);
    await fay.page.getByRole('link', { name: 'People' }).click();
    const forBen = await invite(fay, 'Follow the Money', 'Author', 'civil society');
    const ben = await newcomer('ben');
    await open(ben, forBen);
    await account(ben, 'Ben Okafor', 'ben@money.example');
    await button(ben, 'Create account and join').click();
    await ben.page.getByRole('heading', { name: 'Every contract is published' }).getByRole('link').click();
    await ben.page.waitForSelector('[data-target=problem]');
    const eve = await newcomer('eve');
    await open(eve, forBen);
    await eve.page.getByText('has already been used').waitFor();
    await lookAtAll(eve.page, 'invitation-used');
    await open(eve, commitment);
    await button(eve, 'Sign in').waitFor();

    // Fay and Ben write at the same time.
    await open(fay, commitment);
    await fay.page.waitForSelector('[data-target=problem]');
    await fay.saved();
    await fay.caret('problem', 0, 0);
    await fay.type('Nobody sees what the city buys. ');
    await ben.caret('causes', 0, 0);
    await ben.type('There is no register.');
    await until('Fay sees Ben', async () => (await fay.text('causes')) === 'There is no register.');
    await ben.saved();
    await until('Ben is there', () => fay.page.getByRole('list', { name: 'People here' }).getByTitle('Ben Okafor, civil society').isVisible());

    // In another window Fay makes Ben an observer: within five seconds he can only read. The text that he wrote remains in
    // the document.
    const window = await newcomer('fay-people', { context: fay.context });
    await open(window, `${server.base}/`);
    await window.page.getByRole('link', { name: 'People' }).click();
    await button(window, 'Change the role of Ben Okafor').click();
    await window.page.getByRole('combobox', { name: /^Role/ }).selectOption({ label: 'Observer' });
    await button(window, 'Save').click();
    await until('Ben may only read', () => ben.page.getByText('You can’t write here any more').isVisible(), 5_000);
    assert.equal(await ben.field('causes').getAttribute('contenteditable'), 'false');
    await lookAtAll(ben.page, 'read-only-now');
    assert.equal(await ben.text('causes'), 'There is no register.');
    await fay.type('More. ');
    await until('he still reads along', async () => (await ben.text('problem')).includes('More. '));

    // Ben is an author again and writes offline, while Fay makes him an observer. So the server refuses his words. His page
    // keeps them and shows them to him.
    await button(window, 'Change the role of Ben Okafor').click();
    await window.page.getByRole('combobox', { name: /^Role/ }).selectOption({ label: 'Author' });
    await button(window, 'Save').click();
    await until('Ben may write', async () => (await ben.field('causes').getAttribute('contenteditable')) === 'true');
    await ben.context.setOffline(true);
    await until('Ben is offline', async () => (await ben.status()).startsWith('Offline'));
    await ben.caret('causes', 0, -1);
    await ben.type(' WRITTEN OFFLINE');
    await sleep(300);
    await button(window, 'Change the role of Ben Okafor').click();
    await window.page.getByRole('combobox', { name: /^Role/ }).selectOption({ label: 'Observer' });
    await button(window, 'Save').click();
    await window.page.getByText('Observer · civil society').waitFor();
    await ben.context.setOffline(false);
    await ben.page.getByText('Some of what you wrote could not be saved').waitFor();
    await ben.page.getByText('WRITTEN OFFLINE').waitFor();
    await lookAtAll(ben.page, 'set-aside');
    assert.ok(!(await fay.text('causes')).includes('OFFLINE'));
    assert.ok(!(await ben.text('causes')).includes('OFFLINE'));

    // Fay removes Ben from the plan. His page says so and no longer shows the commitment.
    await button(window, 'Change the role of Ben Okafor').click();
    await button(window, 'Remove from the plan').first().click();
    await window.page.locator('dialog').getByRole('button', { name: 'Remove from the plan' }).click();
    await ben.page.getByText('This commitment is no longer shared with you').waitFor();
    await lookAtAll(ben.page, 'not-shared-any-more');
    assert.equal(await fay.text('causes'), 'There is no register.');

    // Fay ends her session from another browser. Her open page asks her to sign in again, and keeps what she typed.
    await fay.context.setOffline(true);
    await until('Fay is offline', async () => (await fay.status()).startsWith('Offline'));
    await fay.caret('problem', 0, 0);
    await fay.type('KEPT ');
    await sleep(300);
    const other = await newcomer('fay-elsewhere');
    await open(other, server.base);
    await other.page.getByLabel('E-mail address').fill('fay@riverton.example');
    await other.page.getByLabel('Password').fill(PASSWORD);
    await button(other, 'Sign in').click();
    await other.page.getByRole('link', { name: 'Your account' }).click();
    await button(other, 'Sign out everywhere else').click();
    await other.page.getByText('You are not signed in anywhere else').waitFor();
    await lookAtAll(other.page, 'account-password');
    await fay.context.setOffline(false);
    await fay.page.getByText('You were signed out').waitFor();
    await lookAtAll(fay.page, 'signed-out');
    await fay.page.getByLabel('E-mail address').fill('fay@riverton.example');
    await fay.page.getByLabel('Password').fill(PASSWORD);
    await button(fay, 'Sign in').click();
    await fay.page.waitForSelector('[data-target=problem]');
    await until('her words are back', async () => (await fay.text('problem')).startsWith('KEPT '));
    await fay.saved();

    for (const { name, errors } of [ida, fay, ben, eve, window, other]) assert.deepEqual(errors, [], name);
  },
  { demo: false },
);
