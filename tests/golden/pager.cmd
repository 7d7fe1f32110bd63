# On a system without less a terminal gets all lines; a pager that the user names is asked.
seq 100 >log
for p in '' 'PAGER=cat'; do
  script -qec "env PATH=/nonexistent TERM=dumb $p $weir query --input log --output raw '*'" /dev/null </dev/null 2>&1 | wc -l
done
script -qec "env TERM=dumb WEIR_PAGER='wc -l' $weir query --input log --output raw '*'" /dev/null </dev/null | tr -d '\r '
