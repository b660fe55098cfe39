// What the page stores in the browser, looked at and changed behind its back.
import assert from 'node:assert/strict';
import { PATIENCE } from './harness.mjs';

/** In the page: opens the database of the site's folder and does something with its stores. */
const within = (page, mode, act, ...details) => page.evaluate(async (mode, act, ...details) => {
  const settled = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const name = `lookahead ${location.pathname.replace(/\/[^/]*$/, '')}`;
  if (!(await indexedDB.databases()).some(database => database.name === name)) return [];
  const database = await settled(indexedDB.open(name));
  const transaction = database.transaction(['descriptions', 'files'], mode);
  const [descriptions, files] = ['descriptions', 'files'].map(store => transaction.objectStore(store));
  const result = await new Function(`return ${act}`)()(settled, descriptions, files, ...details);
  database.close();
  return result;
}, mode, act.toString(), ...details);

/** All records: { name, description, size }, with the size of the file in bytes. */
export const records = page => within(page, 'readonly', async (settled, descriptions, files) => {
  const [names, values] = [await settled(descriptions.getAllKeys()), await settled(descriptions.getAll())];
  // Large integers are BigInts, which do not travel to the test.
  const plain = value => JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? Number(part) : part)));
  const found = [];
  for (const [index, name] of names.entries()) {
    found.push({ name, description: plain(values[index]), size: (await settled(files.get(name)))?.byteLength ?? 0 });
  }
  return found;
});

/** Changes parts of a record's description. */
export const describe = (page, name, changes) => within(page, 'readwrite', async (settled, descriptions, _, name, changes) => {
  await settled(descriptions.put({ ...(await settled(descriptions.get(name))), ...changes }, name));
  return null;
}, name, changes);

/** The hash under which the page keeps a file: 64-bit FNV-1a, as a BigInt. */
export const hashOf = bytes => bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);
/** As links write a hash. */
export const hexOf = hash => hash.toString(16).padStart(16, '0');

/** Keeps a file of weights, as the page does. */
export async function keepWeights(page, bytes) {
  const put = async (settled, descriptions, files, hex, bytes) => {
    const name = `weights ${hex}`;
    await settled(descriptions.put({ hash: BigInt(`0x${hex}`), label: 'of the test', link: '', class: null, written: 0 }, name));
    await settled(files.put(new Uint8Array(bytes), name));
    return 'kept';
  };
  // The page makes its database when it opens.
  while ((await within(page, 'readwrite', put, hexOf(hashOf(bytes)), bytes)) !== 'kept') await new Promise(resolve => setTimeout(resolve, 50));
}

/** Removes a record. */
export const dropRecord = (page, name) => within(page, 'readwrite', async (settled, descriptions, files, name) => {
  await settled(descriptions.delete(name));
  await settled(files.delete(name));
  return null;
}, name);

/** Waits until the records, looked at again and again, are as `enough(records)` wants them. */
export async function keeps(page, enough) {
  const end = Date.now() + PATIENCE;
  let found = await records(page);
  while (!enough(found)) {
    assert.ok(Date.now() < end, `the browser keeps ${JSON.stringify(found.map(({ name, size }) => [name, size]))}`);
    await new Promise(resolve => setTimeout(resolve, 50));
    found = await records(page);
  }
}
