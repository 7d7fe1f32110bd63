# Empty matches of replace_regexp: none right behind another match, none within a character, none in nothing.
log
{"time":"2026-01-31T10:00:00Z","x":"banana"}
{"time":"2026-01-31T10:00:01Z","x":"foo=1é x"}
{"time":"2026-01-31T10:00:02Z","y":"no x"}

query: * | replace_regexp ("b|a*", "-") at x | fields x
{"x":"--n-n-"}
{"x":"-f-o-o-=-1-é- -x-"}
{}

query: * | replace_regexp ("o*", "X") at x | fields x
{"x":"XbXaXnXaXnXaX"}
{"x":"XfX=X1XéX XxX"}
{}

query: * | replace_regexp ("", ".") at x limit 3 | fields x
{"x":".b.a.nana"}
{"x":".f.o.o=1é x"}
{}

query: * | replace_regexp ("^$", "none") at x | fields x
{"x":"banana"}
{"x":"foo=1é x"}
{}
