#!/bin/sh
//usr/bin/env true; exec node -- "$0" "$@"
// The executable. A shell reads the line above, node passes it over as a comment: without the `--` node would take
// --env-file for an option of its own, wherever it stands, and end with its own exit code when there is no such file.
// Nothing else is imported here, as imports come before the first statement: until the program is loaded, signals that
// would end it are held.
import { EarlySignals } from './early-signals.ts';

const early = new EarlySignals();
const { runProgram } = await import('./program.ts');
await runProgram(process.argv, early);
