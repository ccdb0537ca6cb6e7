// Publishes one event, and the same again.
import { element, foreign, time } from './format.js';
import { request } from './key.js';

const SHOWN = 5;

const form = document.getElementById('publish');
const again = document.getElementById('p-again');
const outcomes = document.getElementById('outcomes');

const TOLD = {
  stored: 'Stored.',
  duplicate: 'A duplicate: it was there before, is counted, and changes nothing.',
  dead_lettered: 'A dead letter: it could not be stored.',
  queued: 'Queued, and not settled within ten seconds.',
};

export function publish() {
  let last = null;

  const send = async (body, id) => {
    try {
      const response = await request('publish?wait=10s', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      const answer = await response.json();
      if (response.ok) {
        const outcome = answer.outcomes[0];
        last = { body, id };
        again.disabled = false;
        tell(outcome, id, TOLD[outcome]);
      } else {
        const faults = (answer.errors ?? []).map((fault) => `${fault.field} ${fault.message}`);
        tell('refused', id, [answer.detail, ...faults].join(' '));
      }
    } catch (e) {
      tell('refused', id, 'The server is away. Publish it again: if it was taken, it counts as a duplicate.');
    }
  };

  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const { topic, event_id, source, payload } = Object.fromEntries(new FormData(form));
    try {
      JSON.parse(payload);
    } catch (problem) {
      tell('refused', event_id, `The payload is no JSON: ${problem.message}`);
      return;
    }
    // The payload as it was written: parsed, large numbers would lose digits.
    const rest = JSON.stringify({ topic, event_id, timestamp: new Date().toISOString(), source });
    send(`${rest.slice(0, -1)},"payload":${payload}}`, event_id);
  });
  again.addEventListener('click', () => last && send(last.body, last.id));
  document.getElementById('p-new').addEventListener('click', newId);
  newId();
}

function tell(outcome, id, text) {
  const item = element('li');
  item.dataset.outcome = outcome;
  item.append(element('time', '', time(new Date().toISOString())), foreign(id, 'mono'), element('span', '', text));
  outcomes.prepend(item);
  while (outcomes.children.length > SHOWN) outcomes.lastElementChild.remove();
}

/** crypto.randomUUID is there on HTTPS and localhost only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  document.getElementById('p-id').value = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
