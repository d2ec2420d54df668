/** What each dropped file is, by its name, as the deliveries of IGN and others call them. */

/** Roles a file may have, in the words of POST /predict; "none" is left out. */
export const ROLES = ["file", "irc", "height", "aoi", "none"];

const RASTER = /\.(tiff?|jp2|j2k)$/i;
const AREA = /\.(geojson|json|gpkg|fgb)$/i;
const INFRARED = /(^|[^a-z])(irc|cir|nir|pir)([^a-z]|$)/i;
const HEIGHT = /(^|[^a-z])(mnh|mnhc|ndsm|chm|height|hauteurs?)([^a-z]|$)/i;

/**
 * The role that a name suggests.
 *
 * @param {string} name Such as "33-2024-0410-6425-LA93-0M20-IRC-E080.jp2".
 * @returns {string} One of `ROLES`.
 */
export function roleOf(name) {
  if (AREA.test(name)) return "aoi";
  if (!RASTER.test(name)) return "none";
  if (INFRARED.test(name)) return "irc";
  if (HEIGHT.test(name)) return "height";
  return "file";
}

/**
 * Give roles to files that come together: an image at all events, and one area of interest at most.
 *
 * @param {File[]} files
 * @returns {{file: File, role: string}[]} In the order given.
 */
export function assignRoles(files) {
  const given = files.map((file) => ({ file, role: roleOf(file.name) }));
  for (const area of given.filter((entry) => entry.role === "aoi").slice(1)) area.role = "none";
  if (!given.some((entry) => entry.role === "file")) {
    const first = given.find((entry) => RASTER.test(entry.file.name)) ?? given[0];
    if (first) first.role = "file";
  }
  return given;
}

/** Give one file another role; an area of interest that was there gives way to a new one. */
export function changeRole(entries, entry, role) {
  for (const other of entries) {
    if (other !== entry && other.role === "aoi" && role === "aoi") other.role = "none";
  }
  entry.role = role;
}
