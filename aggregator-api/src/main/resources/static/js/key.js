// The key for the API, where it asks for one. It is kept in the memory of this page, and sent as a header: in no URL, no
// storage, no cookie.
import { setText } from './format.js';

const dialog = document.getElementById('key-dialog');
const input = document.getElementById('key');
const why = document.getElementById('key-why');
const open = document.getElementById('key-open');

let key = '';
let asking = null;
let declined = false;

/** As fetch, with the key. When the API asks for one, so does the page, and the request is sent again with what is entered. */
export async function request(url, options = {}) {
  const sent = key;
  const headers = sent === '' ? options.headers : { ...options.headers, Authorization: `Bearer ${sent}` };
  const response = await fetch(url, { ...options, headers });
  if (response.status !== 401) return response;
  open.hidden = false;
  document.querySelectorAll('.without-key').forEach((link) => link.remove());
  // Another request may have been answered the same, and a key entered since.
  if (key !== sent) return request(url, options);
  if (declined) return response;
  const { detail } = await response.clone().json();
  return (await ask(detail)) ? request(url, options) : response;
}

/** Asks once, however many want to know; gives whether a key was entered. */
function ask(reason) {
  asking ??= new Promise((resolve) => {
    setText(why, reason);
    input.value = '';
    dialog.addEventListener('close', () => resolve(enter()), { once: true });
    if (!dialog.open) dialog.showModal();
  }).finally(() => (asking = null));
  return asking;
}

function enter() {
  const entered = dialog.returnValue === 'enter' ? input.value.trim() : '';
  input.value = '';
  dialog.returnValue = '';
  declined = entered === '';
  if (!declined) key = entered;
  return !declined;
}

document.getElementById('key-cancel').addEventListener('click', () => dialog.close(''));

/** @param changed called when another key was entered than the one before */
export function onNewKey(changed) {
  open.addEventListener('click', async () => {
    if (await ask('The key that is entered takes the place of the one before.')) changed();
  });
}
