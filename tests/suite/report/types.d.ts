// What probe.js finds in the page. Which kind of element a selector finds is known by the page alone, so it counts as all
// the kinds that the probe reads. Checked by scripts/check-page.sh.

type Found = HTMLInputElement & HTMLSelectElement & HTMLCanvasElement & HTMLDialogElement;

interface ParentNode {
  querySelector(selector: string): Found;
  querySelectorAll(selector: string): NodeListOf<Found>;
}

interface Document {
  getElementById(id: string): Found;
}

interface Window {
  pwned?: unknown;
}
