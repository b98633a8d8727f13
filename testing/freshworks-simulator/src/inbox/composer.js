import { onSubmit, scrollToEnd, switchOff, write } from "./dom.js";
import { texts } from "./texts.js";

/**
 * The form below a thread. `send` gets the text, the file and whether they are private, and answers whether it was done.
 * Each thread has a draft of its own, so nothing written for one person goes to another.
 */
export class Composer {
  constructor(form, send) {
    this.form = form;
    this.send = send;
    this.thread = form.parentElement.querySelector(".thread");
    this.text = form.querySelector("textarea");
    this.private = form.querySelector(".private");
    this.file = form.querySelector("input[type=file]");
    this.button = form.querySelector(".send");
    this.drafts = new Map();
    this.of = null;
    onSubmit(form, () => this.submit());
    this.private.addEventListener("change", () => this.draw());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.draw();
  }

  /** Turns to the thread of this id. */
  turnTo(id) {
    if (id === this.of) return;
    if (this.of !== null) this.drafts.set(this.of, { text: this.text.value, private: this.private.checked });
    const draft = this.drafts.get(id) ?? { text: "", private: false };
    this.of = id;
    this.set(draft);
  }

  set(draft) {
    this.text.value = draft.text;
    this.private.checked = draft.private;
    if (this.file) this.file.value = "";
    this.draw();
  }

  draw() {
    this.form.classList.toggle("is-private", this.private.checked);
    write(this.button, this.private.checked ? texts.addNote : texts.send);
  }

  async submit() {
    const file = this.file?.files[0];
    const text = this.text.value.trim();
    if (this.busy || (!text && !file)) return;
    const { of } = this;
    this.setBusy(true);
    const done = await this.send({ text, file, isPrivate: this.private.checked });
    this.setBusy(false);
    if (!done) return;
    // The agent may have turned to another thread meanwhile, whose draft stays.
    if (of !== this.of) {
      this.drafts.delete(of);
      return;
    }
    this.set({ text: "", private: false });
    scrollToEnd(this.thread);
  }

  setBusy(busy) {
    this.busy = busy;
    this.text.readOnly = busy;
    switchOff(this.button, busy);
  }
}
