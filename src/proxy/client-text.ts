// Text that a client chose, as it stands in a log line: it says the same to whoever parses the line, but none of the
// words that operators count lines by with grep.

/** Of the predecessor's guide; docs/operations.md prints the commands. */
const COUNTED = /ERROR|successfully|Request processed|Using configuration|marked as failed/;
const EVERY_COUNTED = new RegExp(COUNTED, 'g');
/** As request ids of ours are: JSON writes it as it is, and no such word is in it. */
const PLAIN = /^[\da-f-]*$/;

/** What stands between the quotes of a JSON string. */
export function clientText(text: string): string {
  if (PLAIN.test(text)) return text;
  const json = JSON.stringify(text).slice(1, -1);
  return COUNTED.test(json) ? json.replace(EVERY_COUNTED, withoutItsFirstLetter) : json;
}

/** JSON may write any character by its number (RFC 8259 section 7). */
function withoutItsFirstLetter(word: string): string {
  return `\\u00${word.charCodeAt(0).toString(16)}${word.slice(1)}`;
}
