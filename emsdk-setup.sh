#!/usr/bin/env bash
# emsdk-setup.sh: put a WebAssembly toolchain for Burrow into ./.emsdk
#
# usage: ./emsdk-setup.sh            set up what is missing; one second when all is there
#        ./emsdk-setup.sh --check    only report: exit 0 when a usable toolchain is there
#        ./emsdk-setup.sh --help     this text
#
# After exit 0, .emsdk holds
#   bin/        wrappers, the stable interface: emcc em++ emar emranlib embuilder em-config
#               wasi-clang wasi-run wasm-clang wasm-ld wasm-opt wasm-dis llvm-ar llvm-nm ...
#               They work in a plain shell: each exports what its tool needs, and no more.
#   env.sh      the same as BURROW_* variables; appends bin/ to the END of PATH, so that
#               no tool of the host is hidden
#   env.cmake   the same for CMake: cmake/*.toolchain.cmake include it
#   stamp       what was verified, by which version of this script
# Nothing outside .emsdk is written, no root is needed, and of two
# runs at once the second waits. Needs bash, Node 20, Python 3.10; .emsdk cannot be moved.
#
# Three routes, the first that works:
#   path        emcc >= 6.0 on PATH or under $EMSDK. Downloads nothing but wasi-libc (1 MB).
#   emsdk       the official emsdk (clone, install, activate). Downloads about 400 MB.
#   debian      packages of a newer Debian, unpacked (not installed) into .emsdk/root, from
#               the mirror that this machine's own apt names. Downloads about 110 MB.
# With CI=true debian comes first, and Emscripten's debugging libraries are not built ahead.
# Building libraries ahead takes 1.5 minutes for each kind on two cores, once.
#
# Variables:
#   BURROW_EMSDK_ROUTE      path, emsdk or debian: this route or an error
#   BURROW_EMSDK_DIR        another place for .emsdk, absolute (work trees can share one);
#                           set it for CMake too
#   BURROW_DEBIAN_SUITE     the suite of route debian (forky)
#   BURROW_DEBIAN_MIRROR    the mirror, where apt's own sources name none
#   WASI_SDK_PATH, WASI_SYSROOT   a wasi-libc of your own instead of Debian's
set -euo pipefail

