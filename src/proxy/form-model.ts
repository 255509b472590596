// The model that a multipart form names (RFC 7578), as /v1/audio and /v1/images take it. Only the heads of parts are read.

const LONGEST_CHARS = 512;
const HEAD_END = Buffer.from('\r\n\r\n');
const NAMED_MODEL = /^content-disposition:(?=[^\r\n]*;\s*name="?model"?\s*(?:;|$))(?![^\r\n]*;\s*filename)/im;

/** @returns null for another type of body, or a form, or beginning of one, without a model */
export function readFormModel(bytes: Buffer, contentType: string): string | null {
  const boundary = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  if (boundary === null) return null;
  const delimiter = Buffer.from(`--${boundary[1] ?? boundary[2]}`, 'latin1');
  for (let at = bytes.indexOf(delimiter); at >= 0; ) {
    const headEnd = bytes.indexOf(HEAD_END, at);
    if (headEnd < 0) return null;
    const next = bytes.indexOf(delimiter, headEnd);
    const head = bytes.toString('latin1', at + delimiter.length, headEnd);
    // The delimiter that follows begins with a line end.
    if (next >= 0 && NAMED_MODEL.test(head))
      return textOf(bytes.subarray(headEnd + HEAD_END.length, next - 2));
    at = next;
  }
  return null;
}

function textOf(value: Buffer): string | null {
  const text = value.toString('utf8').trim();
  return text === '' || text.length > LONGEST_CHARS ? null : text;
}
