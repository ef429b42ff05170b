import { PID_HEADER } from './shop.ts';

/**
 * Has every request that this process makes to the shop with `fetch` say which process it is,
 * whoever wrote the tool: an effect that came late is excused only where it is known whose it was.
 */
export function signRequests(shopUrl: string): void {
  const send = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(shopUrl)) return send(input, init);
    const request = new Request(input, init);
    request.headers.set(PID_HEADER, String(process.pid));
    return send(request);
  };
}
