# WEIR_CPU names the instructions that are used; what does not run here is said once and not heeded.
WEIR_CPU=portable $weir version | tail -1
unset WEIR_CPU; used=$($weir version)
for wrong in abacus AVX2 'neon '; do
  WEIR_CPU=$wrong $weir version >out; [ "$(cat out)" = "$used" ] || cat out
done
[ "$(WEIR_CPU='' $weir version 2>&1)" = "$used" ] || echo "an empty one is heeded"
# weir rules is a program of its own
WEIR_CPU=abacus $weir rules lint 2>&1 | grep -c WEIR_CPU
# the same rows whatever is used
line='{"time":"2026-01-31T10:00:00Z","message":"took 17 ms \\"at\\" 10.0.0.1 for id a7b9-1","n":%d}\n'
for i in $(seq 1000); do printf "$line" "$((i * i))"; done >lines
for cpu in portable sse2 avx2 avx512 neon; do
  WEIR_CPU=$cpu $weir ingest --quiet --store "st-$cpu" lines 2>/dev/null
  WEIR_CPU=$cpu $weir query --store "st-$cpu" --output raw '_msg:~"(?i)\\bID A7" n:>900000' 2>/dev/null | cksum
done | sort -u
