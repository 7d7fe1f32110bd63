cat >log
$weir ingest --store st --quiet log 2>/dev/null
$weir grep --store st -c req-77
$weir grep --store st -i DATABASE
$weir grep --store st -o 'req-[0-9]*' | sort | uniq -c
$weir grep --store st -v -F '{'
$weir grep --store st -A 1 timeout | tail -1 | cut -c1-50
$weir grep --store st -q nothing; echo "exit $?"
$weir grep --store st '('; echo "exit $?"
$weir grep --store nowhere x