emsdk_version=6.0.5
emsdk_repo=https://github.com/emscripten-core/emsdk.git
suite=${BURROW_DEBIAN_SUITE:-forky}
want=${BURROW_EMSDK_ROUTE:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
self=$here/$(basename "${BASH_SOURCE[0]}")
prefix=${BURROW_EMSDK_DIR:-$here/.emsdk}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
[ ! -d "$prefix" ] || prefix=$(cd "$prefix" && pwd -P) # what is installed names it: through a link it is the same
em_config='' em_cache='' # where emcc has to be told
root_layout=1 # raise it when an older .emsdk/root must not be kept
case ${EM_CONFIG:-} in "$prefix"/*) unset EM_CONFIG EM_CACHE EMSDK_PYTHON ;; esac # env.sh is sourced
unset APT_CONFIG
SECONDS=0 told='' route=''

# ---- words ---------------------------------------------------------------------------

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# die WHAT NEXT: the end of every failure. NEXT tells the reader what to do.
die() {
  told=1
  printf '\nemsdk-setup: %s.\n  What to do: %s.\n' "$1" "$2" >&2
  exit 1
}

# What set -e ends without a word of ours gets one here.
at_exit() {
  local status=$?
  [ ! -d "$prefix/lock.d/$$" ] || rm -rf "$prefix/lock.d"
  [ $status -eq 0 ] || [ -n "$told" ] || die "stopped in the middle, with status $status" "run again; if it stops again, remove $prefix first"
}

# must WHAT NEXT COMMAND...: run quietly; on failure show the end of its output and die.
must() {
  local what=$1 next=$2 log=$prefix/log
  shift 2
  "$@" >"$log" 2>&1 && return
  tail -n 15 "$log" >&2
  die "$what" "$next (all of the output: $log)"
}

# limit SECONDS COMMAND...: with a time limit, where the host has timeout(1).
limit() {
  local seconds=$1
  shift
  if have timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# ---- state ---------------------------------------------------------------------------

stamp_key() { echo "$(cksum <"$self") $prefix"; }
stamp_get() { sed -n "s/^$1 //p" "$prefix/stamp" 2>/dev/null; }
report() { echo "$1" && sed -n 's/^version /  /p' "$prefix/stamp"; }

# A toolchain that this version of the script verified, and that still answers.
ready() {
  [ "$(stamp_get key)" = "$(stamp_key)" ] || return 1
  [ -z "$want" ] || [ "$(stamp_get route)" = "$want" ] || return 1
  [ "$(stamp_get route)" != debian ] || [ "$(stamp_get suite)" = "$suite" ] || return 1
  have node && [ -f "$prefix/env.cmake" ] && "$prefix/bin/emcc" -dumpversion >/dev/null 2>&1
}

# One run at a time works in the prefix. The lock ends with the process.
lock() {
  local tries=0
  mkdir -p "$prefix" || die "cannot create $prefix" "make the folder writable, or set BURROW_EMSDK_DIR"
  if have flock; then
    exec 9>"$prefix/lock"
    flock -n 9 && return
    say "another run is at work here; waiting for it"
    flock -w 1800 9 || die "another run has been at work for 30 minutes" "end it, then run again"
    return
  fi
  until mkdir "$prefix/lock.d" 2>/dev/null && mkdir "$prefix/lock.d/$$"; do
    [ $tries -gt 0 ] || say "another run is at work here; waiting for it"
    [ $((tries += 1)) -lt 900 ] || die "$prefix/lock.d is 30 minutes old" "end the other run, or remove that folder if there is none"
    sleep 2
  done
}

# Emscripten is a Python program, and its output runs under Node. Sets python.
check_host() {
  local p
  node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null ||
    die "there is no node on PATH, or it is older than 20" "install Node.js 20 or newer"
  for p in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    # The real program: a version manager's shim costs 50 ms at every call of emcc.
    python=$("$p" -c 'import sys; print(sys.executable) if sys.version_info >= (3, 10) else exit(1)' 2>/dev/null) && return
  done
  die "there is no Python 3.10 or newer" "install python3"
}

# ---- routes path and emsdk -----------------------------------------------------------
# A route that works sets route, tools (where emcc is), emscripten, llvm and binaryen.

# adopt ROUTE DIR: take the toolchain that DIR/emcc uses.
adopt() {
  tools=$2
  emscripten=$("$2/em-config" EMSCRIPTEN_ROOT) && llvm=$("$2/em-config" LLVM_ROOT) &&
    binaryen=$("$2/em-config" BINARYEN_ROOT)/bin && [ -x "$llvm/clang" ] && [ -x "$binaryen/wasm-opt" ] && route=$1
}

route_path() {
  local dir version dirs="${EMSDK:+$EMSDK/upstream/emscripten:}$PATH"
  while IFS= read -r -d : dir; do
    if [ ! -x "$dir/emcc" ]; then continue; fi
    dir=$(cd "$dir" && pwd -P)
    case $dir in "$prefix"/* | */.emsdk/bin) continue ;; esac # wrappers like our own
    version=$("$dir/emcc" -dumpversion 2>/dev/null) || version=0
    if [ "${version%%.*}" -ge 6 ] && adopt path "$dir" 2>/dev/null; then
      say "route path: emcc $version in $dir"
      em_config=${EM_CONFIG:-} em_cache=${EM_CACHE:-}
      return
    fi
    say "route path: emcc in $dir is older than 6.0, or does not work"
  done <<<"$dirs:"
  say "route path: no usable emcc on PATH or under \$EMSDK"
}

route_emsdk() {
  local dir=$prefix/emsdk again="look at the network and the free disk space, then run again"
  if [ ! -f "$dir/.complete-$emsdk_version" ]; then
    say "route emsdk: looking for $emsdk_repo (10 s at most)"
    if ! GIT_TERMINAL_PROMPT=0 limit 10 git ls-remote -q "$emsdk_repo" HEAD >/dev/null 2>&1; then
      say "route emsdk: not reachable" && return
    fi
    say "route emsdk: installing $emsdk_version (400 MB; some minutes)"
    rm -rf "$dir"
    must "git clone failed" "$again" git clone -q --depth 1 "$emsdk_repo" "$dir"
    must "emsdk install failed" "$again" "$dir/emsdk" install "$emsdk_version"
    must "emsdk activate failed" "$again" "$dir/emsdk" activate "$emsdk_version"
    touch "$dir/.complete-$emsdk_version"
  fi
  adopt emsdk "$dir/upstream/emscripten" || die "the emsdk in $dir does not work" "remove $dir, then run again"
}

