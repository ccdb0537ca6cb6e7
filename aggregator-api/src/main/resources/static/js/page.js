// The live page: one stream, and what each of its messages changes.
import { charts } from './charts.js';
import { countDeadLetters, showDeadLetters } from './dead-letters.js';
import { showBooks, showTopics, showWorkers } from './figures.js';
import { setText } from './format.js';
import { live } from './live.js';
import { publish } from './publish.js';
import { tail } from './tail.js';

const connection = document.getElementById('connection');
const notice = document.getElementById('notice');

const drawn = charts();
const events = tail((topic) => stream.follow(topic));
let problem = '';

const stream = live(
  {
    history(samples) {
      drawn.begin(samples);
      events.begin();
    },
    sample(sample) {
      problem = sample.problem ?? '';
      tellOf(problem);
      drawn.add(sample);
      showBooks(sample);
      if (sample.books) countDeadLetters(sample.books.dead_lettered);
    },
    topics: (topics) => showTopics(topics, events.choose),
    workers: showWorkers,
    dead_letters: showDeadLetters,
    events: events.add,
  },
  (state, why) => {
    connection.dataset.state = state;
    if (state === 'live') {
      setText(connection, 'Live');
      tellOf(problem);
    } else {
      setText(connection, 'Away');
      tellOf(`${why} What is shown is the last that is known; the page comes back by itself.`);
    }
  },
);

function tellOf(text) {
  setText(notice, text);
  notice.hidden = text === '';
}

publish();
