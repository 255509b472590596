// Piscina task: counts one part of a log file for `flow-proxy report`.
export { scanPart } from '../src/report/scan.ts';
