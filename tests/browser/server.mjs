// A static server as a good host is set up: packed files, and names with a hash stored for good. It sends no other special header.
//   node server.mjs FOLDER PORT            serves FOLDER at /
//   import { serve } from './server.mjs'   serves mounts, for the tests and the benchmark
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.md': 'text/markdown; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};
/** What is packed already, or is noise. */
const UNPACKED = new Set(['.png', '.safetensors']);
const PACKERS = {
  br: body => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
  gzip: body => promisify(gzip)(body, { level: 6 }),
};
/** Packed files, each made once: promises of bodies by file, its time and its packing. */
const packed = new Map();

/**
 * Serves folders on a port of 127.0.0.1.
 * @param mounts [{ at: '/some/path/', folder, headers?, prelude?, blank?, asked? }]: what lies at which path. `prelude` is script put before
 *   the worker's loader; `blank` names an empty page that is not a file; `asked(name)` is called for each request.
 * @param port 0 takes a free one.
 * @returns { origin, port, close }
 */
export async function serve(mounts, port = 0) {
  const server = createServer(async (request, response) => {
    const name = pathOf(request.url);
    const mount = mounts.find(({ at }) => name.startsWith(at));
    const file = mount && (name.slice(mount.at.length) || 'index.html');
    if (mount) mount.asked?.(file);
    const found = mount && (await read(mount, file));
    if (!found) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
      return;
    }
    const packing = UNPACKED.has(path.extname(file)) ? undefined : Object.keys(PACKERS).find(packing => accepts(request, packing));
    const etag = `"${found.version}${packing ? `-${packing}` : ''}"`;
    const headers = { 'content-type': found.type, 'cache-control': caching(file), vary: 'accept-encoding', etag, ...mount.headers };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const body = packing ? await pack(found, packing) : found.body;
    response.writeHead(200, { ...headers, ...(packing && { 'content-encoding': packing }), 'content-length': body.length }).end(body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections?.();
    return new Promise(resolve => server.close(resolve));
  };
  return { origin: `http://localhost:${server.address().port}`, port: server.address().port, close };
}

const accepts = ({ headers }, packing) => (headers['accept-encoding'] ?? '').split(',').some(offer => offer.trim().split(';')[0] === packing);

/** A name with a hash is always the same file. All others are asked for again on each visit. */
const caching = name => (/-[0-9a-f]{8,}[./_]/.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache');

function pathOf(url) {
  try {
    return decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return '';
  }
}

async function read({ folder, prelude, blank }, name) {
  if (name === blank) return { type: TYPES['.html'], version: 'blank', body: Buffer.from('<!doctype html><html lang="en"><title>blank</title><link rel="icon" href="data:,"><body></body></html>') };
  const file = path.resolve(folder, name);
  if (!file.startsWith(path.resolve(folder) + path.sep)) return undefined;
  try {
    const { size, mtimeMs } = await stat(file);
    let body = await readFile(file);
    let version = `${size.toString(36)}-${Math.floor(mtimeMs * 1000).toString(36)}`;
    if (prelude && /^worker(-fused)?_loader\.js$/.test(path.basename(name))) {
      body = Buffer.from(prelude + '\n' + body);
      version = createHash('sha256').update(body).digest('hex').slice(0, 16);
    }
    return { type: TYPES[path.extname(file)] ?? 'application/octet-stream', version, file, body };
  } catch {
    return undefined;
  }
}

function pack({ file, version, body }, packing) {
  const key = `${file} ${version} ${packing}`;
  if (!packed.has(key)) packed.set(key, PACKERS[packing](body));
  return packed.get(key);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder = 'dist', port = '8080'] = process.argv.slice(2);
  serve([{ at: '/', folder }], Number(port)).catch(error => {
    console.error(error.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another with --port.` : String(error));
    process.exit(1);
  });
}
