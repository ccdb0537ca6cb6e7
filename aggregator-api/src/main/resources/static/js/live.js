// The one stream that feeds the page. Read by fetch rather than by EventSource, which can't send a header, and doesn't tell why
// it was refused.
import { onNewKey, request } from './key.js';

const SILENCE = 15_000; // something comes every five seconds
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/**
 * Follows the stream for as long as the page is open.
 * @param handlers a function for each name of a message
 * @param onState called with ('live'), or with ('away', why)
 * @returns {{follow: function(string)}} to follow with another topic, '' for all
 */
export function live(handlers, onState) {
  let topic = '';
  let failures = 0;
  let attempt = new AbortController();
  let timer;

  async function connect() {
    attempt = new AbortController();
    const mine = attempt;
    let why = 'The server is away.';
    try {
      const query = topic === '' ? '' : `?topic=${encodeURIComponent(topic)}`;
      const response = await request(`live${query}`, { signal: mine.signal, cache: 'no-store' });
      if (response.ok) {
        await read(response, mine);
        why = 'The server has ended the connection.';
      } else {
        why = (await response.json()).detail ?? why;
      }
    } catch (e) {
      if (mine !== attempt) return; // another topic was asked for
    }
    if (mine !== attempt) return;
    // With full jitter, so that pages don't all come back at one moment.
    const pause = FIRST_PAUSE + Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures++);
    onState('away', why);
    timer = setTimeout(connect, pause);
  }

  async function read(response, mine) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    let watchdog;
    try {
      while (true) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => reader.cancel(), SILENCE);
        const { value, done } = await reader.read();
        if (done || mine !== attempt) return;
        failures = 0;
        onState('live');
        text += value;
        const messages = text.split('\n\n');
        text = messages.pop();
        messages.forEach(dispatch);
      }
    } finally {
      clearTimeout(watchdog);
      reader.cancel().catch(() => {});
    }
  }

  function dispatch(message) {
    const match = /^event: (.*)\ndata: (.*)$/s.exec(message);
    if (match) handlers[match[1]]?.(JSON.parse(match[2]));
  }

  function again() {
    clearTimeout(timer);
    attempt.abort();
    failures = 0;
    connect();
  }

  connect();
  window.addEventListener('online', again);
  onNewKey(again);
  return {
    follow(other) {
      topic = other;
      again();
    },
  };
}
