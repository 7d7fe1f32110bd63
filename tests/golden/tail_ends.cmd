# A tail ends with its reader, also when no row comes; --no-follow ends after the last rows.
echo '{"time":"2026-01-31T10:00:00Z","message":"one"}' | $weir ingest --quiet --store st -
timeout 20 $weir tail --store st --output raw | head -1
echo "exit ${PIPESTATUS[0]}"
$weir tail --store st --no-follow --output raw; echo "exit $?"
$weir status --store st more; echo "exit $?"
