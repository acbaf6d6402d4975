// Starts the application in the browser.

import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { readerLanguage } from './messages/catalogue';

// `index.html` declares English, because the sentence that it shows without JavaScript is in English.
document.documentElement.lang = readerLanguage;
mount(App, { target: document.body });

// The service worker lets the page open without a network. Otherwise text that was typed offline could not be seen again.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}
