// The dialog that shows something whole.
import { setText, visible } from './format.js';
import { request } from './key.js';

const dialog = document.getElementById('detail');
const title = document.getElementById('detail-title');
const text = document.getElementById('detail-text');

document.getElementById('detail-close').addEventListener('click', () => dialog.close());
dialog.addEventListener('click', (e) => e.target === dialog && dialog.close());

/** @param whole gives the text, or fails with what is to be told instead */
export async function showDetail(heading, whole) {
  setText(title, heading);
  setText(text, '…');
  dialog.showModal();
  try {
    setText(text, visible(await whole()));
  } catch (e) {
    setText(text, e.message);
  }
}

/** The text of an answer; fails with what the problem detail says. */
export async function textOf(url, options) {
  let response;
  try {
    response = await request(url, options);
  } catch (e) {
    throw new Error('The server is away.');
  }
  if (!response.ok) throw new Error((await response.json()).detail ?? response.statusText);
  return response.text();
}