# ---- route debian --------------------------------------------------------------------

# An apt with a state of its own: it believes that no package is installed, and it neither
# reads nor writes the system's. Of the system's settings it has those of Acquire (proxies).
apt_open() {
  local a=$prefix/apt mirror key names='bookworm|trixie|forky|duke|sid|stable|testing|unstable'
  [ ! -f "$a/open" ] || return 0
  if ! have apt-get || ! have dpkg-deb; then say "route debian: no apt-get on this machine" && return 1; fi
  mkdir -p "$a/lists/partial" "$a/cache/archives/partial" "$a/debs" && : >"$a/status"
  {
    printf 'Dir::%s "/dev/null";\n' Etc::Parts Etc::Main Etc::SourceParts Etc::Preferences Etc::PreferencesParts
    printf 'Dir::%s "%s";\n' State "$a" State::Lists "$a/lists" State::Status "$a/status" Cache "$a/cache" Etc::SourceList "$a/sources.list"
    echo 'APT::Sandbox::User ""; APT::Install-Recommends "false";'
    apt-config dump | grep '^Acquire::' || true
    echo 'Acquire::Retries "3"; Acquire::Languages "none";'
  } >"$a/apt.conf"
  key=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' 2>/dev/null | sort | sed -n 1p) || true
  # What apt would read for a plain Debian suite names the mirrors, whatever the format of
  # its sources; one that ends in /debian is most likely to be Debian's.
  while read -r mirror; do
    echo "deb [${key:+signed-by=$key }arch=$(dpkg --print-architecture)] $mirror $suite main" >"$a/sources.list"
    say "route debian: reading the index of suite $suite (10 MB)"
    if papt apt-get -q update >"$prefix/log" 2>&1 && ! grep -q '^[WE]:' "$prefix/log"; then
      touch "$a/open" && return
    fi
    say "route debian: no, $(grep '^[WE]:' "$prefix/log" | sed -n 1p)"
  done < <(if [ -n "${BURROW_DEBIAN_MIRROR:-}" ]; then echo "$BURROW_DEBIAN_MIRROR"; else
    apt-get -o Dir::State::Lists="$a/lists" -o Dir::Cache="$a/cache" update --print-uris 2>/dev/null |
      sed -nE "s#^'(.*[^/])/*/dists/($names)/main/binary-.*#\\1#p" | sort -u |
      awk '/debian(\.list)?$/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }'
  fi)
  rm -rf "$a"
  say "route debian: apt's sources name no mirror with suite $suite"
  return 1
}

papt() { APT_CONFIG=$prefix/apt/apt.conf "$@"; }
newest() { papt apt-cache pkgnames | grep -xE "$1" | sort -V | tail -n 1; }

# apt_unpack INTO PACKAGE...: download exactly these and unpack them, less documentation.
apt_unpack() {
  local again="look at the network and the free disk space, then run again"
  export into=$1
  shift
  mkdir -p "$into" && cd "$prefix/apt/debs"
  must "a download failed" "$again" papt apt-get -q download "$@"
  say "unpacking $# packages"
  # shellcheck disable=SC2016 # for the inner shell
  find . -name '*.deb' -print0 | must "unpacking failed" "$again" xargs -0 -n 1 -P 2 sh -c '
    dpkg-deb --fsys-tarfile "$0" | tar -x -C "$into" --exclude="./usr/share/doc*" --exclude="./usr/share/man" \
      --exclude="./usr/share/l*" --exclude="./usr/lib/*/gconv" --exclude="./usr/*/wasm32-wasip2" --exclude="./etc" --exclude="./var"'
  cd "$here"
}

