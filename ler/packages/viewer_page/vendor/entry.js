// What of OpenLayers the viewer uses; see README.md for how openlayers.min.js is made from this.
export {default as Feature} from 'ol/Feature.js';
export {default as Map} from 'ol/Map.js';
export {default as View} from 'ol/View.js';
export {default as VectorLayer} from 'ol/layer/Vector.js';
export {default as VectorSource} from 'ol/source/Vector.js';
export {default as Draw} from 'ol/interaction/Draw.js';
export {defaults as defaultInteractions} from 'ol/interaction/defaults.js';
export {default as ScaleLine} from 'ol/control/ScaleLine.js';
export {toContext} from 'ol/render.js';
export {Circle, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon} from 'ol/geom.js';
export {Circle as CircleStyle, Fill, RegularShape, Stroke, Style, Text} from 'ol/style.js';
export {buffer, createEmpty, extend, isEmpty} from 'ol/extent.js';
export {transform} from 'ol/proj.js';
