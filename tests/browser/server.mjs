// A static server without any special header, as the plainest host has it.
//   node server.mjs FOLDER PORT            serves FOLDER at /
//   import { serve } from './server.mjs'   serves mounts, for the tests and the benchmark
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/**
 * Serves folders on a port of 127.0.0.1.
 * @param mounts [{ at: '/some/path/', folder, headers?, prelude?, blank? }]: what lies at which path. `prelude` is script put before
 *   the worker's loader; `blank` names an empty page that is not a file.
 * @param port 0 takes a free one.
 * @returns { origin, close }
 */
export async function serve(mounts, port = 0) {
  const server = createServer(async (request, response) => {
    const name = pathOf(request.url);
    const mount = mounts.find(({ at }) => name.startsWith(at));
    const found = mount && (await read(mount, name.slice(mount.at.length) || 'index.html'));
    if (!found) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
      return;
    }
    response.writeHead(200, { 'content-type': found.type, 'cache-control': 'no-cache', ...mount.headers }).end(found.body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections?.();
    return new Promise(resolve => server.close(resolve));
  };
  return { origin: `http://localhost:${server.address().port}`, close };
}

function pathOf(url) {
  try {
    return decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return '';
  }
}

async function read({ folder, prelude, blank }, name) {
  if (name === blank) return { type: TYPES['.html'], body: '<!doctype html><html lang="en"><title>blank</title><link rel="icon" href="data:,"><body></body></html>' };
  const file = path.resolve(folder, name);
  if (!file.startsWith(path.resolve(folder) + path.sep)) return undefined;
  try {
    let body = await readFile(file);
    if (prelude && /^worker(-fused)?_loader\.js$/.test(path.basename(name))) body = prelude + '\n' + body;
    return { type: TYPES[path.extname(file)] ?? 'application/octet-stream', body };
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder = 'dist', port = '8080'] = process.argv.slice(2);
  serve([{ at: '/', folder }], Number(port)).catch(error => {
    console.error(error.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another with --port.` : String(error));
    process.exit(1);
  });
}
