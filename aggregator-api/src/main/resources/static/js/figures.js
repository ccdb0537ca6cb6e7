// The books, the topics and the workers.
import { count, element, foreign, keyed, percent, plural, setText } from './format.js';

const SHOWN = ['received', 'stored', 'duplicates', 'dead_lettered', 'queued', 'in_flight', 'unaccounted'];
const SHARES = ['stored', 'duplicates', 'dead_lettered', 'queued', 'in_flight'];

export function showBooks(sample) {
  const { books, queue } = sample;
  const card = document.getElementById('books');
  if (!books) {
    card.dataset.verdict = 'unknown';
    setText(document.getElementById('verdict'), 'Not known at the moment; the figures are the last that are known.');
    return;
  }
  for (const account of SHOWN) {
    setText(card.querySelector(`[data-account="${account}"] dd`), count(books[account]));
  }
  part(card, 'expired', books.expired, 'expired');
  part(card, 'conflicting', books.conflicting, 'conflicting');
  const verdict = judge(books, queue);
  card.dataset.verdict = verdict.good ? 'good' : 'bad';
  setText(document.getElementById('verdict'), verdict.text);

  const shares = document.getElementById('shares');
  keyed(
    shares,
    SHARES.filter((account) => books[account] > 0),
    (account) => account,
    (account) => {
      const share = element('span');
      share.dataset.account = account;
      return share;
    },
    (share, account) => { share.style.flexGrow = books[account]; },
  );
}

function part(card, name, n, word) {
  setText(card.querySelector(`[data-part="${name}"]`), n > 0 ? `${count(n)} ${word}` : '');
}

function judge(books, queue) {
  if (books.unaccounted > 0) {
    return { good: false, text: `${plural(books.unaccounted, 'event')} missing: accepted, and neither stored nor on the way.` };
  }
  if (books.unaccounted < 0) {
    return { good: false, text: `${plural(-books.unaccounted, 'event')} too many: counted twice, or stored though never accepted.` };
  }
  if (queue.rolled_back) {
    return { good: false, text: 'Redis was brought back from an older state; what it accepted since can’t be shown.' };
  }
  return { good: true, text: 'Balanced: every event is accounted for.' };
}

export function showTopics(topics, choose) {
  keyed(
    document.getElementById('topics'),
    topics.largest,
    (topic) => topic.topic,
    (topic) => {
      const row = element('tr');
      const name = element('th');
      name.scope = 'row';
      const button = element('button', 'link');
      button.type = 'button';
      button.title = 'Show the events of this topic only';
      button.append(foreign(topic.topic));
      button.addEventListener('click', () => choose(topic.topic));
      name.append(button);
      const share = element('td', 'num share');
      share.append(element('span'), element('meter'));
      share.lastChild.max = 1;
      share.lastChild.ariaHidden = 'true';
      row.append(name, element('td', 'num'), element('td', 'num'), share);
      return row;
    },
    (row, topic) => {
      const all = topic.stored + topic.duplicates;
      setText(row.children[1], count(topic.stored));
      setText(row.children[2], count(topic.duplicates));
      setText(row.children[3].firstChild, percent(topic.duplicates, all));
      row.children[3].lastChild.value = all > 0 ? topic.duplicates / all : 0;
    },
  );
  keyed(
    document.getElementById('topics-others'),
    topics.others > 0 ? [topics] : [],
    () => 'others',
    () => {
      const row = element('tr');
      const name = element('th');
      name.scope = 'row';
      row.append(name, element('td', 'num'), element('td', 'num'), element('td', 'num'));
      return row;
    },
    (row) => {
      setText(row.children[0], `${plural(topics.others, 'other')}`);
      setText(row.children[1], count(topics.others_stored));
      setText(row.children[2], count(topics.others_duplicates));
      setText(row.children[3], percent(topics.others_duplicates, topics.others_stored + topics.others_duplicates));
    },
  );
  const all = topics.largest.length + topics.others;
  setText(document.getElementById('topics-note'),
    topics.others > 0 ? `the ${topics.largest.length} largest of ${count(all)}` : all === 0 ? 'None yet.' : count(all));
  keyed(
    document.getElementById('known-topics'),
    topics.largest,
    (topic) => topic.topic,
    (topic) => {
      const option = element('option');
      option.value = topic.topic;
      return option;
    },
    () => {},
  );
}

export function showWorkers(workers) {
  keyed(
    document.getElementById('workers'),
    workers,
    (worker) => worker.worker,
    (worker) => {
      const row = element('tr');
      const name = element('th');
      name.scope = 'row';
      const short = element('span', 'mono', worker.worker.slice(0, 8));
      short.title = worker.worker;
      name.append(element('span', 'dot'), short, element('span', 'note'));
      row.append(name, element('td', 'num'), element('td', 'num'));
      return row;
    },
    (row, worker) => {
      row.dataset.alive = worker.alive;
      setText(row.querySelector('.note'), worker.alive ? '' : ' gone; another one takes its claims when their leases end');
      setText(row.children[1], count(worker.claims));
      setText(row.children[2], count(worker.events));
    },
  );
  const alive = workers.filter((worker) => worker.alive).length;
  setText(document.getElementById('workers-note'),
    alive === 0 ? 'None lives: what is published is queued, and not stored.' : `${count(alive)} alive`);
}
