/** What the service's problems are in the words of this page: of each kind the fact, and what to do here. */

/**
 * By the kind of problem, the last part of its `type`: what is wrong and what to do, English and French; what to
 * do in cases that the service's own remedy tells; the field of the order that mends it, by its id.
 *
 * @typedef {[string, string]} Pair
 * @type {Record<string, {fact: Pair, remedy?: Pair, cases?: [RegExp, Pair][], field?: string}>}
 */
export const PROBLEM_WORDS = {
  "unsupported-format": {
    fact: ["This file is of a format that is not read.", "Ce fichier est d’un format qui n’est pas lu."],
    remedy: ["Give a GeoTIFF or a JPEG 2000.", "Donnez un GeoTIFF ou un JPEG 2000."],
  },
  "media-type-refused": {
    fact: ["This file is of a kind that is not read.", "Ce fichier est d’un genre qui n’est pas lu."],
    remedy: [
      "Give GeoTIFF or JPEG 2000 images; areas as GeoJSON, GeoPackage or FlatGeobuf.",
      "Donnez des images GeoTIFF ou JPEG 2000 ; des zones en GeoJSON, GeoPackage ou FlatGeobuf.",
    ],
  },
  "unreadable-raster": {
    fact: ["The file is damaged or not complete.", "Le fichier est abîmé ou incomplet."],
    remedy: ["Copy or download it again.", "Copiez-le ou téléchargez-le à nouveau."],
  },
  "missing-crs": {
    fact: ["The image does not say in which coordinate system it lies.", "L’image ne dit pas son système de coordonnées."],
    remedy: [
      "Write it under More options, such as EPSG:2154 for Lambert-93.",
      "Indiquez-le sous Autres options, par exemple EPSG:2154 pour le Lambert-93.",
    ],
    field: "source-crs",
  },
  "unknown-crs": {
    fact: ["The coordinate system is not understood, or the image does not lie in it.", "Le système de coordonnées n’est pas compris, ou l’image n’y tombe pas."],
    remedy: ["Write its EPSG code, such as EPSG:2154.", "Indiquez son code EPSG, par exemple EPSG:2154."],
    field: "source-crs",
  },
  "crs-conflict": {
    fact: ["The file states another coordinate system than you do.", "Le fichier indique un autre système de coordonnées que vous."],
    remedy: ["Leave the field empty: the file’s own is taken.", "Laissez le champ vide : celui du fichier sera pris."],
    field: "source-crs",
  },
  "not-georeferenced": {
    fact: ["Nothing in the image says where it lies.", "Rien dans l’image ne dit où elle se trouve."],
    remedy: [
      "Give the georeferenced file: a plain photograph has no place on a map.",
      "Donnez le fichier géoréférencé : une simple photographie n’a pas de place sur une carte.",
    ],
  },
  "band-mismatch": {
    fact: ["The image lacks bands that the model reads.", "Il manque à l’image des canaux que le modèle lit."],
    cases: [
      [
        /one band holds no colours/,
        [
          "Put the bands into one file first: gdalbuildvrt -separate all.vrt red.tif green.tif blue.tif, then gdal_translate all.vrt all.tif.",
          "Réunissez d’abord les canaux dans un fichier : gdalbuildvrt -separate tout.vrt rouge.tif vert.tif bleu.tif, puis gdal_translate tout.vrt tout.tif.",
        ],
      ],
      [
        /this is an infrared twin/,
        [
          "This is an infrared twin: say so of this file, and add the image in natural colours.",
          "C’est un jumeau infrarouge : dites-le de ce fichier, et ajoutez l’image en couleurs naturelles.",
        ],
      ],
      [
        /height above ground/,
        [
          "Add the heights above ground, or choose another model.",
          "Ajoutez les hauteurs au-dessus du sol, ou choisissez un autre modèle.",
        ],
      ],
      [
        /give the near infrared/,
        [
          "Add its infrared twin (IRC), or choose a model that reads red, green, blue.",
          "Ajoutez son jumeau infrarouge (IRC), ou choisissez un modèle qui lit rouge, vert, bleu.",
        ],
      ],
    ],
    remedy: [
      "Give an image in natural colours, and its infrared twin (IRC) beside it where there is one.",
      "Donnez une image en couleurs naturelles, avec son jumeau infrarouge (IRC) à côté s’il existe.",
    ],
  },
  "ambiguous-bands": {
    fact: ["Nothing says which band of the image is which.", "Rien ne dit quel canal de l’image est lequel."],
    remedy: [
      "Give a file whose bands are named, or with three bands: red, green, blue.",
      "Donnez un fichier dont les canaux sont nommés, ou à trois canaux : rouge, vert, bleu.",
    ],
  },
  "unsupported-dtype": {
    fact: ["The pixels are not of 8 bits.", "Les pixels ne sont pas sur 8 bits."],
    remedy: ["Give the image as delivered for viewing: 0 to 255.", "Donnez l’image telle que livrée pour l’affichage : de 0 à 255."],
  },
  "paletted-raster": {
    fact: ["The image is made of numbered colours.", "L’image est faite de couleurs numérotées."],
    remedy: ["Give it in full colours: red, green, blue.", "Donnez-la en vraies couleurs : rouge, vert, bleu."],
  },
  "collar-without-nodata": {
    fact: ["The rim of the image is blank, and nothing says that it is no data.", "Le bord de l’image est vide, et rien ne dit que ce n’est pas de la donnée."],
    remedy: [
      "Under More options, write the value of the rim; none if it is real.",
      "Sous Autres options, indiquez la valeur du bord ; none s’il est réel.",
    ],
    field: "nodata",
  },
  "companion-mismatch": {
    fact: ["The infrared or the heights do not lie on the grid of the image.", "L’infrarouge ou les hauteurs ne sont pas sur la grille de l’image."],
    remedy: ["Give the file of the same sheet, or take it out.", "Donnez le fichier de la même dalle, ou retirez-le."],
  },
  "companion-unused": {
    fact: ["An infrared or height file belongs to no image.", "Un fichier d’infrarouge ou de hauteurs n’accompagne aucune image."],
    remedy: ["Give the image of the same sheet, or take it out.", "Donnez l’image de la même dalle, ou retirez-le."],
  },
  "too-large": {
    fact: ["The image is larger than this service reads.", "L’image est plus grande que ce que ce service lit."],
    remedy: ["Cut it into sheets.", "Découpez-la en dalles."],
  },
  "scene-too-large": {
    fact: ["The map would be larger than this service makes.", "La carte serait plus grande que ce que ce service fait."],
    remedy: ["Add an area of interest to map a part.", "Ajoutez une zone d’intérêt pour n’en cartographier qu’une partie."],
  },
  "payload-too-large": {
    fact: ["The file is larger than this service takes.", "Le fichier est plus gros que ce que ce service prend."],
    remedy: ["Cut it into sheets.", "Découpez-le en dalles."],
  },
  "suspicious-compression": {
    fact: ["A small file claims more pixels than real images have.", "Un petit fichier annonce plus de pixels qu’une vraie image."],
    remedy: ["Cut it to where its data is.", "Découpez-le là où sont ses données."],
  },
  "resolution-out-of-range": {
    fact: ["The pixels of the image are not of a size that the model reads.", "Les pixels de l’image n’ont pas une taille que le modèle lit."],
    remedy: ["Give a finer image, or choose another model.", "Donnez une image plus fine, ou choisissez un autre modèle."],
    field: "model",
  },
  "reader-died": {
    fact: ["The file could not be read to its end.", "Le fichier n’a pas pu être lu jusqu’au bout."],
    remedy: ["Write it anew as a tiled GeoTIFF.", "Récrivez-le en GeoTIFF tuilé."],
  },
  "reader-timed-out": {
    fact: ["The file took too long to read.", "Le fichier est trop long à lire."],
    remedy: ["Write it anew as a tiled GeoTIFF.", "Récrivez-le en GeoTIFF tuilé."],
  },
  "no-polygons": {
    fact: ["The area of interest holds no polygon.", "La zone d’intérêt ne contient aucun polygone."],
    remedy: ["Give polygons: points and lines have no pixels.", "Donnez des polygones : points et lignes n’ont pas de pixels."],
  },
  "area-unreadable": {
    fact: ["The area of interest cannot be read.", "La zone d’intérêt ne peut pas être lue."],
    remedy: ["Give polygons as GeoJSON, GeoPackage or FlatGeobuf.", "Donnez des polygones en GeoJSON, GeoPackage ou FlatGeobuf."],
  },
  "area-outside-data": {
    fact: ["The area of interest and the image do not meet.", "La zone d’intérêt et l’image ne se touchent pas."],
    remedy: ["Check the coordinate system of both.", "Vérifiez le système de coordonnées des deux."],
  },
  "area-too-detailed": {
    fact: ["The area of interest has too many points.", "La zone d’intérêt a trop de points."],
    remedy: ["Simplify its polygons.", "Simplifiez ses polygones."],
  },
  "several-maps": {
    fact: ["These images do not lie side by side: they would be several maps.", "Ces images ne sont pas côte à côte : elles feraient plusieurs cartes."],
    remedy: ["Make a map of each.", "Faites une carte de chacune."],
  },
  "nothing-to-map": {
    fact: ["No file is an image to be mapped.", "Aucun fichier n’est une image à cartographier."],
    remedy: ["Say of one file that it is the image.", "Dites d’un des fichiers que c’est l’image."],
  },
  "field-error": { fact: ["An option does not hold what it should.", "Une option ne contient pas ce qu’il faut."] },
  "key-missing": { fact: ["A key is needed here.", "Une clé est nécessaire ici."] },
  "key-wrong": {
    fact: ["This key is not known here, or not valid any more.", "Cette clé n’est pas connue ici, ou n’est plus valable."],
    remedy: ["Check it, or ask whoever runs this service for another.", "Vérifiez-la, ou demandez-en une autre à qui gère ce service."],
  },
  "scope-missing": {
    fact: ["Your key does not allow this.", "Votre clé ne permet pas cela."],
    remedy: ["Ask whoever runs this service for one that does.", "Demandez-en une qui le permet à qui gère ce service."],
  },
  "too-many-requests": {
    fact: ["Too much was asked in too short a time.", "Trop de demandes en trop peu de temps."],
    remedy: ["Wait a moment.", "Attendez un instant."],
  },
  "map-unknown": {
    fact: ["There is no such map, or no more.", "Cette carte n’existe pas, ou n’existe plus."],
    remedy: ["Choose one of the list.", "Choisissez-en une dans la liste."],
  },
  "job-unknown": {
    fact: ["There is no such job, or no more.", "Ce travail n’existe pas, ou n’existe plus."],
    remedy: ["Choose a map of the list.", "Choisissez une carte dans la liste."],
  },
  "source-gone": {
    fact: ["A file that this job reads is not there any more.", "Un fichier que ce travail lit n’est plus là."],
    remedy: ["Send it again as a new map.", "Envoyez-le à nouveau, pour une nouvelle carte."],
  },
  "job-under-way": {
    fact: ["The job is not over yet.", "Le travail n’est pas terminé."],
    remedy: ["Cancel it first.", "Annulez-le d’abord."],
  },
  "disk-full": {
    fact: ["The disk of this service is full.", "Le disque de ce service est plein."],
    remedy: ["Delete maps that are not needed.", "Supprimez des cartes dont vous n’avez plus besoin."],
  },
  "nobody-computes": {
    fact: ["No worker of this service can run this model.", "Aucune machine de ce service ne peut exécuter ce modèle."],
    remedy: ["Choose another model, or tell whoever runs this service.", "Choisissez un autre modèle, ou dites-le à qui gère ce service."],
  },
  "store-unavailable": {
    fact: ["The service cannot reach its store of jobs.", "Le service n’atteint pas sa base de travaux."],
    remedy: ["Try again in a moment.", "Réessayez dans un instant."],
  },
};
