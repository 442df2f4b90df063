/* How the search orders what it finds: pages that answer a question first, pages where one looks up a name after them. */
"use strict";

const LOOKED_UP = ["api", "architecture", "changelog", "performance", "unverified"];

var Scorer = {
  score: ([docname, , , , score]) => (LOOKED_UP.includes(docname) ? score - 30 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
