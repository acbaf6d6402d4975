// Starts the application in the browser.

import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { readerLanguage } from './messages/catalogue';

// `index.html` says that the page is in English, because what it shows without JavaScript is.
document.documentElement.lang = readerLanguage;
mount(App, { target: document.body });

// The service worker lets the page open without a network. Otherwise text that was typed offline could not be seen again.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}
