// Lists the files that a commitment needs without a network, and names the list in the page. The service worker
// (`public/sw.js`) keeps these files. The list is an asset, so its name contains a hash: a page always names its own
// list.
import type { Plugin, Rollup } from 'vite';

/** The page whose code is kept, with all code that it loads on demand. */
const PAGE = '/features/commitment/DocumentPage.svelte';

/** Returns the plugin that makes the list. It runs last, when no other plugin adds or removes files any more. */
export function offlineFiles(): Plugin {
  return {
    name: 'offline-files',
    // A build for Node makes no page.
    apply: (_, { command, isSsrBuild }) => command === 'build' && !isSsrBuild,
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html'];
        if (page?.type !== 'asset') throw new Error('the build has no index.html');
        const needed = filesOf(bundle).map((file) => `/${file}`);
        if (needed.length === 0) throw new Error(`${PAGE} needs no file`);
        const all = Object.keys(bundle).filter((file) => file.startsWith('assets/'));
        const source = JSON.stringify({ needed, all: all.map((file) => `/${file}`) });
        const list = this.getFileName(this.emitFile({ type: 'asset', name: 'offline-files.json', source }));
        const tag = `<meta name="offline-files" content="/${list}">`;
        page.source = page.source.toString().replace('</head>', `  ${tag}\n  </head>`);
      },
    },
  };
}

/**
 * Returns the scripts, styles and modules that the page of a commitment can load. Fonts are left out: a browser loads
 * those that a text needs, and shows the text in another font without them.
 */
function filesOf(bundle: Rollup.OutputBundle): string[] {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
  const page = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(PAGE));
  if (!page) throw new Error(`no chunk begins with ${PAGE}`);
  const files = new Set<string>();
  const follow = (name: string) => {
    const chunk = chunks.find((one) => one.fileName === name);
    // The page names its entry itself. The entry would lead to every other page.
    if (!chunk || chunk.isEntry || files.has(name)) return;
    files.add(name);
    for (const file of chunk.viteMetadata?.importedCss ?? []) files.add(file);
    for (const file of chunk.viteMetadata?.importedAssets ?? []) files.add(file);
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) follow(next);
  };
  follow(page.fileName);
  return [...files].filter((file) => !file.endsWith('.woff2'));
}
