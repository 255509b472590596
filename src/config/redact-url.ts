// Takes out of a URL whatever may be secret, also of one too broken to parse.

/** The URL with user, password, query and fragment replaced by `***`. */
export function redactUrl(text: string): string {
  // Up to the last @: a password with an unescaped / or # still ends there.
  const withoutUser = text.replace(/^([a-z][a-z0-9+.-]*:\/+)?.*@/is, '$1***@');
  return withoutUser.replace(/([?#]).+$/s, '$1***');
}
