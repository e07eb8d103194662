// Forgetting a customer who left: after a time without a touch a dialog counts down, then the conversation is cleared.

const COUNTDOWN_S = 20;
const ACTIVITY = ["pointerdown", "keydown", "input", "wheel"];

export class IdleWatch {
  // `busy` says whether there is something to forget; `onEnd` forgets it.
  constructor({ dialog, left, stay, end, busy, onEnd }) {
    Object.assign(this, { dialog, left, busy, onEnd });
    this.idleS = 180;
    this.quietS = 0;
    for (const name of ACTIVITY) addEventListener(name, () => this.touch(), { passive: true });
    stay.addEventListener("click", () => this.touch());
    end.addEventListener("click", () => this.finish());
    dialog.addEventListener("cancel", () => this.touch());
    setInterval(() => this.tick(), 1000);
  }

  // Somebody is there. A touch beside the dialog's buttons counts as "yes".
  touch() {
    this.quietS = 0;
    if (this.dialog.open && !this.dialog.matches(":has(:active)")) this.dialog.close();
  }

  tick() {
    this.quietS = this.busy() ? this.quietS + 1 : 0;
    const leftS = this.idleS + COUNTDOWN_S - this.quietS;
    if (this.quietS < this.idleS) return;
    if (leftS <= 0) return this.finish();
    this.left.textContent = String(leftS);
    if (!this.dialog.open) this.dialog.showModal();
  }

  finish() {
    this.quietS = 0;
    if (this.dialog.open) this.dialog.close();
    this.onEnd();
  }
}
