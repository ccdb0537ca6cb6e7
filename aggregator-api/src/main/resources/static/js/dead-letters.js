// What could not be stored, why, and another try.
import { count, element, foreign, keyed, plural, setText, time } from './format.js';
import { showDetail, textOf } from './detail.js';

const note = document.getElementById('dead-note');
const status = document.getElementById('dead-status');
const all = document.getElementById('replay-all');

all.addEventListener('click', () => replay('dead-letters/replay'));

export function showDeadLetters(letters) {
  keyed(
    document.getElementById('dead'),
    letters,
    (letter) => String(letter.id),
    (letter) => {
      const item = element('li');
      const names = element('p', 'names');
      names.append(
        element('time', '', time(letter.died_at)),
        foreign(letter.topic ?? 'no readable topic', 'topic'),
        foreign(letter.event_id ?? '', 'id mono'),
      );
      const actions = element('p', 'actions');
      const entry = element('button', '', 'Show');
      entry.type = 'button';
      entry.ariaLabel = `Show dead letter ${letter.id}`;
      entry.addEventListener('click', () => showDetail(`Dead letter ${letter.id}`, () => entryOf(letter)));
      const again = element('button', 'replay', 'Replay');
      again.type = 'button';
      again.ariaLabel = `Replay dead letter ${letter.id}`;
      again.addEventListener('click', () => replay(`dead-letters/${letter.id}/replay`));
      actions.append(entry, again);
      item.append(names, foreign(letter.reason, 'reason'), actions);
      return item;
    },
    (item, letter) => {
      const again = item.querySelector('.replay');
      setText(again, letter.replay_requested_at ? 'Replay asked for' : 'Replay');
      again.disabled = Boolean(letter.replay_requested_at);
    },
  );
}

export function countDeadLetters(n) {
  const shown = document.getElementById('dead').children.length;
  setText(note, n === 0 ? 'None.' : n > shown ? `the newest of ${count(n)}` : count(n));
  all.hidden = n === 0;
}

async function replay(url) {
  try {
    const { requested } = JSON.parse(await textOf(url, { method: 'POST' }));
    setText(status, `A worker tries ${plural(requested, 'dead letter')} again. What still can’t be stored stays here, with the reason.`);
  } catch (e) {
    setText(status, e.message);
  }
}

/** The page of one that begins below the next id. */
async function entryOf({ id }) {
  const [letter] = JSON.parse(await textOf(`dead-letters?limit=1&cursor=${id + 1}`));
  return letter?.id === id ? letter.entry : 'It is not there any more.';
}
