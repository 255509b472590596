// The door: may this client come in at all, with this key, for this model, and now? Nothing of what a client shows
// here goes any further than its key's name.
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ClientAccess } from '../clients/access.ts';
import { AllowedClients } from '../clients/allowed-clients.ts';
import { KeyRing } from '../clients/client-key.ts';
import { matchesAny } from '../clients/model-patterns.ts';
import { type ClientRefusals, NO_REFUSALS } from '../clients/refusals.ts';
import type { ClientKey, ClientsSnapshot } from '../clients/snapshot.ts';
import type { Exchange } from './exchange.ts';
import type { GateVerdict, LimitGate } from './limit-gate.ts';
import { modelsOf } from './named-models.ts';
import {
  addressRefused,
  keyRefused,
  limitRefused,
  modelRefused,
  modelUnreadable,
  type Refusal,
} from './refusal.ts';

/** Checks the clients of one worker. */
export class Admission {
  readonly #needsKey: boolean;
  readonly #allowed: AllowedClients;
  readonly #gate: LimitGate;
  #ring: KeyRing<ClientKey> = new KeyRing<ClientKey>([], ({ hash }) => hash);
  #version = -1;
  #keys = 0;
  #refusals: ClientRefusals = NO_REFUSALS;

  constructor({ needsKey, allowed }: ClientAccess, gate: LimitGate) {
    this.#needsKey = needsKey;
    this.#allowed = new AllowedClients(allowed);
    this.#gate = gate;
  }

  /** Number of client keys. */
  get keys(): number {
    return this.#keys;
  }

  /** Requests turned away so far. */
  get refusals(): ClientRefusals {
    return this.#refusals;
  }

  /** Takes over the keys, unless newer ones are in use already. */
  apply({ version, keys }: ClientsSnapshot): void {
    if (version <= this.#version) return;
    this.#version = version;
    this.#keys = keys.length;
    this.#ring = new KeyRing(keys, ({ hash }) => hash);
  }

  /** First of all: the address of the other end of the connection. */
  checkAddress({ request }: Exchange): Refusal | null {
    const { remoteAddress } = request.socket;
    if (this.#allowed.allows(remoteAddress)) return null;
    return this.#refuse('address', addressRefused(remoteAddress));
  }

  /** Then the key. From here on the exchange has the name of its client. */
  identify(exchange: Exchange): Refusal | null {
    if (!this.#needsKey) return null;
    const shown = shownKeys(exchange.request);
    const client = this.#ring.find(shown);
    if (client === undefined) {
      const { remoteAddress } = exchange.request.socket;
      return this.#refuse(
        'key',
        keyRefused(
          shown.some((key) => key !== ''),
          remoteAddress,
        ),
      );
    }
    exchange.client = client;
    return null;
  }

  /** Whether the whole body is wanted here, to see which model it names. */
  readsModels({ client }: Exchange): boolean {
    return client !== null && client.models !== null;
  }

  /**
   * Last, with its body taken: the model and the limits. Calls back with the refusal, or null to go on; never when the
   * client leaves before.
   * @param connection emits `close` when the exchange is over
   */
  enter(exchange: Exchange, connection: EventEmitter, onChecked: (refusal: Refusal | null) => void): void {
    const { client } = exchange;
    const refusal = client === null ? null : this.#checkModels(exchange, client);
    if (client === null || refusal !== null || !client.isLimited) {
      onChecked(refusal);
      return;
    }
    this.#gate.enter(client.name, connection, (verdict) => onChecked(this.#judge(client, verdict)));
  }

  #checkModels(exchange: Exchange, { name, models }: ClientKey): Refusal | null {
    if (models === null) return null;
    const named = modelsOf(exchange);
    if (named === null) return this.#refuse('model', modelUnreadable(name));
    const other = named.find((model) => !matchesAny(models, model));
    return other === undefined ? null : this.#refuse('model', modelRefused(name, other));
  }

  #judge({ name }: ClientKey, verdict: GateVerdict): Refusal | null {
    switch (verdict.type) {
      case 'admitted':
        return null;
      case 'unknownKey':
        return this.#refuse('key', keyRefused(true, undefined));
      case 'refused':
      case 'unanswered':
        return this.#refuse('limit', limitRefused(name, verdict));
    }
  }

  #refuse(reason: keyof ClientRefusals, refusal: Refusal): Refusal {
    this.#refusals = { ...this.#refusals, [reason]: this.#refusals[reason] + 1 };
    return refusal;
  }
}

/** Always two texts, so that looking them up always takes as long; empty where the client shows none. */
function shownKeys({ headers }: IncomingMessage): readonly string[] {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const apiKey = headers['x-api-key'];
  return [bearer ?? '', typeof apiKey === 'string' ? apiKey.trim() : ''];
}