# The programs want a newer C library than the host has. So the libraries they need are
# gathered in root/lib, and every program gets the loader there and a search path to it.
# Not by LD_LIBRARY_PATH: that would reach the host's node and python. And by DT_RPATH with
# the libraries' own RUNPATHs replaced, because a RUNPATH would make the loader ignore it.
graft() {
  local r=$prefix/root to=$prefix/root/lib from ld f wanted more
  local keep='clang|lld|wasm-ld.*|llvm-(ar|ranlib|nm|objcopy|strip|objdump|readobj|size|dwarfdump|symbolizer|cxxfilt|dwp|link|dis)'
  find "$llvm" "$r/usr/bin" -mindepth 1 -regextype posix-extended ! -regex ".*/($keep|clang\+\+|wasm-[^f].*|patchelf)" -delete
  find "$r/usr/bin" -type l -delete

  ld=$(find "$r" -type f -name 'ld-linux*.so.*' | sed -n 1p)
  [ -n "$ld" ] || die "suite $suite has no program loader" "set BURROW_DEBIAN_SUITE to another suite"
  from=$(dirname "$ld")
  mkdir -p "$to" && cp -L "$ld" "$to/"
  ld=$to/$(basename "$ld")
  edit() { "$ld" --library-path "$to:$from" "$r/usr/bin/patchelf" "$@"; }

  find "$llvm" "$r/usr/bin" -type f >"$prefix/log"
  wanted=$(while read -r f; do edit --print-needed "$f"; done <"$prefix/log")
  while [ -n "$wanted" ]; do # the closure, round by round
    more=
    for f in $wanted; do
      [ ! -e "$to/$f" ] || continue
      [ -e "$from/$f" ] || die "library $f is in none of the packages" "set BURROW_DEBIAN_SUITE to another suite"
      cp -L "$from/$f" "$to/$f"
      more="${more:+$more }$(edit --print-needed "$to/$f")"
    done
    wanted=$more
  done
  for f in "$to"/*; do
    [ -z "$(edit --print-rpath "$f")" ] || edit --force-rpath --set-rpath "$to" "$f"
  done
  while read -r f; do
    [ "${f##*/}" = patchelf ] || edit --set-interpreter "$ld" --force-rpath --set-rpath "$to" "$f"
  done <"$prefix/log"
  rm -rf "$from" "$r/usr/bin/patchelf"
}

route_debian() {
  local r=$prefix/root key="$root_layout $suite $prefix" n list
  if [ "$(cat "$r/.complete" 2>/dev/null)" != "$key" ]; then
    if ! apt_open; then return; fi
    rm -rf "$prefix/stamp" "$r" "$prefix/cache"
    n=$(papt apt-cache show emscripten 2>/dev/null | sed -n 's/^Version: \([0-9]*\).*/\1/p') || true
    [ "${n:-0}" -ge 6 ] || die "suite $suite has emscripten ${n:-in no version}, 6 is needed" "set BURROW_DEBIAN_SUITE to a newer suite"
    n=$(papt apt-cache depends emscripten | sed -n 's/.*Depends: clang-\([0-9]*\).*/\1/p')
    # All they depend on, less the host's part (node, python) and what only native code needs.
    list=$(papt apt-get -qq -y --print-uris install emscripten patchelf | awk '{ split($2, p, "_"); print p[1], $3 }' |
      grep -vE '^(nodejs|libnode[0-9]|node-[b-z]|(lib)?python3|ccache|(lib)?binutils|lib(a|l|t|ub|hwa)san[0-9]|lib(gcc|stdc..|objc)-.*-dev|libc6?-dev|linux-libc-dev|libicu|openssl|tzdata|debconf|libclang1-|llvm-.*-(runtime|linker-tools)|libsqlite|libgprofng|libdb5)') ||
      die "suite $suite cannot give all that emscripten depends on" "set BURROW_DEBIAN_SUITE to another suite, or run again tomorrow"
    say "route debian: downloading $(echo "$list" | awk '{ s += $2 } END { printf "%d MB", s / 1e6 }') (at 100 Mbit/s: 10 s)"
    # shellcheck disable=SC2046 # one word for each package
    apt_unpack "$r" $(echo "$list" | cut -d' ' -f1)
    llvm=$r/usr/lib/llvm-$n/bin
    say "giving the programs a C library of their own"
    graft
    ln -sf lld "$llvm/wasm-ld-$n" # Debian's clang asks for this name
    # Emscripten imports acorn by name, and acorn's plug-ins do: both must look upwards.
    mv "$r/usr/share/nodejs" "$r/usr/share/node_modules"
    (cd "$r/usr" && rm -rf include lib64 lib/[!l]* lib/linux share/[!en]* share/emscripten/{docs,media,system/lib/openmp/src})
    (cd "$llvm/../lib" && rm -rf ./*.so* "clang/$n/include/"{arm,riscv,amx,avx}*.h)
    echo "$key" >"$r/.complete"
  fi
  llvm=$(echo "$r"/usr/lib/llvm-*/bin) binaryen=$r/usr/bin emscripten=$r/usr/share/emscripten
  route=debian tools=$emscripten
  # In this place even an emcc that is called without its wrapper finds it. It is Python, and
  # looks for node at every run, so that another node does no harm.
  em_config=$r/usr/share/emscripten/.emscripten em_cache=$prefix/cache
  cat >"$em_config" <<END
import os, shutil
LLVM_ROOT = '$llvm'
BINARYEN_ROOT = '$r/usr'
CACHE = '$em_cache'
NODE_JS = os.environ.get('BURROW_NODE') or shutil.which('node') or 'node'
END
}

