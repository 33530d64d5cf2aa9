#!/bin/sh
# The shared library shows what the public header declares, and nothing else.
#   surface_test.sh HEADER LIBRARY
set -eu

declared=$(grep -oE '\bdiskarch_[a-z_]+\(' "$1" | tr -d '(' | sort -u)
shown=$(nm --dynamic --defined-only --format=posix "$2" | awk '$2 != "A" { sub("@.*", "", $1); print $1 }' | sort -u)

test -n "$declared"
if [ "$declared" != "$shown" ]; then
    echo "declared in $1:" $declared
    echo "shown by $2:" $shown
    exit 1
fi
