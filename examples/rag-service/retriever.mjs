import { setTimeout as sleep } from "node:timers/promises";

/** Finds the documents that share most words with a question, rare words first. */
export class Retriever {
  #documents;
  #wordsOf = new Map();
  #holders = new Map();

  constructor(documents) {
    this.#documents = [...documents.values()];
    for (const document of this.#documents) {
      const words = new Set(wordsIn(`${document.id} ${document.text}`));
      this.#wordsOf.set(document, words);
      for (const word of words) this.#holders.set(word, (this.#holders.get(word) ?? 0) + 1);
    }
  }

  async find(question, count) {
    await sleep(1 + Math.random() * 4);
    const words = new Set(wordsIn(question));
    return this.#documents
      .map((document) => ({ document, score: this.#score(words, this.#wordsOf.get(document)) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, count);
  }

  #score(asked, held) {
    let score = 0;
    for (const word of asked)
      if (held.has(word)) score += Math.log(1 + this.#documents.length / this.#holders.get(word));
    return score;
  }
}

function wordsIn(text) {
  return text.toLowerCase().match(/[a-z]{3,}/g) ?? [];
}