# ---- wasi-libc, for every route ------------------------------------------------------

# Sets sysroot, and makes wasi/resource: a clang resource folder of our own with clang's
# headers and the builtins for wasm32, because the one of clang has none and may be read-only.
find_wasi() {
  local w=$prefix/wasi lib f sdk=${WASI_SDK_PATH:-} tree=$prefix/apt/tree
  sysroot=${WASI_SYSROOT:-${sdk:+$sdk/share/wasi-sysroot}}
  if [ -n "$sysroot" ]; then
    sdk=${sdk:-$sysroot/../..}
    lib=$(find -L "$sdk"/lib/clang "$w/lib" "$sysroot/lib" -name 'libclang_rt.builtins*.a' 2>/dev/null | grep -vE 'wasip2|threads' | sed -n 1p) || true
    if [ ! -d "$sysroot/include/wasm32-wasip1" ] || [ -z "$lib" ]; then
      die "$sysroot lacks include/wasm32-wasip1, or the builtins of clang are not near it" "set WASI_SDK_PATH to the folder of a wasi-sdk, or unset it and WASI_SYSROOT"
    fi
  else
    sysroot=$w/sysroot lib=$w/lib/libclang_rt.builtins.a
    if [ ! -f "$w/.complete" ]; then
      say "wasi-libc: taking it from suite $suite (2 MB)"
      apt_open || die "there is no wasi-libc" "install wasi-sdk and set WASI_SDK_PATH to its folder"
      rm -rf "$w" "$prefix"/apt/debs/* && mkdir -p "$sysroot/include" "$sysroot/lib" "$w/lib"
      apt_unpack "$tree" wasi-libc "$(newest 'libclang-rt-[0-9]+-dev-wasm32')"
      mv "$tree/usr/include/wasm32-wasi" "$sysroot/include/wasm32-wasip1"
      mv "$tree/usr/lib/wasm32-wasi" "$sysroot/lib/wasm32-wasip1"
      find "$tree" -name 'libclang_rt.builtins-wasm32.a' -exec mv {} "$lib" \;
      dpkg-deb -f "$prefix"/apt/debs/wasi-libc_*.deb Version >"$w/.complete"
    fi
  fi
  rm -rf "$w/resource"
  for f in wasm32-unknown-wasip1/libclang_rt.builtins.a wasi/libclang_rt.builtins-wasm32.a; do # new and old name
    mkdir -p "$w/resource/lib/${f%/*}" && ln -s "$lib" "$w/resource/lib/$f"
  done
  ln -s "$("$llvm/clang" -print-resource-dir)/include" "$w/resource/include"
}

# ---- the interface: wrappers, env.sh, env.cmake --------------------------------------

# wrap NAME LINES WORD...: bin/NAME does LINES, then runs WORD... with its own arguments.
wrap() {
  local new=$prefix/bin/.$1 name=$1 lines=$2
  shift 2
  { printf '#!/bin/sh\n# Written by emsdk-setup.sh.\n%sexec' "$lines" && printf ' %q' "$@" && echo ' "$@"'; } >"$new"
  chmod +x "$new" && mv -f "$new" "$prefix/bin/$name" # at no moment is it absent or half there
  wrapped="$wrapped $name "
}

write_interface() {
  local t b=$prefix/bin name value facts
  mkdir -p "$b"
  # Emscripten's JavaScript tools are CommonJS; the package.json of the checkout says otherwise.
  echo '{ "private": true, "type": "commonjs" }' >"$prefix/package.json"
  [ -n "$em_cache" ] || [ -w "$("$tools/em-config" CACHE)" ] || em_cache=$prefix/cache # an emcc of the whole system
  exports='' wrapped=''
  [ -z "$em_config" ] || printf -v exports 'export EM_CONFIG=%q\n[ ! -x %q ] || export EMSDK_PYTHON=%q\n' "$em_config" "$python" "$python"
  [ -z "$em_cache" ] || printf -v exports '%sexport EM_CACHE=%q\n' "$exports" "$em_cache"
  for t in emcc em++ emar emranlib embuilder em-config; do wrap $t "$exports" "$tools/$t"; done
  # Left to itself, clang runs any wasm-opt that happens to be on PATH after it has linked.
  wrap wasi-clang "" "$llvm/clang" --target=wasm32-wasip1 "--sysroot=$sysroot" -resource-dir "$prefix/wasi/resource" \
    --start-no-unused-arguments --no-wasm-opt --end-no-unused-arguments
  wrap wasi-run "" node --no-warnings "$prefix/wasi/run.mjs"
  cat >"$prefix/wasi/run.mjs" <<'END'
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const args = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args, env: process.env, preopens: { '.': '.' } });
const { instance } = await WebAssembly.instantiate(readFileSync(args[0]), wasi.getImportObject());
process.exitCode = wasi.start(instance);
END
  wrap wasm-clang "" "$llvm/clang"
  for t in "$llvm"/llvm-* "$llvm/wasm-ld" "$binaryen"/wasm-*; do wrap "${t##*/}" "" "$t"; done
  for t in "$b"/*; do # those of another route
    case $wrapped in *" ${t##*/} "*) ;; *) rm "$t" ;; esac
  done

  facts=$(printf 'BURROW_%s\n' "ROUTE=$route" "EMSDK_PREFIX=$prefix" "EMSCRIPTEN_ROOT=$emscripten" \
    "WASI_SYSROOT=$sysroot" "EM_CONFIG=$em_config" "EM_CACHE=$em_cache" "EMCC=$b/emcc" "EMXX=$b/em++" \
    "EMAR=$b/emar" "EMRANLIB=$b/emranlib" "WASI_CLANG=$b/wasi-clang" "WASI_RUN=$b/wasi-run" \
    "WASM_OPT=$b/wasm-opt" "WASM_DIS=$b/wasm-dis" "LLVM_AR=$b/llvm-ar" "LLVM_RANLIB=$b/llvm-ranlib" \
    "LLVM_NM=$b/llvm-nm" "LLVM_OBJDUMP=$b/llvm-objdump" "LLVM_STRIP=$b/llvm-strip")
  {
    echo '# Written by emsdk-setup.sh, to be sourced.'
    while IFS='=' read -r name value; do printf 'export %s=%q\n' "$name" "$value"; done <<<"$facts"
    printf '%s' "$exports"
    # shellcheck disable=SC2016 # for the shell that sources it
    printf 'case :$PATH: in *:%q:*) ;; *) PATH=$PATH:%q ;; esac\n' "$b" "$b"
  } >"$prefix/env.sh"
  {
    echo '# Written by emsdk-setup.sh, for include().'
    while IFS='=' read -r name value; do printf 'set(%s [=[%s]=])\n' "$name" "$value"; done <<<"$facts"
  } >"$prefix/env.cmake"
}

