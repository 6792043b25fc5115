/** Markdown as the notes are coloured. Without the languages in it, which weigh as much as the editor. */

import {
  defineLanguageFacet,
  HighlightStyle,
  Language,
  syntaxHighlighting,
} from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { parser } from "@lezer/markdown";

const look = HighlightStyle.define([
  { tag: tags.heading1, fontSize: "1.3em", fontWeight: "650" },
  { tag: tags.heading2, fontSize: "1.15em", fontWeight: "650" },
  { tag: tags.heading, fontWeight: "650" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.processingInstruction, opacity: "0.6" },
]);

export const markdown = [
  new Language(defineLanguageFacet(), parser).extension,
  syntaxHighlighting(look),
];
