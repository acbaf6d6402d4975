// Computes the digest of a release: SHA-256 over canonical JSON (RFC 8785).

import { sha256 } from '@noble/hashes/sha2.js';
import canonicalize from 'canonicalize';

/** Returns bytes in hexadecimal. */
export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Returns the SHA-256 of a value's canonical JSON, in hexadecimal. */
export function digestOf(value: unknown): string {
  return toHex(sha256(new TextEncoder().encode(canonicalize(value))));
}
