// How figures and times are written, and the few lines that make elements. Whatever an event holds becomes text only here.

const whole = new Intl.NumberFormat('en');
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const count = (n) => (n == null ? '–' : whole.format(n));
export const short = (n) => (n == null ? '–' : n < 10_000 ? one.format(n) : compact.format(n));
export const percent = (part, all) => (all > 0 ? `${one.format((100 * part) / all)} %` : '–');
export const time = (iso) => clock.format(new Date(iso));

/** 4 ms, 1.2 s, 3 min. */
export function duration(seconds) {
  if (seconds == null) return '–';
  if (seconds === 0) return '0 s';
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 120) return `${one.format(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${one.format(seconds / 3600)} h`;
}

export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** An element with text, never with markup. */
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text != null) made.textContent = text;
  return made;
}

/** What somebody else wrote: of a direction of its own, so that it can't turn its surroundings. */
export const foreign = (text, className) => element('bdi', className, text);

/** Sets a text only if it is another one: what did not change is not announced, nor laid out. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Lets a list have one child per item, and keeps the children that it has, with their focus. */
export function keyed(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    if (!child) {
      child = create(item);
      child.dataset.key = key;
    }
    known.delete(key);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    update(child, item);
  }
  known.forEach((child) => child.remove());
}

/** Indents JSON as text: parsing it would cost the digits of large numbers. */
export function indent(json) {
  let depth = 0;
  return json.replace(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (token) => {
    switch (token) {
      case '{': case '[': return token + line(++depth);
      case '}': case ']': return line(--depth) + token;
      case ',': return token + line(depth);
      case ':': return ': ';
      default: return token.trim() === '' ? '' : token;
    }
  });
}

/** Writes what turns text around, or can't be seen, as JSON would escape it. */
export const visible = (text) =>
  text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    [...Array(sign.length).keys()].map((i) => `\\u${sign.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''));

const line = (depth) => '\n' + '  '.repeat(depth);
