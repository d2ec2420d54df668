/** A layer of tiles that changes in place: a new picture lies over the old one before that goes. */

import { keepsStill } from "./dom.js";
import { L } from "./leaflet.js";

const TRIES = 4;
const RETRY_MS = 1_500;

/**
 * @typedef {{z: number, x: number, y: number}} TileCoords
 */
export const LiveLayer = L.GridLayer.extend({
  /**
   * @param {(coords: TileCoords) => string} addressOf
   * @param {object} options Of L.GridLayer; `kind` becomes a class of its tiles.
   */
  initialize(addressOf, options) {
    this.addressOf = addressOf;
    L.GridLayer.prototype.initialize.call(this, options);
  },

  createTile(coords, done) {
    const frame = L.DomUtil.create("div", `tile-frame tile-${this.options.kind}`);
    frame.turn = 0;
    frame.shown = 0;
    this._paint(frame, coords, { fades: false, done });
    return frame;
  },

  /** Draw again what meets these bounds; everything without any. */
  refresh(bounds = null) {
    for (const tile of Object.values(this._tiles ?? {})) {
      if (bounds === null || this._meets(tile.coords, bounds)) this._paint(tile.el, tile.coords, { fades: true });
    }
  },

  /** Draw everything again at once: another style, not another state. */
  restyle() {
    for (const tile of Object.values(this._tiles ?? {})) this._paint(tile.el, tile.coords, { fades: false });
  },

  _meets(coords, boundsList) {
    const own = this._tileCoordsToBounds(coords);
    return boundsList.some((bounds) => own.intersects(bounds));
  },

  /** Load a picture, and show it unless a later one came first; try again where it does not come. */
  _paint(frame, coords, { fades, done = () => {}, tries = TRIES }) {
    frame.turn += 1;
    const turn = frame.turn;
    const picture = document.createElement("img");
    picture.alt = "";
    picture.decoding = "async";
    picture.src = this.addressOf(coords);
    picture.decode().then(
      () => {
        if (turn > frame.shown) lay(frame, picture, fades && frame.shown > 0 && !keepsStill());
        frame.shown = Math.max(turn, frame.shown);
        done(null, frame);
      },
      (error) => {
        done(error, frame); // what is shown stays
        const again = () => {
          if (frame.isConnected && turn === frame.turn) this._paint(frame, coords, { fades, tries: tries - 1 });
        };
        if (tries > 1) window.setTimeout(again, RETRY_MS);
      },
    );
  },
});

function lay(frame, picture, fades) {
  const below = [...frame.children];
  const clear = () => below.forEach((old) => old.remove());
  frame.append(picture);
  if (!fades) {
    clear();
    return;
  }
  picture
    .animate([{ opacity: 0 }, { opacity: 1 }], { duration: 350, easing: "ease-out" })
    .finished.then(clear, clear);
}