# ---- verify --------------------------------------------------------------------------

# Compile and run one program for each target. The first link of each kind also makes
# Emscripten build its C library into the cache: with threads, optimised and for debugging; and
# without threads, for wasm-tests/c-malloc.test.mjs.
# Without -sDEFAULT_TO_CXX=0 it would build libc++ too, which nobody here needs.
verify() {
  local t=$prefix/tmp again="remove $prefix, then run again" cc
  rm -rf "$t" && mkdir "$t"
  cat >"$t/probe.c" <<'END'
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
static jmp_buf env;
static void *work(void *p) { volatile int n = 41; if (!setjmp(env)) { n++; longjmp(env, 1); } *(int *)p = n; return p; }
#ifdef __wasi__
static int run(int *x) { return !work(x); }
#else
#include <pthread.h>
static int run(int *x) { pthread_t t; return pthread_create(&t, 0, work, x) || pthread_join(t, 0); }
#endif
int main(void) { int *x = calloc(1, sizeof *x); if (run(x)) return 1; printf("answer %d\n", *x); free(x); return 0; }
END
  cc=("$prefix/bin/emcc" -pthread -sDEFAULT_TO_CXX=0 -sPTHREAD_POOL_SIZE=1 -sEXIT_RUNTIME "$t/probe.c")
  say "emcc: a program with threads, optimised (the first time 1.5 minutes: the C library)"
  must "emcc does not work" "$again" "${cc[@]}" -O2 -sSUPPORT_LONGJMP=wasm -o "$t/thread.js"
  say "emcc: the same, small (the first time 15 s)"
  must "emcc does not work" "$again" "${cc[@]}" -Oz -sEXIT_RUNTIME=0 -sPROXY_TO_PTHREAD -o "$t/thread1.js"
  say "emcc: the same without threads (the first time 1.5 minutes: the C library once more)"
  must "emcc does not work" "$again" "$prefix/bin/emcc" -sDEFAULT_TO_CXX=0 -O2 -sSUPPORT_LONGJMP=wasm "$t/probe.c" -o "$t/plain.js"
  if [ "${CI:-}" != true ]; then # where nobody debugs, the first link with -O0 may build it
    say "emcc: the same, for debugging (the first time 1.5 minutes: the C library with assertions)"
    must "emcc does not work" "$again" "${cc[@]}" -g -o "$t/thread0.js"
  fi
  must "an Emscripten program does not run under node" "try another version of node" limit 60 node "$t/thread.js"
  grep -q '^answer 42' "$prefix/log" || die "an Emscripten program prints the wrong answer" "$again"

  say "wasi-clang: a program with longjmp, made asynchronous by wasm-opt"
  must "wasi-clang does not work" "$again" "$prefix/bin/wasi-clang" -O2 -mllvm -wasm-enable-sjlj "$t/probe.c" -lsetjmp -o "$t/hello.wasm"
  must "wasm-opt does not work" "$again" "$prefix/bin/wasm-opt" --all-features --asyncify "$t/hello.wasm" -o "$t/hello.async.wasm"
  must "a WASI program does not run under node" "try another version of node" limit 60 "$prefix/bin/wasi-run" "$t/hello.async.wasm"
  grep -q '^answer 42' "$prefix/log" || die "a WASI program prints the wrong answer" "$again"
  rm -rf "$t"
}

