// How strictly, and how patiently, node's HTTP parser reads heads.
import type { ServerOptions } from 'node:http';

/** Request line and headers together; nginx's large_client_header_buffers come to the same. */
const LARGEST_HEAD_BYTES = 32 * 1024;

export function parserOptions(headerMs: number): ServerOptions {
  return {
    noDelay: true,
    maxHeaderSize: LARGEST_HEAD_BYTES,
    headersTimeout: headerMs,
    connectionsCheckingInterval: Math.min(1_000, Math.max(50, headerMs / 4)),
    // A whole request may take as long as its body keeps coming: see body-pace.ts.
    requestTimeout: 0,
    // Node would refuse it with a bare 400 of its own; request-head.ts does so in the client's dialect.
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
}
