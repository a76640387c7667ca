import type { MessagePipe, PipeEvents } from "./pipe.js";

/** Two ends of a pipe that carries JSON at once; what is sent can be looked at and sent again. */
export class PipePair {
  readonly parent: MessagePipe;
  readonly child: MessagePipe;
  /** What the child sent, in order. */
  readonly reports: object[] = [];
  /** What the parent sent. */
  readonly questions: object[] = [];
  /** False: what the parent sends is kept in `questions` and not handed over, as by a process that is stopped. */
  reads = true;
  #parentEvents: PipeEvents | undefined;
  #childEvents: PipeEvents | undefined;
  #isClosed = false;

  constructor(name: string) {
    this.parent = this.#end(
      name,
      (message) => this.#toChild(message),
      (events) => {
        this.#parentEvents = events;
      },
    );
    this.child = this.#end(
      "parent",
      (message) => this.#toParent(message),
      (events) => {
        this.#childEvents = events;
      },
    );
  }

  /** Puts anything into the pipe as if the child had sent it. */
  inject(message: unknown): void {
    this.#parentEvents?.message(message);
  }

  close(): void {
    this.#isClosed = true;
    this.#parentEvents?.close();
    this.#childEvents?.close();
  }

  #end(
    name: string,
    deliver: (message: object) => void,
    attach: (events: PipeEvents | undefined) => void,
  ): MessagePipe {
    return {
      name,
      carriesBytes: false,
      send: (message, onSent) => {
        if (!this.#isClosed) deliver(JSON.parse(JSON.stringify(message)) as object);
        onSent();
      },
      open: (events) => {
        attach(events);
        return () => attach(undefined);
      },
    };
  }

  #toParent(message: object): void {
    this.reports.push(message);
    this.#parentEvents?.message(message);
  }

  #toChild(message: object): void {
    this.questions.push(message);
    if (this.reads) this.#childEvents?.message(message);
  }
}