# ---- main ----------------------------------------------------------------------------

trap at_exit EXIT
case ${1:-} in
  '') ;;
  --help | -h) sed -n '2,/^set -e/s/^# \{0,1\}//p' "$self" && exit ;;
  --check)
    if ready; then report "usable: $prefix" || true; exit 0; fi
    die "there is no usable toolchain in $prefix" "run ./emsdk-setup.sh" ;;
  *) die "unknown argument $1" "read ./emsdk-setup.sh --help" ;;
esac
case $want in '' | path | emsdk | debian) ;; *) die "BURROW_EMSDK_ROUTE is $want" "make it path, emsdk or debian" ;; esac

if ready; then report "nothing to do: $prefix is in place" || true; exit 0; fi
lock
if ready; then report "nothing to do: the other run has put $prefix in place" || true; exit 0; fi
check_host
rm -rf "$prefix/apt"

order='path emsdk debian'
if [ "${CI:-}" = true ] || [ -f "$prefix/root/.complete" ]; then order='debian path emsdk'; fi
for r in ${want:-$order}; do
  "route_$r"
  if [ -n "$route" ]; then break; fi
done
[ -n "$route" ] || die "no toolchain by ${want:+route }${want:-any route}" \
  "the lines above say why; put emcc 6.0 or newer on PATH, or run where the emsdk repository or a Debian mirror (BURROW_DEBIAN_MIRROR) can be reached${want:+, or unset BURROW_EMSDK_ROUTE}"
rm -f "$prefix/stamp"
find_wasi
rm -rf "$prefix/apt"
write_interface
verify
{
  printf '%s\n' "key $(stamp_key)" "route $route" "suite $suite"
  echo "version emcc $("$prefix/bin/emcc" -dumpversion) by route $route"
  echo "version $("$prefix/bin/wasi-clang" --version | sed -n 1p)"
  echo "version $("$prefix/bin/wasm-opt" --version)"
  echo "version wasi-libc $(if [ "$sysroot" = "$prefix/wasi/sysroot" ]; then cat "$prefix/wasi/.complete"; else echo "in $sysroot"; fi)"
} >"$prefix/stamp.new"
mv "$prefix/stamp.new" "$prefix/stamp"
report "ready after $SECONDS s: $prefix ($(du -sh "$prefix" | cut -f1))"
