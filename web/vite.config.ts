// Builds the web application. While somebody develops it, Vite serves it and passes calls of the API to a server on port 4040.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { offlineFiles } from './offlineFiles.ts';

export default defineConfig({
  plugins: [svelte(), offlineFiles()],
  build: { target: 'es2022', sourcemap: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': 'http://127.0.0.1:4040', '/sync': { target: 'ws://127.0.0.1:4040', ws: true } } },
});
