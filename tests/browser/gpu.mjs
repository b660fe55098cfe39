// Script put before the worker's own: it counts what the worker asks of WebGPU, gives or hides `subgroups`, and can take the device away.

/**
 * @param subgroups 'given': added to every device; 'hidden': no adapter seems to have them and none is granted; 'as is': untouched;
 *   'disguised': untouched, and the adapter seems to be a graphics card, so that the engine takes the kernels made for those.
 */
export const prelude = subgroups => `(${instrument})(${JSON.stringify(subgroups)});`;

function instrument(subgroups) {
  if (!self.GPUAdapter) return;
  const seen = { subgroups, granted: [], dispatches: 0, pipelines: 0, shaders: 0, submits: 0, adapters: [], uncaptured: [], lost: [] };
  const devices = [];
  const count = (prototype, method, key) => {
    const original = prototype[method];
    prototype[method] = function (...rest) {
      seen[key] += 1;
      return original.apply(this, rest);
    };
  };
  count(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', 'dispatches');
  count(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', 'dispatches');
  count(GPUDevice.prototype, 'createComputePipeline', 'pipelines');
  count(GPUDevice.prototype, 'createComputePipelineAsync', 'pipelines');
  count(GPUDevice.prototype, 'createShaderModule', 'shaders');
  count(GPUQueue.prototype, 'submit', 'submits');
  if (subgroups === 'hidden') {
    for (const { prototype } of [GPUAdapter, GPUDevice]) {
      const { get } = Object.getOwnPropertyDescriptor(prototype, 'features');
      Object.defineProperty(prototype, 'features', { get() { return new Set([...get.call(this)].filter(name => name !== 'subgroups')); } });
    }
  }
  if (subgroups === 'disguised') {
    for (const [name, value] of Object.entries({ vendor: 'acme', architecture: 'card', description: '', device: '', isFallbackAdapter: false })) {
      Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
    }
  }
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const wanted = new Set(descriptor.requiredFeatures ?? []);
    if (subgroups === 'given') wanted.add('subgroups');
    if (subgroups === 'hidden' && wanted.has('subgroups')) throw new TypeError('subgroups are not supported');
    const device = await request.call(this, { ...descriptor, requiredFeatures: [...wanted] });
    seen.adapters.push(`${this.info?.vendor} ${this.info?.architecture}`);
    seen.granted.push([...device.features]);
    device.addEventListener('uncapturederror', event => seen.uncaptured.push(event.error.message));
    device.lost.then(({ message }) => seen.lost.push(message));
    devices.push(device);
    return device;
  };
  // Pages of the same origin ask and are answered over a channel: the worker's own messages stay its own.
  const channel = new BroadcastChannel('lookahead-gpu');
  channel.onmessage = ({ data }) => {
    if (data === 'destroy') devices.forEach(device => device.destroy());
    if (data === 'count') channel.postMessage(seen);
  };
  // A worker that is ended answers no more, so it also tells by itself, now and then.
  setInterval(() => seen.dispatches > 0 && channel.postMessage(seen), 200);
}

/** Makes a page keep what instrumented workers tell, in `window.gpu`. */
export const listen = page => page.evaluate(() => {
  window.gpuChannel = new BroadcastChannel('lookahead-gpu');
  window.gpuChannel.onmessage = ({ data }) => { window.gpu = data; };
});

/** The newest counts. */
export const counts = page => page.evaluate(() => window.gpu);
/** Takes the device away from the workers. */
export const destroy = page => page.evaluate(() => window.gpuChannel.postMessage('destroy'));
