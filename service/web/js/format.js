/** Numbers as a reader of the page's language writes them. */

import { language, t } from "./i18n.js";

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A number with at most so many digits after the point. */
export function number(value, digits = 0) {
  return value.toLocaleString(language(), { maximumFractionDigits: digits });
}

/** Bytes in the unit that leaves one to three digits before the point. */
export function bytes(count) {
  const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), BYTE_UNITS.length - 1);
  const value = count / 1000 ** step;
  return value.toLocaleString(language(), {
    style: "unit",
    unit: BYTE_UNITS[step],
    unitDisplay: "short",
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  });
}

/** Pixels: "1 000 000 px", "67.1 Mpx", "1.4 Gpx". */
export function pixels(count) {
  if (count < 1e6) return `${number(count)} px`;
  const [value, unit] = count < 1e9 ? [count / 1e6, "Mpx"] : [count / 1e9, "Gpx"];
  return `${number(value, value < 100 ? 1 : 0)} ${unit}`;
}

/** An area: square metres, hectares or square kilometres, three figures. */
export function area(square_m) {
  if (square_m >= 1e6) return `${figures(square_m / 1e6)} km²`;
  if (square_m >= 1e4) return `${figures(square_m / 1e4)} ha`;
  return `${figures(square_m)} m²`;
}

/** A part of an area and the whole, in the whole's unit: "0.97 / 2.07 km²". */
export function areaOf(part, whole) {
  const [unit, step] = whole >= 1e6 ? ["km²", 1e6] : whole >= 1e4 ? ["ha", 1e4] : ["m²", 1];
  return `${figures(part / step)} / ${figures(whole / step)} ${unit}`;
}

function figures(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return number(value, digits);
}

/** A share of one, in percent; what is there but rounds to nothing is said to be below. */
export function share(part) {
  if (part > 0 && part < 0.001) return `< ${percent(0.001, 1)}`;
  return percent(part, 1);
}

/** A share of one, in percent, with so many digits after the point. */
export function percent(value, digits) {
  return value.toLocaleString(language(), {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Seconds in words that round as people do: "40 s", "3 min", "2 h 05". */
export function duration(seconds) {
  if (seconds < 1) return t("under_a_second");
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return t("days", { count: Math.round(hours / 24) });
}

/** A moment, short: the hour of today's, the day of others. */
export function moment(iso) {
  const when = new Date(iso);
  const isToday = when.toDateString() === new Date().toDateString();
  return when.toLocaleString(language(), isToday ? { timeStyle: "short" } : { dateStyle: "medium" });
}

/** A day, whole. */
export function day(iso) {
  return new Date(iso).toLocaleDateString(language(), { dateStyle: "long", timeZone: "UTC" });
}

/** Degrees as cartographers write them. */
export function degrees(lat, lng, digits = 5) {
  const fixed = (value) =>
    Math.abs(value).toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const west = language() === "fr" ? "O" : "W";
  return `${fixed(lat)}° ${lat < 0 ? "S" : "N"}  ${fixed(lng)}° ${lng < 0 ? west : "E"}`;
}
