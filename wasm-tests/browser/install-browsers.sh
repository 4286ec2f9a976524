#!/bin/sh
# Installs the browsers that the browser tests drive: Chromium and Firefox, from Debian's own packages.
# Does nothing when both are there. Usage: install-browsers.sh
set -eu

found() {
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1; then
      return 0
    fi
  done
  return 1
}

missing=
found chromium chromium-browser google-chrome || missing="$missing chromium"
found firefox-esr firefox || missing="$missing firefox-esr"
if [ -z "$missing" ]; then
  echo "Browsers are installed."
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing:$missing. This script knows Debian's apt-get only: install them with your system's means," >&2
  echo "or set CHROME_PATH and FIREFOX_PATH to the browsers' programs." >&2
  exit 1
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Missing:$missing. Run this script as root, or install sudo." >&2
    exit 1
  fi
  as_root=sudo
fi

export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update
# shellcheck disable=SC2086 # a list of package names
$as_root apt-get install -y --no-install-recommends $missing
