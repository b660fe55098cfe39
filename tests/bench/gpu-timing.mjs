// Script put before the worker's own: every dispatch becomes a compute pass of its own with timestamps at its ends, and the
// times are added up by the kernel's name. For a breakdown only: the passes themselves cost time.

/** @returns the script; the sums come over a channel as `{ kernel: { milliseconds, dispatches } }` */
export const timing = () => `(${instrument})();`;

function instrument() {
  if (!self.GPUAdapter) return;
  const MOST = 2048;
  const request = GPUAdapter.prototype.requestDevice;
  const sums = {};
  const names = new WeakMap();
  let device;
  let queries;
  let taken = [];
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    device = await request.call(this, { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), 'timestamp-query'] });
    queries = device.createQuerySet({ type: 'timestamp', count: MOST });
    return device;
  };
  const shaders = new WeakMap();
  const shader = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const made = shader.call(this, descriptor);
    shaders.set(made, descriptor);
    return made;
  };
  const create = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    const pipeline = create.call(this, descriptor);
    const { label, code } = shaders.get(descriptor.compute.module) ?? {};
    names.set(pipeline, descriptor.label || label || /fn (\w+)/.exec(code)?.[1] || 'kernel');
    return pipeline;
  };
  const begin = GPUCommandEncoder.prototype.beginComputePass;
  GPUCommandEncoder.prototype.beginComputePass = function () {
    const encoder = this;
    let pipeline;
    const groups = [];
    return {
      setPipeline(next) { pipeline = next; },
      setBindGroup(...rest) { groups[rest[0]] = rest; },
      dispatchWorkgroups(...size) {
        const at = taken.length;
        const full = 2 * at + 1 >= MOST;
        const pass = begin.call(encoder, full ? {} : { timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 } });
        pass.setPipeline(pipeline);
        for (const group of groups) if (group) pass.setBindGroup(...group);
        pass.dispatchWorkgroups(...size);
        pass.end();
        if (!full) taken.push(names.get(pipeline));
      },
      end() {},
    };
  };
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (commands) {
    submit.call(this, commands);
    if (taken.length === 0) return;
    const done = taken;
    taken = [];
    const bytes = done.length * 16;
    const found = device.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const copy = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(queries, 0, 2 * done.length, found, 0);
    encoder.copyBufferToBuffer(found, 0, copy, 0, bytes);
    submit.call(this, [encoder.finish()]);
    copy.mapAsync(GPUMapMode.READ).then(() => {
      const times = new BigInt64Array(copy.getMappedRange());
      done.forEach((name, index) => {
        const sum = (sums[name] ??= { milliseconds: 0, dispatches: 0 });
        sum.milliseconds += Number(times[2 * index + 1] - times[2 * index]) / 1e6;
        sum.dispatches += 1;
      });
      copy.destroy();
      found.destroy();
    });
  };
  const channel = new BroadcastChannel('lookahead-timing');
  setInterval(() => channel.postMessage(sums), 200);
}

/** Makes a page keep the newest sums, in `window.timing`. */
export const listenTiming = page => page.evaluate(() => {
  window.timingChannel = new BroadcastChannel('lookahead-timing');
  window.timingChannel.onmessage = ({ data }) => { window.timing = data; };
});
