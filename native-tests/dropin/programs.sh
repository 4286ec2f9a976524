#!/usr/bin/env bash
# A real program with libburrow_malloc.so as its malloc: does its work get done, and did ours serve?
#
# usage: programs.sh python|git|gcc|sqlite|redis|node LIBRARY PROJECT
#
# Exit status 77: not installed. That ours serves is told by the table that the library prints at a
# program's end.
set -euo pipefail
case_name=$1 library=$2 project=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

need() {
  command -v "$1" >/dev/null && return
  echo "skipped: $1 is not installed"
  exit 77
}

# ours COMMAND...: with our malloc; the tables of all its processes go to served.
ours() {
  LD_PRELOAD=$library BURROW_MALLOC_STATS=1 "$@" 2>stderr || {
    echo "failed with status $?: $*"
    grep -v '^ ' stderr | tail -n 30
    exit 1
  }
  cat stderr >>served
}

# at_least N: some process had so many allocations.
at_least() {
  local most
  most=$(sed -n 's/^allocations (number): //p' served | sort -n | tail -n 1)
  echo "allocations of the largest process: ${most:-none}"
  [ "${most:-0}" -ge "$1" ]
}

run_python() {
  need python3
  # PYTHONMALLOC: every object of Python's comes from malloc, not from its own pools.
  export PYTHONMALLOC=malloc
  local python
  python=$(python3 -c 'import sys; print(sys.executable)') # the real program, not a shim
  ours "$python" - <<'END'
import json, threading, subprocess, re
data = {f"key{i}": [i, str(i) * 9, {"x": i / 7}] for i in range(30000)}
assert json.loads(json.dumps(data)) == data
def work(n, out):
    d = {}
    for i in range(20000): d[i * n % 7919] = [str(i)] * (i % 13)
    out.append(sum(map(len, d.values())))
out = []
threads = [threading.Thread(target=work, args=(n, out)) for n in range(1, 9)]
[t.start() for t in threads]; [t.join() for t in threads]
assert len(out) == 8
words = re.findall(r"\w+", " ".join(sorted(data) * 3))
assert len(words) == 90000
assert subprocess.run(["true"]).returncode == 0
END
  if "$python" -c 'import test.test_json' 2>/dev/null; then
    # Some of these want nothing on stderr.
    BURROW_MALLOC_STATS='' LD_PRELOAD=$library "$python" -m test -q test_json test_dict test_list \
      test_threading_local
  fi
  at_least 300000
}

run_git() {
  need git
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
  export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
  ours git init -q repo
  cd repo
  cp -r "$project"/src "$project"/native-tests .
  for i in 1 2 3 4 5 6; do
    find . -name '*.c' -exec sed -i "$((i * 5))s|\$| // $i|" {} +
    ours git add -A
    ours git commit -qm "commit $i"
  done
  ours git gc -q --aggressive
  ours git fsck --full --strict
  ours git log -p --stat >/dev/null
  ours git blame src/alloc/alloc.c >/dev/null
  [ "$(ours git rev-list --count HEAD)" = 6 ]
  at_least 5000
}

run_gcc() {
  need gcc
  for f in alloc/pageheap.c alloc/cache.c comm/chan.c sched/worker.c lib/slice.c; do
    ours gcc -O2 -g -D_GNU_SOURCE -I"$project/src" -I"$project/src/include" -c "$project/src/$f" -o ours.o
    gcc -O2 -g -D_GNU_SOURCE -I"$project/src" -I"$project/src/include" -c "$project/src/$f" -o theirs.o
    cmp ours.o theirs.o
  done
  if command -v g++ >/dev/null; then
    ours g++ -std=c++17 -O1 -I"$project/src/include" -c "$project/native-tests/dropin/new_tests.cc" -o new.o
  fi
  at_least 10000
}

run_sqlite() {
  need sqlite3
  ours sqlite3 data.db >out <<'END'
PRAGMA journal_mode = MEMORY;
CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
  INSERT INTO t SELECT i, i * 7919 % 100003, 'text ' || i * 31 % 977 FROM n;
CREATE INDEX by_b ON t (b, a);
DELETE FROM t WHERE a % 3 = 0;
VACUUM;
SELECT count(*), (SELECT count(DISTINCT b) FROM t) FROM t;
PRAGMA integrity_check;
END
  tail -n 1 out | grep -qx ok
  at_least 1000
}

run_redis() {
  need redis-server
  need redis-benchmark
  local socket=$work/redis.sock
  LD_PRELOAD=$library BURROW_MALLOC_STATS=1 redis-server --port 0 --unixsocket "$socket" --save '' \
    --io-threads 2 >log 2>served &
  local server=$!
  for _ in $(seq 100); do
    redis-cli -s "$socket" ping >/dev/null 2>&1 && break
    sleep 0.1
  done
  redis-benchmark -s "$socket" -q -n 2500 -c 20 -d 300 -r 1000 \
    -t set,get,incr,lpush,rpop,sadd,hset,zadd,spop >/dev/null
  redis-cli -s "$socket" bgsave | grep -q started # forks, and the child allocates
  for _ in $(seq 100); do
    redis-cli -s "$socket" info persistence | grep -q rdb_bgsave_in_progress:0 && break
    sleep 0.1
  done
  redis-cli -s "$socket" info persistence | grep -q rdb_last_bgsave_status:ok
  redis-cli -s "$socket" debug reload >/dev/null || true # where it is allowed
  redis-cli -s "$socket" flushall >/dev/null
  redis-cli -s "$socket" shutdown nosave || true
  wait $server || { tail -n 20 log; cat served; exit 1; }
  at_least 20000
}

run_node() {
  need node
  cat >work.mjs <<'END'
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import crypto from 'node:crypto';
const big = Buffer.alloc(3e6, 'node under another malloc ');
for (let i = 0; i < 20; i++) if (!zlib.gunzipSync(zlib.gzipSync(big)).equals(big)) throw new Error('gzip');
await Promise.all(Array.from({ length: 8 }, () => new Promise((ok, no) => crypto.scrypt('a', 'b', 32, (e) => (e ? no(e) : ok())))));
const code = `const m = new WebAssembly.Memory({ initial: 1, maximum: 200 }); for (let i = 0; i < 100; i++) m.grow(1);
  const a = []; for (let i = 0; i < 2e5; i++) a.push({ i }); require('worker_threads').parentPort.postMessage(a.length);`;
await Promise.all(Array.from({ length: 4 }, () => new Promise((ok, no) => new Worker(code, { eval: true }).on('exit', ok).on('error', no))));
END
  ours node work.mjs
  local tests=$project/build/wasi/native-tests/burrow-tests.wasm name
  if [ -f "$tests" ]; then
    for name in chan_fifo alloc_model_small slice_make; do
      node --no-warnings --no-turbo-fast-api-calls "$project/wasm-tests/lib/wasi-run.mjs" "$tests" "$name" >/dev/null 2>&1 || continue
      ours node --no-warnings --no-turbo-fast-api-calls "$project/wasm-tests/lib/wasi-run.mjs" "$tests" "$name"
    done
  fi
  at_least 20000
}

run_"$case_name"
