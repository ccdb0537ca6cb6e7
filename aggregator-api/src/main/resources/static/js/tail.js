// The newest events, and one of them whole.
import { count, element, foreign, indent, plural, setText, time } from './format.js';
import { showDetail, textOf } from './detail.js';

const SHOWN = 100;

const list = document.getElementById('tail');
const note = document.getElementById('tail-note');
const input = document.getElementById('tail-topic');
const pause = document.getElementById('tail-pause');

/** @param follow called with the topic to filter by, '' for all */
export function tail(follow) {
  let topic = '';
  let waiting = [];
  let passedOver = 0;
  let paused = false;

  // Nothing moves away under a pointer or a focus.
  const held = () => paused || list.matches(':hover') || list.contains(document.activeElement);

  function show() {
    if (!held() && !document.hidden && waiting.length > 0) {
      list.prepend(...waiting.reverse().map(entry));
      waiting = [];
      while (list.children.length > SHOWN) list.lastElementChild.remove();
    }
    const of = topic === '' ? '' : ' of this topic';
    const more = waiting.length + (held() ? passedOver : 0);
    if (held() && more > 0) setText(note, `Held: ${plural(more, 'event')} more since.`);
    else if (held() && paused) setText(note, 'Paused.');
    else if (list.children.length === 0) setText(note, `None${of} yet.`);
    else if (passedOver > 0) setText(note, `More${of} arrive than can be read: ${count(passedOver)} passed over.`);
    else setText(note, `Newest first${of}.`);
  }

  function choose(other) {
    if (other === topic) return;
    topic = other;
    input.value = other;
    waiting = [];
    passedOver = 0;
    list.replaceChildren();
    show();
    follow(topic);
  }

  document.getElementById('tail-filter').addEventListener('submit', (e) => {
    e.preventDefault();
    choose(input.value);
  });
  input.addEventListener('change', () => choose(input.value));
  pause.addEventListener('click', () => {
    paused = !paused;
    setText(pause, paused ? 'Go on' : 'Pause');
    show();
  });
  list.addEventListener('mouseleave', show);
  list.addEventListener('focusout', () => setTimeout(show));

  return {
    choose,
    /** A new connection shows what is newest once more. */
    begin() {
      waiting = [];
      passedOver = 0;
      list.dataset.begun = '';
    },
    add({ events, passed_over }) {
      if ('begun' in list.dataset) {
        delete list.dataset.begun;
        if (!held()) list.replaceChildren();
      }
      const known = new Set([...list.children].map((child) => child.dataset.key));
      waiting = [...waiting, ...events.filter((event) => !known.has(keyOf(event)))].slice(-SHOWN);
      passedOver += passed_over;
      show();
    },
  };
}

const keyOf = (event) => JSON.stringify([event.topic, event.event_id, event.stored_at]);

function entry(event) {
  const item = element('li');
  item.dataset.key = keyOf(event);
  const button = element('button', 'event');
  button.type = 'button';
  const stored = element('time', '', time(event.stored_at));
  stored.dateTime = event.stored_at;
  button.append(
    stored,
    foreign(event.topic, 'topic'),
    foreign(event.event_id, 'id mono'),
    foreign(event.source, 'source'),
    foreign(event.preview ?? 'a large payload', 'preview mono'),
  );
  button.addEventListener('click', () => showDetail('Event', () => whole(event)));
  item.append(button);
  return item;
}

async function whole({ topic, event_id }) {
  const [t, id] = [encodeURIComponent(topic), encodeURIComponent(event_id)];
  // Browsers take dots out of a path.
  const dots = [topic, event_id].some((name) => name === '.' || name === '..');
  return indent(await textOf(dots ? `events?topic=${t}&event_id=${id}` : `events/${t}/${id}`));
}
