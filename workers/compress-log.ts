// Piscina task: compresses one rolled log file off the primary's loop, which accepts connections for all.
export { compressFile } from '../src/logging/compress-file.ts';
