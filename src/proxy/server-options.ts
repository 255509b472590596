// How strictly, and how patiently, node's HTTP parser reads heads.
import type { IncomingMessage, ServerOptions } from 'node:http';
import { isWebSocketOffer } from './upgrade-offer.ts';

/** Request line and headers together; nginx's large_client_header_buffers come to the same. */
const LARGEST_HEAD_BYTES = 32 * 1024;

/** Known to Node from 24.9 on: what it says no to stays a request. Before, `upgrade` is heard of every offer. */
interface UpgradeDecision {
  readonly shouldUpgradeCallback: (request: IncomingMessage) => boolean;
}

export function parserOptions(headerMs: number): ServerOptions & UpgradeDecision {
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
    shouldUpgradeCallback: isWebSocketOffer,
  };
}
