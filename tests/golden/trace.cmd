cat >log
$weir trace --input log --utc req-77
echo "exit $?"
$weir ingest --store st --quiet log 2>/dev/null
$weir trace --store st --utc req-77
echo "exit $?"
$weir trace --store st --utc --deep req-77 | head -1 | cut -d, -f1,2
$weir trace --store st --output json --related req-77 | wc -l
$weir trace --store st none
