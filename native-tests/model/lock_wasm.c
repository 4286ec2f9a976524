// The lock as wasm has it: unlock always swaps, and sleeps have no end of their own.
#define MODEL_AS_WASM               1
#define LOCK_PROGRAM                lock_wasm
#define bw__mutex_lock_slow         wasm_mutex_lock_slow
#define bw__mutex_unlock_slow       wasm_mutex_unlock_slow
#define bw__mutex_lock_patient_slow wasm_mutex_lock_patient_slow

#include "lock.c" // NOLINT(bugprone-suspicious-include): the same once more
