// Linked into programs that Node runs: the process's environment becomes the program's.
Module['preRun'] = [() => typeof ENV == 'object' && Object.assign(ENV, process.env)];
