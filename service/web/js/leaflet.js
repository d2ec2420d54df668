/** Leaflet, which a script of its own has put on the window: one place that knows. */

export const L = window.L;
