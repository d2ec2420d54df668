/** What the service says, in the language of the page: problems by their kind, notes and messages by their form. */

import { language, LANGUAGES, t } from "./i18n.js";
import { PROBLEM_WORDS } from "./problemwords.js";

/** Notes and messages of the service as they are in French; what is in brackets is carried over. */
const FORMS = [
  [/^(.+): its pixels are degrees: resampled to (.+) m in (EPSG:\d+)$/, "$1 : ses pixels sont en degrés ; rééchantillonnée à $2 m en $3"],
  [/^(.+): its rows do not run east: resampled to (.+) m$/, "$1 : ses lignes ne vont pas vers l’est ; rééchantillonnée à $2 m"],
  [/^(.+): its pixels are no squares, (.+): resampled to (.+) m$/, "$1 : ses pixels ne sont pas carrés ($2) ; rééchantillonnée à $3 m"],
  [/^(.+): (.+) m is finer than the model's (.+) m: resampled to (.+) m$/, "$1 : $2 m est plus fin que les $3 m du modèle ; rééchantillonnée à $4 m"],
  [/^(.+): (.+) m is coarser than the model's (.+) m: resampled to (.+) m$/, "$1 : $2 m est plus grossier que les $3 m du modèle ; rééchantillonnée à $4 m"],
  [/^(.+) is not used: (\S+) reads .+$/, "$1 n’est pas utilisé : $2 ne le lit pas"],
  [/^(.+): band (.+) is not read, since nothing says what it is; .+$/, "$1 : le canal $2 n’est pas lu, car rien ne dit ce qu’il est"],
  [/^drift (.+) is above (.+): this imagery is unlike all that (\S+) was trained on, even (.+); .+$/, "dérive $1, au-delà de $2 : ces images ne ressemblent à rien de ce que $3 a vu à l’entraînement, pas même à $4 ; regardez la carte avant de vous y fier"],
  [/^classes (.+) is above (.+): (\S+) makes of no ground .+, not even of (.+); look at the map before you trust it$/, "classes $1, au-delà de $2 : sur aucun terrain de son entraînement $3 ne donne de telles proportions, pas même sur $4 ; regardez la carte avant de vous y fier"],
  [/^confidence (.+) % is below (.+) %: (\S+) is less sure .+$/, "confiance $1 %, au-dessous de $2 % : $3 est moins sûr de cette carte que de tout terrain de son entraînement ; regardez la carte avant de vous y fier"],
  [/^no worker is connected; .+$/, "aucun ouvrier n’est connecté ; le travail attend qu’on en démarre un (orthoscape worker)"],
  [/^no worker that offers (\S+) is connected; .+$/, "aucun ouvrier connecté n’offre $1 ; le travail en attend un"],
  [/^waits for a worker.*$/, "attend un ouvrier"],
  [/^waits for its turn$/, "attend son tour"],
  [/^(\d+) of (\d+) sheets are finished$/, "écriture des fichiers : $1 sur $2"],
];

/** A note or a message in the language of the page; as it came where its form is not known. */
export function told(text) {
  if (language() === "en") return text;
  const form = FORMS.find(([pattern]) => pattern.test(text));
  return form ? text.replace(form[0], form[1]) : text;
}

/**
 * A problem in the language of the page.
 *
 * @param {import("./http.js").Problem} problem
 * @returns {{fact: string, detail: string, remedy: string, field: string}} `detail` is the service's own, with
 *   values, in English; "" where the fact says as much.
 */
export function spoken(problem) {
  const words = PROBLEM_WORDS[problem.kind];
  if (problem.status === 0) return { fact: t("unreachable"), detail: "", remedy: "", field: "" };
  if (words === undefined) return { fact: problem.detail || problem.title || problem.message || "", detail: "", remedy: problem.remedy, field: "" };
  const [, remedy] = words.cases?.find(([pattern]) => pattern.test(problem.remedy)) ?? [null, words.remedy];
  return { fact: said(words.fact), detail: problem.detail, remedy: said(remedy), field: words.field ?? "" };
}

/** A problem in one line. */
export function inOneLine(problem) {
  const { fact, remedy } = spoken(problem);
  return [fact, remedy].filter(Boolean).map(sentence).join(" ");
}

function said(pair) {
  return pair?.[LANGUAGES.indexOf(language())] ?? "";
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
