// Serves hocuspocus as its guide sets it up, without extensions: documents are only in memory.
import { Server } from '@hocuspocus/server';

await new Server({ address: '127.0.0.1', port: Number(process.argv[2]), quiet: true }).listen();
